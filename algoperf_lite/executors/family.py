"""A worker process and all that it started, found again and killed. Imports no JAX.

A submission may fork, fork twice, or start a daemon in a session of its own. What it started is
found in three ways: as a descendant of the worker, which adopts orphans where the system lets it
(Linux, `adopt_orphans`); by a cookie in the environment, which descendants inherit; and by having
been seen before. What ends one of the three leaves the others.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

COOKIE = "ALGOPERF_LITE_WORKER"
"""Environment variable of a worker: a random text, which marks all that it starts."""
HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""What Python's own library starts by itself, ends with the worker, and computes nothing."""
ROUNDS = 100  # of killing; a process may start others until it is killed itself
_SET_CHILD_SUBREAPER = 36  # prctl(2), linux/prctl.h
_PROC = Path("/proc")


class Family:
    """A process and its descendants, orphans included.

    Args:
        pid: of the worker.
        cookie: the value of `COOKIE` in its environment.
    """

    def __init__(self, pid: int, cookie: str):
        self._worker = psutil.Process(pid)
        self._mark = f"{COOKIE}={cookie}".encode()
        self._seen: dict[int, psutil.Process] = {}

    def resident_bytes(self) -> int:
        """Memory that worker and descendants hold; pages that they share count for each."""
        total = 0
        for process in (self._worker, *self._living(descendants(self._worker.pid))):
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total

    def others(self) -> list[psutil.Process]:
        """All that the worker started and that still runs, the helpers of libraries included."""
        return self._living({*descendants(self._worker.pid), *_marked(self._mark)})

    def strays(self) -> list[str]:
        """The command lines of what the worker started and that still runs, without `HELPERS`."""
        found = []
        for process in self.others():
            with suppress(psutil.Error):
                line = " ".join(process.cmdline()) or process.name()
                if not any(helper in line for helper in HELPERS):
                    found.append(line)
        return found

    def kill(self) -> None:
        """Kill all of it, first what the worker started, as the worker still leads there."""
        with suppress(psutil.Error):
            self._worker.suspend()  # it starts nothing more
        self.kill_others()
        with suppress(psutil.Error):
            self._worker.kill()
        self.kill_others()

    def kill_others(self) -> None:
        """Kill all that the worker started."""
        for _ in range(ROUNDS):
            found = self.others()
            for process in found:
                with suppress(psutil.Error):
                    process.kill()
            if not found:
                return

    def _living(self, pids: Iterable[int]) -> list[psutil.Process]:
        """These and those seen before, as far as they run; a killed one may wait to be reaped."""
        for pid in pids:
            if pid != self._worker.pid and pid not in self._seen:
                with suppress(psutil.Error):
                    self._seen[pid] = psutil.Process(pid)
        self._seen = {pid: p for pid, p in self._seen.items() if _runs(p)}
        return list(self._seen.values())


def adopt_orphans() -> None:
    """Make the calling process the parent of descendants whose parent dies, where that exists."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid: int) -> list[int]:
    """Children of a process, their children, and so on; none if there is no such process.

    Where the kernel lists children, this takes a fiftieth of a millisecond; else all processes of
    the machine are looked at.
    """
    if not (_PROC / "self" / "task" / str(os.getpid()) / "children").exists():
        try:
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        except psutil.Error:
            return []
    found: list[int] = []
    unseen = [pid]
    while unseen:
        children = _children(unseen.pop())
        found += children
        unseen += children
    return found


def _children(pid: int) -> list[int]:
    """What each thread of a process started."""
    found = []
    with suppress(OSError):
        for thread in os.listdir(_PROC / str(pid) / "task"):
            with suppress(OSError), open(_PROC / str(pid) / "task" / thread / "children") as file:
                found += [int(child) for child in file.read().split()]
    return found


def _marked(mark: bytes) -> list[int]:
    """Processes with this entry in the environment they were started with."""
    if not (_PROC / "self" / "environ").exists():
        name, _, value = mark.decode().partition("=")
        return [p.pid for p in psutil.process_iter() if _variable(p, name) == value]
    found = []
    for name in os.listdir(_PROC):
        if name.isdecimal():
            with suppress(OSError), open(_PROC / name / "environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(name))
    return found


def _variable(process: psutil.Process, name: str) -> str | None:
    try:
        return process.environ().get(name)
    except psutil.Error:
        return None


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
