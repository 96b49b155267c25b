"""The parts of supervision, without a worker."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from algoperf_lite.errors import MachineError
from algoperf_lite.executors import WorkerLostError, supervised
from algoperf_lite.executors import process as process_module
from algoperf_lite.executors.family import COOKIE, Family, descendants
from algoperf_lite.executors.last_words import Tail, last_line, place
from algoperf_lite.executors.lines import Lines, Listener
from algoperf_lite.executors.memory import SHARE, allowed_bytes, default_limit
from algoperf_lite.executors.process import ProcessExecutor
from algoperf_lite.executors.supervised import absolute_paths
from algoperf_lite.running import NAMED, run_trial
from algoperf_lite.spec import TrialSpec

ALL = psutil.virtual_memory().total
GIB = 2**30


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/a/b", {"a/memory.max": GIB, "a/b/memory.max": "max"}, GIB),
        ("0::/a/b", {"a/memory.max": 2 * GIB, "a/b/memory.max": GIB}, GIB),
        ("0::/seen/from/outside", {"memory.max": GIB}, GIB),  # in a container
        ("4:memory:/a\n0::/", {"memory/a/memory.limit_in_bytes": GIB}, GIB),
        ("4:cpu,memory:/a", {"memory/memory.limit_in_bytes": GIB}, GIB),
        ("4:memory:/a", {"memory/a/memory.limit_in_bytes": 2**63 - 4096}, ALL),
        ("7:cpu:/a\n0::/", {"a/memory.max": GIB}, ALL),
        (None, {}, ALL),
    ],
)
def test_a_container_allows_what_its_least_group_does(tmp_path, groups, files, expected):
    if groups is not None:
        (tmp_path / "proc" / "self").mkdir(parents=True)
        (tmp_path / "proc" / "self" / "cgroup").write_text(f"{groups}\n")
    for name, content in files.items():
        file = tmp_path / "sys" / "fs" / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n")
    assert allowed_bytes(tmp_path) == expected


def test_workers_side_by_side_share_the_memory():
    assert default_limit(2) == pytest.approx(SHARE * allowed_bytes() / 2, abs=1)


def test_a_line_without_an_end_is_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr("algoperf_lite.executors.lines.MOST_BYTES", 10)
    lines = Lines()
    lines.add(b"x" * 10)
    assert lines.pop() is None
    lines.add(b"x")
    with pytest.raises(OverflowError):
        lines.pop()


def test_listening_to_several_pipes_ends_with_each():
    (first_in, first_out), (second_in, second_out) = os.pipe(), os.pipe()
    heard = []
    listener = Listener({first_in: heard.append, second_in: heard.append})
    os.write(second_out, b"two")
    assert listener.listen(1.0)
    os.close(first_out)
    assert listener.listen(1.0)
    assert (heard, listener.open(first_in), listener.open(second_in)) == ([b"two"], False, True)
    assert not listener.listen(0.0)
    for descriptor in (first_in, second_in, second_out):
        os.close(descriptor)


def test_last_words_are_the_users():
    tail = Tail()
    tail.add(b"x" * 30_000 + b"\n  the end  \n\n")
    assert (len(tail.text), last_line(tail.text)) == (20_000, "the end")
    library = os.path.dirname(json.__file__)
    frames = [f"{library}/decoder.py", f"{os.path.dirname(process_module.__file__)}/x.py", "/u.py"]
    lines = [f'  File "{file}", line {n} in f' for n, file in enumerate(frames)]
    stack = "\n".join(["Current thread 0x7 (most recent call first):", *lines, "", "Extension"])
    assert place(stack) == "/u.py:2 (f)"
    assert place(stack + "\nStack (most recent call first):\n" + lines[0]).endswith("py:0 (f)")
    assert place("Stack (most recent call first):\n") == place("nothing") == ""


def test_relative_settings_mean_the_same_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = absolute_paths({"ALGOPERF_LITE_HOME": "h", "PYTHONPATH": "/a:b:", "OTHER": "c"})
    assert made == {
        "ALGOPERF_LITE_HOME": f"{tmp_path}/h", "PYTHONPATH": f"/a:{tmp_path}/b:{tmp_path}",
        "OTHER": "c",
    }  # fmt: skip


def test_a_family_is_found_by_descent_by_cookie_and_by_memory():
    plain = {name: value for name, value in os.environ.items() if name != COOKIE}
    marked = subprocess.Popen(["sleep", "60"], env=plain | {COOKIE: "mine"})
    worker = subprocess.Popen(
        [sys.executable, "-c", "import subprocess as s; s.Popen(['sleep', '60']).wait()"], env=plain
    )
    family = Family(worker.pid, "mine")
    end = time.monotonic() + 60
    while family.strays() != ["sleep 60"] * 2:
        assert time.monotonic() < end
    (child,) = descendants(worker.pid)
    assert {process.pid for process in family.others()} == {marked.pid, child}
    assert family.resident_bytes() > psutil.Process(worker.pid).memory_info().rss > 0
    worker.kill()
    worker.wait()
    assert descendants(worker.pid) == []
    assert {process.pid for process in family.others()} == {marked.pid, child}
    family.kill()
    assert marked.wait() == -9
    assert family.others() == []


def test_a_worker_that_cannot_be_started_is_the_machines_problem(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def refuse(*arguments, **settings):
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(MachineError, match="cannot start a worker process: Resource temporarily"):
        ProcessExecutor().call("device_names", {})
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(MachineError, match=r"directory for a worker in .*none: .*TMPDIR"):
        ProcessExecutor().call("device_names", {})


class Answering:
    """Stands in for a worker process, with answers that are given."""

    def __init__(self, *answers, left=()):
        self._answers, self._left, self.killed = list(answers), list(left), False

    def is_alive(self):
        return True

    def send(self, request):
        pass

    def receive(self, patience):
        return self._answers.pop(0)

    def strays(self):
        return self._left

    def kill(self):
        self.killed = True


@pytest.mark.parametrize(
    ("answers", "left", "killed"),
    [
        ([("result", {"status": "target_reached"})], [], False),
        ([("result", {"status": "diverged"})], [], False),
        ([("result", {"status": "error"})], [], True),
        ([("result", [{"status": "diverged"}, {"status": "invalid"}])], [], True),
        ([("retire", ["umask"]), ("result", {"status": "target_reached"})], [], True),
        ([("result", ["cpu"])], ["sleep 60"], True),
    ],
)
def test_a_worker_is_replaced_where_the_next_trial_could_suffer(answers, left, killed):
    executor, worker = ProcessExecutor(), Answering(*answers, left=left)
    executor._worker, heard = worker, []
    assert executor.call("trial", {}, heard.append) == answers[-1][1]
    assert worker.killed == killed
    assert heard == ([{"left_running": left}] if left else [])


def test_what_a_lost_worker_left_running_is_told(monkeypatch):
    class Lost(Answering):
        def receive(self, patience):
            raise WorkerLostError("lost")

    executor, heard = ProcessExecutor(), []
    executor._worker = Lost(left=["sleep 60"])
    with pytest.raises(WorkerLostError):
        executor.call("trial", {}, heard.append)
    assert heard == [{"left_running": ["sleep 60"]}]


def test_what_a_dead_worker_started_is_named_before_it_is_killed():
    executor = ProcessExecutor(devices=1)
    try:
        executor.call("device_names", {})
        worker = executor._worker
        marked = worker._process.pid
        left = subprocess.Popen(["sleep", "60"], env=psutil.Process(marked).environ())
        os.kill(marked, signal.SIGKILL)
        with pytest.raises(WorkerLostError, match="SIGKILL"):
            worker.receive(60.0)
        assert left.wait() == -signal.SIGKILL
        assert worker.strays() == ["sleep 60"]
    finally:
        executor.close()


def test_memory_is_watched_less_often_where_that_means_to_look_at_all_processes(
    tmp_path, monkeypatch
):
    assert supervised.look_seconds() == supervised.POLL_SECONDS
    monkeypatch.setattr(supervised, "CHILDREN", tmp_path / "none")
    assert supervised.look_seconds() == 2.0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("diverged", "nan"), ("invalid", "left 4 processes running after it ended: a; a; a and")),
        (("invalid", "cheats"), ("invalid", "cheats; it also left 4 processes running after")),
    ],
)
def test_what_a_trial_leaves_running_is_in_its_record(tmp_path, before, after):
    record = dict(zip(("status", "reason"), before, strict=True)) | {"steps": 10}
    executor = ProcessExecutor()
    executor._worker = Answering(("result", record), left="a" * (NAMED + 1))
    spec = TrialSpec(str(tmp_path), "s", "s", "f", "w", "w", "f", "external", 0, 1, {}, 0)
    heard = []
    found = run_trial(spec, {}, executor, heard.append)
    assert (found["status"], found["steps"]) == (after[0], 10)
    assert found["reason"].startswith(after[1])
    assert json.loads((spec.directory / "trial.json").read_text()) == found
    assert [event["event"] for event in heard] == ["start", "done"]
