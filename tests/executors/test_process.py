import json
import os
import shutil
import signal

import pytest
import tiny

import algoperf_lite
from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.executors import WorkerLostError
from algoperf_lite.executors.process import ProcessExecutor
from algoperf_lite.records import read_evaluations, read_json, write_json

TINY = tiny.__file__
IMPORTS = "import ctypes, os, sys, time, jax, optax\nfrom algoperf_lite import OptaxSubmission\n"
FATE = "def f(hp, task):\n    {}\n    return optax.sgd(hp['lr'])\n"
OBJECT = "submission = OptaxSubmission(f, default={'lr': 0.05})\n"
FATES = {
    "forks": "os.fork() or (os.close(0), time.sleep(3600))",
    "exits": "os._exit(0)",
    "segfaults": "ctypes.string_at(0)",
    "garbles": "os.write(2, bytes([255]) * 3); os._exit(7)",
    "prints": "print('{\"result\": 1}\\n' * 1000)",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One run of submissions of every fate, a good one last, in real worker processes."""
    root = tmp_path_factory.mktemp("process")
    paths = []
    for name, fate in {**FATES, "good": "pass"}.items():
        path = root / f"{name}.py"
        path.write_text(IMPORTS + FATE.format(fate) + OBJECT)
        paths.append(str(path))
    return algoperf_lite.run([TINY], paths, root / "r", quick=True, max_steps=100, devices=1)


def test_every_trial_leaves_a_record_with_the_reason(run):
    records = {t["submission"]: t for t in run.trials}
    assert records["exits"]["status"] == records["segfaults"]["status"] == "error"
    assert "the worker process was lost: exited with code 0" in records["exits"]["reason"]
    assert "killed by SIGSEGV" in records["segfaults"]["reason"]
    assert "exited with code 7" in records["garbles"]["reason"]
    for name in ("exits", "segfaults", "garbles"):
        assert records[name]["target"]["metric"] == "loss"
        assert records[name]["environment"]["device_count"] == 1


def test_what_a_submission_prints_is_no_answer(run):
    records = {t["submission"]: t for t in run.trials}
    for name in ("prints", "forks", "good"):
        assert records[name]["status"] == "target_reached"


def test_the_leaderboard_is_what_it_would_be_without_the_bad_ones(run, tmp_path):
    good = ("good", "prints", "forks")
    scores = {s["name"]: s["score"] for s in run.leaderboard().to_json()["submissions"]}
    alone = tmp_path / "alone"
    for name in good:
        shutil.copytree(run.results / name, alone / name)
    suite = read_json(run.results / "suite.json")
    suite["submissions"] = {name: suite["submissions"][name] for name in good}
    write_json(alone / "suite.json", suite)
    without = {s["name"]: s["score"] for s in algoperf_lite.score(alone).to_json()["submissions"]}
    assert scores == without | {"exits": 0.0, "segfaults": 0.0, "garbles": 0.0}


def test_another_process_gives_the_same_bits(run, tmp_path):
    path = run.results.parent / "good.py"
    inline = algoperf_lite.run([TINY], [str(path)], tmp_path / "r", quick=True, max_steps=100,
                               devices=1, executor="inline")  # fmt: skip

    def losses(results):
        file = results / "good" / "study_0" / "tiny_jax" / "trial_1" / "eval_measurements.csv"
        return [row["validation/loss"] for row in read_evaluations(file)]

    assert losses(run.results) == losses(inline.results)


def test_errors_of_ours_cross_over_as_themselves(run, monkeypatch, tmp_path):
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
