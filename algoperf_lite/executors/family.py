"""A worker process and all that it started, found again and killed. Imports no JAX.

A submission may fork, fork twice, or start a daemon in a session of its own. What it started is
found in three ways: as a descendant of the worker, which adopts orphans where the system lets it
(Linux, `adopt_orphans`); by a cookie in the environment, which descendants inherit; and by having
been seen before. What ends one of the three leaves the others.
"""

from __future__ import annotations

import ast
import ctypes
import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

COOKIE = "ALGOPERF_LITE_WORKER"
"""Environment variable of a worker: a random text, which marks all that it starts."""
HELPERS = re.compile(
    r"from multiprocessing\.(resource_tracker|semaphore_tracker|forkserver) import main; *main\("
)
"""How the code begins of what Python's own library starts by itself, ends with the worker, and
computes nothing: ``python -c CODE``."""
_OPTIONS = re.compile(r"((-[bBdEIOPqsSv]+|-W\S+|-X \S+) )*-c ")
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
        return described(self.others())

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
        self._seen = {pid: p for pid, p in self._seen.items() if runs(p)}
        return list(self._seen.values())


def described(processes: Iterable[psutil.Process]) -> list[str]:
    """The command lines of processes, without `HELPERS`.

    Of each helper there is one. Others with its command line are forked from it, as the workers of
    a fork server are, and may run anything.
    """
    found, known = [], set()
    for process in sorted(processes, key=lambda process: (process.create_time(), process.pid)):
        with suppress(psutil.Error):
            arguments = process.cmdline()
            name = helper(arguments)
            if name is None or name in known or process.exe() != psutil.Process().exe():
                found.append(" ".join(arguments) or process.name())
            known.add(name)
    return found


def helper(arguments: list[str]) -> str | None:
    """The helper of Python's own library that is started just so; None if it is another command.

    Args:
        arguments: the command line.

    Example:
        >>> code = "from multiprocessing.resource_tracker import main;main(7)"
        >>> helper(["python", "-Werror", "-c", code])
        'resource_tracker'
        >>> helper(["python", "-c", "import mine", "multiprocessing.resource_tracker"])
        >>> helper(["python", "mine.py", "-c", code])
        >>> helper(["python", "-c", code + "; import mine"])
    """
    code = arguments[-1] if arguments else ""
    found = HELPERS.match(code)
    options = " ".join([*arguments[1:-1], ""])
    if not found or not _OPTIONS.fullmatch(options):
        return None
    try:
        _, called = ast.parse(code).body
        given = [*called.value.args, *(k.value for k in called.value.keywords)]
        values = list(map(ast.literal_eval, given))
    except (AttributeError, SyntaxError, ValueError):
        return None  # it does something besides
    preloaded = values[2] if found[1] == "forkserver" and len(values) > 2 else []
    return found[1] if preloaded in ([], ["__main__"]) else None


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


def runs(process: psutil.Process) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
