"""Ways to have code called while the clock stands still, short of a thread: none may be left."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from typing import Any

from algoperf_lite.referee.foreign import callable_of_submission

TIMERS = {
    signal.SIGALRM: signal.ITIMER_REAL,
    signal.SIGVTALRM: signal.ITIMER_VIRTUAL,
    signal.SIGPROF: signal.ITIMER_PROF,
}
"""Signals that come from a timer of this process; without one their handlers wait for nothing."""


class Hooks:
    """What Python calls by itself, as it was when this was made."""

    def __init__(self):
        self._collecting = list(gc.callbacks)
        self._tracing = sys.gettrace(), sys.getprofile()
        self._signals = _handlers()

    def added(self) -> list[str]:
        """What a submission added since, in words; it is taken away again.

        The handler of a timer that does not run is taken away and not told of.
        """
        found = []
        for callback in list(gc.callbacks):
            if callback not in self._collecting and callable_of_submission(callback):
                gc.callbacks.remove(callback)
                found.append("a callback of the garbage collector")
        for which, now, before, put in zip(
            ("trace", "profile"),
            (sys.gettrace(), sys.getprofile()),
            self._tracing,
            (sys.settrace, sys.setprofile),
            strict=True,
        ):
            if now is not before and now is not None and callable_of_submission(now):
                put(before)
                found.append(f"a {which} function")
        for number, handler in _handlers().items():
            if handler != self._signals[number] and callable_of_submission(handler):
                if _may_come(number):
                    found.append(f"a handler of {signal.Signals(number).name}")
                if threading.current_thread() is threading.main_thread():
                    if number in TIMERS:
                        signal.setitimer(TIMERS[number], 0)
                    signal.signal(number, self._signals[number])
        return found


def _may_come(number: int) -> bool:
    """Whether a signal may come by itself: not that of a timer which is not armed."""
    return number not in TIMERS or signal.getitimer(TIMERS[number])[0] > 0


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in signal.valid_signals()
            if number in signal.Signals.__members__.values()}  # fmt: skip
