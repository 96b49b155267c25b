"""Threads that a submission started, told from those of the harness and its libraries.

A thread is known by how it came about: every start of one is heard of, in the thread that starts
it and before it runs. (Python tells its audit hooks of it from 3.12 on only, so the functions that
start threads are wrapped; the seal sees whether they stay so.) The start is a submission's if on
the way from it to the harness there is a frame of the submission: Grain's threads, which read
streamed data, and Orbax's have frames of those libraries alone.

One that lives is given a moment to end, as a progress bar's does when its bar has ended. Helpers of
libraries that only wait (`idle`) are nobody's work.
"""

from __future__ import annotations

import _thread
import functools
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import Any

from algoperf_lite.referee.foreign import frame_of_submission, of_harness
from algoperf_lite.referee.helpers import idle

GRACE_SECONDS = 0.25
"""How long, over a whole trial, threads are waited for. What they do then is not on the clock, so
it is no more than a thread needs to end that has been told to."""

_STARTING = ("start_new_thread", "start_new", "start_joinable_thread")
_started: list[Start] = []


@dataclass(eq=False)
class Start:
    """A thread that a submission started.

    Attributes:
        thread: None where it was started without a `threading.Thread`, and cannot be watched.
        where: file and line that started it.
        waited: seconds for which its end was waited for.
    """

    thread: threading.Thread | None
    where: str
    waited: float = 0.0

    def alive(self, grace: float = 0.0) -> bool:
        """Whether it may be at work, also after so many seconds."""
        if self.thread is None:
            return True
        if not self.thread.is_alive() or idle(self.thread):
            return False
        if grace > 0 and self.thread is not threading.current_thread():
            began = monotonic()
            self.thread.join(grace)
            self.waited += monotonic() - began
        return self.thread.is_alive()

    def __str__(self) -> str:
        name = repr(self.thread.name) if self.thread else "without a name"
        mend = "end it before the call that starts it returns"
        if self.thread and self.thread.name.startswith("ThreadPoolExecutor"):
            mend = "end its pool before the call returns (with ThreadPoolExecutor() as pool: ...)"
        return f"a thread {name}, started at {self.where} ({mend})"


def listen() -> None:
    """Hear of every thread that is started from now on, until the process ends."""
    for name in _STARTING:
        for module, attribute in ((_thread, name), (threading, f"_{name}")):
            start = getattr(module, attribute, None)
            if start is not None and not hasattr(start, "__wrapped__"):
                setattr(module, attribute, _heard(start))


def started() -> int:
    """How many threads submissions started so far."""
    return len(_started)


def alive(since: int = 0) -> list[Start]:
    """Threads that submissions started and that may be at work.

    Those that live are waited for, together and over all calls with the same `since` at most
    `GRACE_SECONDS`.

    Args:
        since: what `started` said when to begin.
    """
    found, watched = [], _started[since:]
    for start in watched:
        if start.alive(GRACE_SECONDS - sum(one.waited for one in watched)):
            found.append(start)
    return found


def _heard(start: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(start)
    def begin(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        where = _blamed(sys._getframe(1))
        if where is not None:
            thread = getattr(function, "__self__", None)
            _started.append(Start(thread if isinstance(thread, threading.Thread) else None, where))
        return start(function, *arguments, **options)

    return begin


def _blamed(frame: FrameType | None) -> str | None:
    """The line of a submission that starts a thread; None if none does."""
    where = None
    while frame is not None and not of_harness(frame.f_code):
        if where is None and frame_of_submission(frame):
            where = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    if frame is not None:
        return where
    # Nobody called by the harness: a thread of a submission, or one of XLA that runs a callback.
    me = threading.get_ident()
    for start in _started:
        if start.thread is not None and start.thread.ident == me:
            return where or start.where
    return None if me in threading._active else where
