"""Threads with which libraries help themselves, and which compute nothing of a submission.

A helper is known by the code that it runs, which lies in a file of the library itself, not by a
name that anybody may give. It is idle where nothing that it could call is a submission's: no bar of
a class of its own, no handler of logs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

from algoperf_lite.referee.foreign import frame_of_submission, library_folders, of_submission


def _bars(variables: dict[str, Any]) -> Iterable[type]:
    bars = variables["self"].tqdm_cls
    return [bars, *map(type, getattr(bars, "_instances", ()))]


def _handlers(variables: dict[str, Any]) -> Iterable[type]:
    listener = variables["self"]
    return [type(listener), *map(type, listener.handlers)]


HELPERS: dict[tuple[str, str], Callable[[dict[str, Any]], Iterable[type]]] = {
    ("tqdm/_monitor.py", "run"): _bars,
    ("logging/handlers.py", "_monitor"): _handlers,
    ("multiprocessing/queues.py", "_feed"): lambda variables: map(type, variables["buffer"]),
    ("multiprocessing/resource_sharer.py", "_serve"): lambda variables: (),
}
"""File and function that a helper runs; and from its variables, the classes that it may call."""


def idle(thread: threading.Thread) -> bool:
    """Whether a thread is a library's helper that waits.

    Example:
        >>> idle(threading.current_thread())
        False
    """
    frames = _frames(thread)
    while frames and frames[-1].f_code.co_filename == threading.__file__:
        frames.pop()
    if not frames or any(map(frame_of_submission, frames)):
        return False
    for (file, function), classes in HELPERS.items():
        code = frames[-1].f_code
        paths = [f"{folder}{file}" for folder in library_folders()]
        if code.co_name == function and code.co_filename in paths:
            return not any(map(_class_of_submission, classes(frames[-1].f_locals)))
    return False


def _frames(thread: threading.Thread) -> list[FrameType]:
    """What a thread runs, innermost first."""
    found, frame = [], sys._current_frames().get(thread.ident)
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found


def _class_of_submission(kind: type) -> bool:
    """Whether a class has a method that a submission wrote."""
    methods = [m for one in kind.__mro__ for m in vars(one).values() if hasattr(m, "__code__")]
    return any(of_submission(m.__code__, m.__globals__.get("__file__")) for m in methods)
