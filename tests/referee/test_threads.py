"""Threads, processes and hooks that are left behind, honest ones and others, without trials."""

import logging.handlers
import queue
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from tqdm import tqdm

from algoperf_lite.executors.family import described, helper
from algoperf_lite.modules import load_path
from algoperf_lite.referee import foreign, threads
from algoperf_lite.referee.hooks import Hooks
from algoperf_lite.referee.processes import Processes

TRACKER = "from multiprocessing.resource_tracker import main;main(7)"
FORKSERVER = "from multiprocessing.forkserver import main; main(3, 4, {}, **{{'sys_path': ['']}})"

within = {}
exec(compile("def harness(call): return call()", f"{foreign._HARNESS}trial.py", "exec"), within)


def harness(call):
    """Call it as a submission would that the harness calls."""

    def on_eval():
        return call()

    return within["harness"](on_eval)


@pytest.fixture
def since():
    threads.listen()
    return threads.started()


def told(since):
    return "; ".join(map(str, threads.alive(since)))


def test_the_monitor_of_a_progress_bar_is_no_offence(since, monkeypatch):
    monkeypatch.setattr(tqdm, "monitor", None)
    harness(lambda: list(tqdm(range(3), disable=False)))
    assert tqdm.monitor.is_alive()
    assert threads.started() == since + 1
    assert told(since) == ""

    class Mine(tqdm):
        def refresh(self, *arguments, **options):
            pass

    bar = Mine(total=3)
    assert "a thread 'tqdm_monitor'" in told(since)
    bar.close()
    tqdm.monitor.exit()


def test_a_listener_of_logs_is_idle_unless_its_handler_is_a_submissions(since):
    class Mine(logging.Handler):
        def emit(self, record):
            pass

    for handler, found in ((logging.StreamHandler(), 0), (Mine(), 1)):
        listener = logging.handlers.QueueListener(queue.SimpleQueue(), handler)
        harness(listener.start)
        assert len(threads.alive(since)) == found
        listener.stop()


def test_a_name_makes_no_helper(since):
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="tqdm_monitor", daemon=True)
    harness(thread.start)
    assert "a thread 'tqdm_monitor', started at" in told(since)
    end.set()
    thread.join()


def test_a_thread_that_ends_soon_is_waited_for_but_once(since, monkeypatch):
    monkeypatch.setattr(threads, "GRACE_SECONDS", 60.0)
    end = threading.Event()
    harness(threading.Thread(target=lambda: end.wait() and time.sleep(0.02), daemon=True).start)
    end.set()
    assert threads.alive(since) == []
    monkeypatch.setattr(threads, "GRACE_SECONDS", 0.05)
    end.clear()
    thread = threading.Thread(target=end.wait, daemon=True)
    harness(thread.start)
    (found,) = threads.alive(since)
    waited = found.waited
    assert waited > 0
    assert threads.alive(since) == [found]
    assert found.waited == waited
    end.set()
    thread.join()


def test_an_idle_pool_is_told_how_to_end(since):
    with ThreadPoolExecutor(1) as pool:
        harness(lambda: pool.submit(int)).result()
        assert "(end its pool before the call returns" in told(since)
    assert told(since) == ""


def test_an_alarm_that_is_not_set_is_put_back_and_not_told_of():
    before, hooks = signal.getsignal(signal.SIGALRM), Hooks()
    signal.signal(signal.SIGALRM, lambda *_: None)
    assert hooks.added() == []
    assert signal.getsignal(signal.SIGALRM) is before


def test_an_alarm_that_is_set_is_an_offence_as_is_another_signal():
    hooks = Hooks()
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 3600)
    assert sorted(hooks.added()) == ["a handler of SIGALRM", "a handler of SIGUSR1"]
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert hooks.added() == []


def test_a_folders_name_makes_no_library(tmp_path):
    code = compile("1", str(tmp_path / "site-packages" / "mine.py"), "exec")
    assert foreign.of_submission(code)
    assert not foreign.of_submission(pytest.fixture.__code__)
    assert not foreign.of_submission(queue.Queue.put.__code__)


def test_the_folder_of_a_selectors_file_is_no_library(tmp_path, monkeypatch):
    library = tmp_path / "lib"
    file, beside = library / "mine" / "mine.py", library / "mine" / "helper.py"
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.setattr(foreign, "library_folders", lambda: (f"{library}/",))
    monkeypatch.setattr(sys, "path", list(sys.path))
    code = compile("1", str(beside), "exec")
    other = compile("1", str(library / "numpy" / "a.py"), "exec")
    assert not foreign.of_submission(code)
    load_path(file)
    assert foreign.of_submission(code)
    assert not foreign.of_submission(other)
    (library / "single.py").touch()
    load_path(library / "single.py")
    assert not foreign.of_submission(other)
    assert foreign.of_submission(compile("1", str(library / "single.py"), "exec"))


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["-c", TRACKER], "resource_tracker"),
        (["-B", "-Wignore", "-X", "utf8", "-c", TRACKER], "resource_tracker"),
        (["-c", FORKSERVER.format(["__main__"])], "forkserver"),
        (["-c", FORKSERVER.format(["mine"])], None),
        (["-c", "sleep", "multiprocessing.resource_tracker"], None),
        (["-m", "mine", "-c", TRACKER], None),
        (["-c", "import mine", TRACKER], None),
        (["-c", TRACKER + "\nimport mine"], None),
        (["-c", TRACKER.replace("7", "__import__('mine')")], None),
        (["mine.py", "-c", TRACKER], None),
    ],
)
def test_helpers_are_known_by_their_whole_command(arguments, name):
    assert helper([sys.executable, *arguments]) == name


def test_a_helper_is_of_our_interpreter_and_single(monkeypatch):
    real = [sys.executable, "-c", TRACKER]
    fake = subprocess.Popen(["-", "60"], executable="/bin/sleep")
    process = psutil.Process(fake.pid)
    monkeypatch.setattr(psutil.Process, "cmdline", lambda self: real)
    assert described([process]) == [" ".join(real)]
    monkeypatch.setattr(psutil.Process, "exe", lambda self: sys.executable)
    assert described([process]) == []
    assert described([process, psutil.Process()]) == [" ".join(real)]
    fake.kill()
    fake.wait()


def test_processes_that_are_started_and_run_are_found(monkeypatch):
    def start():
        return subprocess.Popen(["sleep", "60"])

    before = start()
    processes = Processes()
    assert processes.running() == []
    ending = start()
    ending.kill()  # and not waited for
    assert processes.running() == []
    left = start()
    assert processes.running() == ["sleep 60"]
    assert processes._grace == 0
    for process in (before, ending, left):
        process.kill()
        process.wait()
    assert processes.running() == []


def test_a_process_is_found_while_the_trial_runs(trial):
    record = trial(
        "on_eval",
        "import os",
        "KEPT or KEPT.append(os.posix_spawnp('sleep', ['sleep', '3'], os.environ))",
    )
    for process in psutil.Process().children():
        process.kill()
        process.wait()
    assert record["status"] == "invalid"
    assert record["reason"].startswith("a process 'sleep 3' goes on while the clock stands still")
