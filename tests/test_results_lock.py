import os
import subprocess
import sys

import pytest
import tiny

import algoperf_lite
from algoperf_lite.errors import MachineError
from algoperf_lite.executors.inline import InlineExecutor
from algoperf_lite.results_lock import hold

HOLD = """
import sys, time
from pathlib import Path
from algoperf_lite.results_lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds a results directory."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)],
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_into_a_directory_is_refused_and_changes_nothing(other, tmp_path):
    with pytest.raises(MachineError, match=rf"writes into .* \(process {other.pid}\): wait for it"):
        algoperf_lite.run([tiny.__file__], ["nadamw"], tmp_path, quick=True, max_steps=10,
                          timed=False, executor=InlineExecutor(1))  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_holder_that_is_killed_holds_nothing(other, tmp_path):
    other.kill()
    other.wait()
    with hold(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


def test_a_directory_can_be_held_again_and_others_meanwhile(tmp_path):
    for _ in range(2):
        with hold(tmp_path / "a"), hold(tmp_path / "b"):
            pass


def test_where_locks_are_unknown_runs_go_on(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with hold(tmp_path):
        pass


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(MachineError, match=r"cannot write .*file/r/\.lock"),
        hold(tmp_path / "file/r"),
    ):
        pass
