"""State of a worker process that a submission may change, put back for the trial after it.

Not all of a process can be put back: threads, patched modules, memory. So a worker whose trial
ended in ``error`` or ``invalid`` is replaced in any case, see `ProcessExecutor`.
"""

from __future__ import annotations

import faulthandler
import fcntl
import gc
import os
import random
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from algoperf_lite.executors.supervised import TELL_PLACE

LIMITS = {name: getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
FIRST_DESCRIPTOR = 110
SEED = 0


class State(NamedTuple):
    """Something of this process: how to read it, and how to set it to what was read."""

    name: str
    read: Callable[[], Any]
    put: Callable[[Any], None]


class Surroundings:
    """What this process was like before any trial; every trial gets a new working directory.

    Args:
        scratch: an empty directory, in which working directories are made.
    """

    def __init__(self, scratch: Path):
        self._scratch = scratch
        self._count = 0
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._descriptors = [
            fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) for number in (0, 1, 2)
        ]
        self._before = [(state, state.read()) for state in STATES]
        self._path = list(sys.path)

    def restore(self) -> list[str]:
        """Put back what can be; give the next trial a directory of its own.

        Returns:
            Names of what cannot be put back.
        """
        self._restore_streams()
        self._enter_directory()
        _restore_signals()
        added = [entry for entry in sys.path if entry not in self._path]
        sys.path[:] = self._path + added  # modules find their neighbours; nobody comes before ours
        random.seed(SEED)
        np.random.seed(SEED)
        stuck = []
        for state, before in self._before:
            if state.read() != before:
                with suppress(OSError, ValueError):
                    state.put(before)
                if state.read() != before:
                    stuck.append(state.name)
        return stuck

    def _restore_streams(self) -> None:
        for number, copy in enumerate(self._descriptors):
            os.dup2(copy, number)
        sys.stdin, sys.stdout, sys.stderr = self._streams
        for name, mode in (("stdout", "w"), ("stderr", "w"), ("stdin", "r")):
            if getattr(sys, name).closed:
                number = ("stdin", "stdout", "stderr").index(name)
                setattr(sys, name, os.fdopen(number, mode, closefd=False))
        self._streams = sys.stdin, sys.stdout, sys.stderr
        # what a crash and a hang tell of themselves
        faulthandler.enable(self._descriptors[2], all_threads=False)
        faulthandler.register(TELL_PLACE, self._descriptors[2], all_threads=False)

    def _enter_directory(self) -> None:
        old, self._count = self._scratch / str(self._count), self._count + 1
        shutil.rmtree(old, ignore_errors=True)
        new = self._scratch / str(self._count)
        new.mkdir(parents=True, exist_ok=True)
        os.chdir(new)


def _restore_signals() -> None:
    """No alarm of one trial rings in the next."""
    for timer in TIMERS:
        signal.setitimer(timer, 0)


def _environment() -> dict[str, str]:
    return dict(os.environ)


def _put_environment(before: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(before)


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def _put_handlers(before: dict[int, Any]) -> None:
    for number, handler in before.items():
        if handler is not None and signal.getsignal(number) != handler:
            signal.signal(number, handler)


def _limits() -> dict[str, tuple[int, int]]:
    return {name: resource.getrlimit(number) for name, number in LIMITS.items()}


def _put_limits(before: dict[str, tuple[int, int]]) -> None:
    for name, limit in before.items():
        if resource.getrlimit(LIMITS[name]) != limit:
            resource.setrlimit(LIMITS[name], limit)


def _configuration() -> dict[str, Any]:
    return dict(jax.config.values)


def _put_configuration(before: dict[str, Any]) -> None:
    for name, value in before.items():
        if jax.config.values.get(name) != value:
            jax.config.update(name, value)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _traces() -> tuple[Any, Any]:
    return sys.gettrace(), sys.getprofile()


def _put_traces(before: tuple[Any, Any]) -> None:
    sys.settrace(before[0])
    sys.setprofile(before[1])
    threading.settrace(before[0])
    threading.setprofile(before[1])


STATES = (
    State("os.environ", _environment, _put_environment),
    State("signal handlers", _handlers, _put_handlers),
    State(
        "the signal mask",
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        lambda mask: signal.pthread_sigmask(signal.SIG_SETMASK, mask),
    ),
    State("resource limits", _limits, _put_limits),
    State(
        "the priority",
        lambda: os.getpriority(os.PRIO_PROCESS, 0),
        lambda before: os.setpriority(os.PRIO_PROCESS, 0, before),
    ),
    State("umask", _umask, os.umask),
    State("jax.config", _configuration, _put_configuration),
    State("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    State("the switch interval", sys.getswitchinterval, sys.setswitchinterval),
    State("trace functions", _traces, _put_traces),
    State("garbage collection", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    State("its thresholds", gc.get_threshold, lambda before: gc.set_threshold(*before)),
    State("NumPy's error state", np.geterr, lambda before: np.seterr(**before)),
)
if hasattr(os, "sched_getaffinity"):
    STATES += (
        State("cores", lambda: os.sched_getaffinity(0), lambda c: os.sched_setaffinity(0, c)),
    )
