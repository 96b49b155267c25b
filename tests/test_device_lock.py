import errno
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import tiny

import algoperf_lite
from algoperf_lite import device_lock, executors
from algoperf_lite.cli import invoke
from algoperf_lite.device_lock import describe, hold, holder, holders
from algoperf_lite.errors import MachineError
from algoperf_lite.executors.inline import InlineExecutor

HOLDER = """
import os, sys, time
import algoperf_lite
from algoperf_lite import device_lock, executors
from algoperf_lite.cli import invoke
devices, then = sys.argv[1].split(","), sys.argv[2]
with device_lock.hold(devices, "for a run into results/other"):
    if then == "fork" and not os.fork():
        time.sleep(60)
    if then == "start":
        os.system("sleep 60 &")
    print("held", flush=True)
    sys.stdin.read()
print("let go", flush=True)
sys.stdin.read()
"""
FORKING = """
import os
import algoperf_lite
from algoperf_lite import device_lock, executors
from algoperf_lite.cli import invoke
with device_lock.hold(["cpu"], "mine"):
    if not os.fork():
        print(list(device_lock._held), end=" ", flush=True)
        raise SystemExit
    os.wait()
    print({}, device_lock.holder("cpu")["purpose"])
"""
AS_NOBODY = """
import os
from algoperf_lite import device_lock, errors
os.setuid(65534)
try:
    with device_lock.hold(["cpu"], ""):
        print("held")
except errors.MachineError as error:
    print(error)
"""


@pytest.fixture
def locks(tmp_path, monkeypatch):
    """An empty place for locks; a new directory is writable for everybody."""
    path = tmp_path / "locks"
    monkeypatch.setenv(device_lock.DIRECTORY, str(path))
    return path


@pytest.fixture
def start(locks):
    """Start a process that holds devices; it is ended with the test, with all that it started."""
    started = []

    def start(devices, then="wait"):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, devices, then],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_another_process_is_refused_with_who_holds_the_device(start):
    other = start("gpu-0")
    with pytest.raises(MachineError) as refused, hold(["gpu-0"], "mine"):
        pass
    assert refused.value.exit_code == 3
    since = holder("gpu-0")["since"]
    told = f"process {other.pid} times trials on it since {since}, for a run into results/other"
    assert told in str(refused.value)
    assert "wait for it, or explore with --untimed" in str(refused.value)
    assert since.startswith(time.strftime("%Y-"))
    assert set(holders()) == {"gpu-0"}


def test_devices_do_not_exclude_each_other(start):
    other = start("gpu-0,gpu-2")
    with hold(["gpu-1"], "mine"):
        assert {device: who["pid"] for device, who in holders().items()} == {
            "gpu-0": other.pid,
            "gpu-1": os.getpid(),
            "gpu-2": other.pid,
        }
        with pytest.raises(MachineError, match="gpu-2 is in use"), hold(["gpu-1", "gpu-2"], ""):
            pass
    assert holder("gpu-1") is None


def test_what_a_refused_hold_had_got_is_let_go(start):
    start("gpu-1")
    with pytest.raises(MachineError), hold(["gpu-0", "gpu-1"], ""):
        pass
    assert holder("gpu-0") is None


def test_a_device_is_free_when_its_holder_leaves_or_is_killed(start):
    leaving = start("cpu")
    leaving.stdin.close()
    assert leaving.stdout.readline() == "let go\n"
    with hold(["cpu"], ""):
        pass
    killed = start("cpu")
    assert holder("cpu")["pid"] == killed.pid
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert holder("cpu") is None
    with hold(["cpu"], ""):
        pass


@pytest.mark.parametrize("left", ["fork", "start"])
def test_what_outlives_the_holder_does_not_keep_the_device(start, left):
    other = start("cpu", left)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    with hold(["cpu"], ""):
        os.killpg(other.pid, 0)  # it lives


def test_a_forked_child_that_ends_unlocks_nothing(locks):
    assert _script(FORKING) == "[] {} mine\n"


def test_several_of_one_process_hold_a_device(locks):
    with hold(["cpu"], "a run"):
        with hold(["cpu"], "its calibration"):
            pass
        assert holder("cpu")["purpose"] == "a run"
        kept = ExitStack()
        thread = threading.Thread(target=lambda: kept.enter_context(hold(["cpu"], "a thread's")))
        thread.start()
        thread.join()
    assert holder("cpu")["purpose"] == "a run"  # the thread's is left
    kept.close()
    assert holder("cpu") is None


def test_looking_who_holds_a_device_refuses_nobody(locks):
    with hold(["cpu"], ""):
        pass
    looking = os.open(locks / "cpu.lock", os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.05, os.close, [looking]).start()
    with hold(["cpu"], ""):
        pass


def test_nobody_holds_what_was_never_locked(locks):
    assert holder("cpu") is None
    assert holders() == {}
    assert not locks.exists()


def test_the_files_are_for_every_user(locks):
    before = os.umask(0o077)
    try:
        with hold(["cpu"], ""):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(locks.stat().st_mode) == 0o1777
    assert stat.S_IMODE((locks / "cpu.lock").stat().st_mode) == 0o666


@pytest.mark.skipif(os.getuid() != 0, reason="to become another user")
def test_users_exclude_each_other(locks, tmp_path):
    for directory in (tmp_path, *tmp_path.parents[:3]):  # below the system's own
        directory.chmod(0o755)
    with hold(["cpu"], "of root"):
        held = _script(AS_NOBODY)
    assert "cpu is in use" in held
    assert "of root" in held
    assert _script(AS_NOBODY) == "held\n"


def _script(code):
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True
    ).stdout


def test_a_file_of_another_user_is_opened_where_the_system_protects_it(locks, monkeypatch):
    with hold(["cpu"], ""):
        pass
    real = os.open

    def protected(path, flags, *rest):
        if flags & os.O_CREAT and Path(path).exists() and not flags & os.O_EXCL:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, flags, *rest)

    monkeypatch.setattr(os, "open", protected)
    with hold(["cpu"], ""):
        pass


@pytest.mark.parametrize("way", ["symlink", "directory", "fifo", "second name"])
def test_something_in_the_way_is_named_and_left_alone(locks, tmp_path, way):
    locks.mkdir()
    (precious := tmp_path / "precious").write_text("precious")
    lock = locks / "cpu.lock"
    {
        "symlink": lambda: lock.symlink_to(precious),
        "directory": lock.mkdir,
        "fifo": lambda: os.mkfifo(lock),
        "second name": lambda: lock.hardlink_to(precious),
    }[way]()
    with (
        pytest.raises(MachineError, match=r"cpu\.lock: .*Delete what is in the way"),
        hold(["cpu"], ""),
    ):
        pass
    assert holder("cpu") is None
    assert precious.read_text() == "precious"


def test_a_place_that_cannot_be_had_is_named_with_the_mend(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(device_lock.DIRECTORY, str(tmp_path / "file" / "locks"))
    with (
        pytest.raises(MachineError, match="set ALGOPERF_LITE_LOCKS to a directory"),
        hold(["cpu"], ""),
    ):
        pass


@pytest.mark.skipif(os.getuid() != 0, reason="to become another user")
def test_a_directory_that_cannot_be_written_is_named(locks, tmp_path):
    for directory in (tmp_path, *tmp_path.parents[:3]):  # below the system's own
        directory.chmod(0o755)
    locks.mkdir(mode=0o755)
    assert "Permission denied" in _script(AS_NOBODY)


def test_a_symlink_at_the_shared_place_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv(device_lock.DIRECTORY)
    place = tmp_path / "algoperf_lite-locks"
    place.symlink_to(tmp_path)
    monkeypatch.setattr(device_lock, "directory", lambda: place)
    with pytest.raises(MachineError, match="symbolic link"), hold(["cpu"], ""):
        pass


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff\xfe", b"[1]", b"[" * 4096, b"7", b'{"pid": [], "since": 1}']
)
def test_garbage_in_the_file_stops_nobody(start, locks, text):
    start("cpu")
    (locks / "cpu.lock").write_bytes(text)
    with pytest.raises(MachineError, match="another process times trials on it"), hold(["cpu"], ""):
        pass
    with hold(["gpu-0"], ""):
        (locks / "gpu-0.lock").write_bytes(text)
    with hold(["gpu-0"], ""):
        assert holder("gpu-0")["pid"] == os.getpid()


def test_what_another_user_wrote_cannot_steer_the_terminal(start, locks):
    start("cpu")
    evil = {"pid": "7\x1b[2J", "since": "now\n\r", "purpose": "\x9b31mfor fun", "more": 1}
    (locks / "cpu.lock").write_text(json.dumps(evil))
    who = holder("cpu")
    assert who == {"pid": "7[2J", "since": "now", "purpose": "31mfor fun"}
    assert describe(who).isprintable()


def test_a_file_that_was_deleted_is_not_the_lock(locks, monkeypatch):
    real = fcntl.flock
    deleted = []

    def delete_first(descriptor, operation):
        real(descriptor, operation)
        if not deleted:
            deleted.append((locks / "cpu.lock").unlink())

    monkeypatch.setattr(fcntl, "flock", delete_first)
    with hold(["cpu"], ""):
        assert deleted
        assert holder("cpu")["pid"] == os.getpid()


def test_long_words_leave_the_file_readable(locks):
    with hold(["cpu"], "\N{SNOWMAN}" * 100_000):
        assert holder("cpu")["pid"] == os.getpid()


def test_a_name_is_no_path(locks):
    with hold(["gpu-MIG-1/../../2/0"], ""):
        assert [path.name for path in locks.iterdir()] == ["gpu-MIG-1_.._.._2_0.lock"]


def test_the_place_is_the_same_whatever_the_temporary_directory(tmp_path, monkeypatch):
    monkeypatch.delenv(device_lock.DIRECTORY)
    before = device_lock.directory()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert device_lock.directory() == before


def test_a_timed_run_is_refused_and_an_untimed_one_is_not(start, tmp_path):
    other = start("cpu")
    how = {"quick": True, "max_steps": 10, "executor": "inline", "devices": 1}
    with pytest.raises(MachineError, match=f"cpu is in use: process {other.pid}"):
        algoperf_lite.run([tiny.__file__], ["nadamw"], tmp_path / "timed", **how)
    run = algoperf_lite.run([tiny.__file__], ["nadamw"], tmp_path / "r", timed=False, **how)
    assert run.trials[0]["status"] == "budget_exhausted"
    assert holder("cpu")["pid"] == other.pid
    algoperf_lite.run([tiny.__file__], ["nadamw"], tmp_path / "r", timed=False, **how)


def test_what_is_recorded_already_needs_no_device(start, tmp_path):
    how = {"quick": True, "max_steps": 10, "executor": "inline", "devices": 1}
    first = algoperf_lite.run([tiny.__file__], ["nadamw"], tmp_path, **how)
    start("cpu")
    assert algoperf_lite.run([tiny.__file__], ["nadamw"], tmp_path, **how).trials == first.trials


def test_calibrating_holds_the_device_unless_it_only_reads(start, home, capsys, monkeypatch):
    monkeypatch.setattr(executors, "make_executor", lambda _, devices: InlineExecutor(devices))
    command = ["calibrate", "-w", tiny.__file__, "--devices", "1"]
    assert invoke(command) == 0
    other = start("cpu")
    assert invoke(command) == 0
    capsys.readouterr()
    assert invoke([*command, "--again"]) == 3
    assert f"error: cpu is in use: process {other.pid}" in capsys.readouterr().err
