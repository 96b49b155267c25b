"""What is lost outside of a trial: at imports, with the command, on a full disk."""

import contextlib
import errno
import os
import subprocess
import sys
import time

import faults
import psutil
import pytest
import tiny

import algoperf_lite
from algoperf_lite.device_lock import holders
from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.executors import guardian
from algoperf_lite.executors.family import COOKIE
from algoperf_lite.executors.process import ProcessExecutor
from algoperf_lite.records import read_json

TINY = tiny.__file__
TABLE = "study_0/tiny_jax/trial_1/eval_measurements.csv"
SECONDS = f"7491.{os.getpid()}"  # that daemons sleep, by which they are told from others'
COMMAND = """
import sys, algoperf_lite
def observe(event):
    if event.get("step") == 10:
        print(event["trial"]["submission_name"], flush=True)
algoperf_lite.run([sys.argv[1]], sys.argv[3:], sys.argv[2], quick=True, max_steps=100, devices=1,
                  observe=observe)
"""


def write(folder, name, **made):
    path = folder / f"{name}.py"
    path.write_text(faults.text(**made))
    return str(path)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("os._exit(0)", "the worker process was lost: exited with code 0"),
        ("sys.exit(3)", "exited with code 3"),
        ("ctypes.string_at(0)", r"killed by SIGSEGV in /.*/bad\.py:\d+ \(<module>\)"),
    ],
)
def test_an_import_that_ends_the_worker_names_the_submission(tmp_path, before, reason):
    good, bad = write(tmp_path, "good"), write(tmp_path, "bad", before=before)
    with pytest.raises(UsageError, match=rf"/bad\.py does not import: .*{reason}"):
        algoperf_lite.run([TINY], [good, bad], tmp_path / "r", quick=True, max_steps=10)
    assert not (tmp_path / "r").exists()


def test_an_import_that_hangs_names_the_submission(tmp_path):
    good, bad = write(tmp_path, "good"), write(tmp_path, "bad", before="sleep_for_ever()")
    executor = ProcessExecutor(devices=1)
    executor.call("device_names", {})  # the worker stands; so it is the import that is silent
    executor.hang_after = 3.0
    with pytest.raises(UsageError, match=r"/bad\.py does not import: .*for 3 s and was killed in"):
        executor.call("describe", {"workloads": [], "submissions": [good, bad]})


def test_what_an_import_leaves_running_is_no_other_trials_fault(tmp_path):
    path = write(tmp_path, "starts", before=f"{faults.DAEMON}\ndaemon('{SECONDS}')")
    executor, heard = ProcessExecutor(devices=1), []
    executor.call("describe", {"workloads": [], "submissions": [path]}, heard.append)
    assert heard == [{"importing": path}, {"left_running": [f"sleep {SECONDS}"]}]
    assert executor._worker is None


def test_a_command_that_is_killed_takes_everything_along(tmp_path):
    good = write(tmp_path, "good")
    bad = write(tmp_path, "slow", before=faults.DAEMON,
                on_eval=f"daemon('{SECONDS}') or sleep_for_ever()")  # fmt: skip
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND, TINY, tmp_path / "r", good, bad],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(temporary)},
    )  # fmt: skip
    assert [command.stdout.readline() for _ in range(2)] == ["good\n", "slow\n"]
    worker = worker_of(command)
    cookie = worker.environ()[COOKIE]
    until(lambda: any(SECONDS in " ".join(p.cmdline()) for p in worker.children()))
    command.kill()
    command.stdout.close()
    command.wait()
    until(lambda: not worker.is_running())
    assert [p for p in psutil.process_iter() if cookie in str(_environment(p))] == []
    assert [p for p in psutil.process_iter() if _line(p) == f"sleep {SECONDS}"] == []
    assert list(temporary.iterdir()) == []
    assert holders() == {}
    status = [p.parent.parts[-4] for p in (tmp_path / "r").rglob("trial.json")]
    assert status == ["good"]
    write(tmp_path, "slow")  # which makes it another submission, but none was recorded
    again = algoperf_lite.run([TINY], [good, bad], tmp_path / "r", quick=True, max_steps=100,
                              devices=1, executor="inline")  # fmt: skip
    assert [t["status"] for t in again.trials] == ["target_reached", "target_reached"]


def test_a_worker_that_cannot_notice_that_the_command_was_killed_ends_too(tmp_path):
    path = write(tmp_path, "busy", before=f"{faults.DAEMON}\nimport re",
                 on_eval=f"daemon('{SECONDS}') or re.match('(a+)+$', 'a' * 99 + 'b')")  # fmt: skip
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND, TINY, tmp_path / "r", path],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(temporary)},
    )  # fmt: skip
    assert command.stdout.readline() == "busy\n"
    worker = worker_of(command)
    others = [p for p in psutil.Process(command.pid).children() if p != worker]
    until(lambda: any(SECONDS in " ".join(p.cmdline()) for p in worker.children()))
    command.kill()
    command.stdout.close()
    command.wait()
    try:
        until(lambda: not worker.is_running(), 20)
    finally:
        with contextlib.suppress(psutil.Error):
            worker.kill()
    until(lambda: not any(p.is_running() for p in others), 20)
    assert [p for p in psutil.process_iter() if _line(p) == f"sleep {SECONDS}"] == []
    assert list(temporary.iterdir()) == []


def test_a_process_that_came_by_a_workers_number_is_left_alone(tmp_path):
    other = subprocess.Popen(["sleep", "60"])
    try:
        guardian.end(other.pid, "cookie", str(tmp_path))
        assert other.poll() is None
        assert tmp_path.exists()
    finally:
        other.kill()
        other.wait()


def test_a_full_disk_is_nobodys_fault_and_the_same_command_goes_on(tmp_path, small_disk):
    paths = [write(tmp_path, name) for name in ("first", "second", "third")]
    filler = small_disk / "filler"

    def fill(event):
        if event["event"] == "start" and event["trial"]["submission_name"] == "second":
            with pytest.raises(OSError, match="No space"), filler.open("wb", buffering=0) as file:
                while file.write(b"x" * 1024):
                    pass

    arguments = dict(quick=True, max_steps=100, devices=1)
    with pytest.raises(MachineError, match=rf"cannot write {small_disk}/r/second.*: No space left"):
        algoperf_lite.run([TINY], paths, small_disk / "r", observe=fill, **arguments)
    kept = read_json(next((small_disk / "r" / "first").rglob("trial.json")))
    assert kept["status"] == "target_reached"
    filler.unlink()
    again = algoperf_lite.run([TINY], paths, small_disk / "r", **arguments)
    assert again.trials[0] == kept
    assert [t["status"] for t in again.trials] == ["target_reached"] * 3


def test_a_disk_that_is_full_when_rows_are_flushed_is_no_error_of_the_trial(tmp_path, monkeypatch):
    paths = [write(tmp_path, name) for name in ("first", "second")]
    arguments = dict(quick=True, max_steps=20, devices=1, executor="inline")
    sync = os.fsync

    def no_space(descriptor):
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith(f"second/{TABLE}"):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_space)
        with pytest.raises(MachineError, match=rf"cannot write .*/second/{TABLE}: No space left"):
            algoperf_lite.run([TINY], paths, tmp_path / "r", **arguments)
    again = algoperf_lite.run([TINY], paths, tmp_path / "r", **arguments)
    assert [t["status"] for t in again.trials] == ["budget_exhausted"] * 2


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user cannot mount a file system")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def worker_of(command):
    """The worker that a command started; its guardian is no worker."""
    children = psutil.Process(command.pid).children()
    (worker,) = [child for child in children if COOKIE in child.environ()]
    return worker


def until(holds, seconds=60):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def _environment(process):
    try:
        return process.environ()
    except psutil.Error:
        return None


def _line(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return None
