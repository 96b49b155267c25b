import json
import os
import signal

import pytest
import tiny

from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.executors import WorkerLostError
from algoperf_lite.executors.process import ProcessExecutor

TINY = tiny.__file__


def test_errors_of_ours_cross_over_as_themselves(monkeypatch, tmp_path):
    executor = ProcessExecutor(devices=1)
    try:
        with pytest.raises(UsageError, match="did you mean 'nadamw'"):
            executor.call("describe", {"workloads": [], "submissions": ["nadamv"]})
        spec = json.loads(json.dumps({"workload": TINY}))
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path / "file" / "home"))
        executor.close()
        with pytest.raises(MachineError, match=r"cannot read .*home"):
            executor.call("calibrate", spec)
    finally:
        executor.close()


def test_a_silent_worker_is_killed():
    executor = ProcessExecutor(devices=1, hang_after=0.01)
    with pytest.raises(WorkerLostError, match=r"no sign of life for 0\.01 s"):
        executor.call("describe", {"workloads": [], "submissions": []})


def test_too_many_devices_are_refused_with_the_numbers():
    executor = ProcessExecutor(devices=99)
    try:
        with pytest.raises(UsageError, match="--devices 99, but there are 4"):
            executor.call("describe", {"workloads": [], "submissions": []})
    finally:
        executor.close()


def test_a_worker_killed_between_calls_is_replaced():
    executor = ProcessExecutor(devices=1)
    request = {"workloads": [], "submissions": ["nadamw"]}
    try:
        first = executor.call("describe", request)
        os.killpg(executor._worker._process.pid, signal.SIGKILL)
        executor._worker._process.wait()
        assert executor.call("describe", request) == first
    finally:
        executor.close()


def test_an_interrupted_call_leaves_nothing_to_the_next():
    executor = ProcessExecutor(devices=1)

    def interrupt(event):
        raise KeyboardInterrupt

    try:
        with pytest.raises(KeyboardInterrupt):
            executor.call("calibrate", {"workload": TINY, "again": True}, interrupt)
        described = executor.call("describe", {"workloads": [TINY], "submissions": []})
        assert described["workloads"][0]["name"] == "tiny"
    finally:
        executor.close()
