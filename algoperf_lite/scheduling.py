"""Work shared out to slots that run side by side. Imports no JAX."""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from algoperf_lite.errors import MachineError
from algoperf_lite.executors import Event, Executor, NodeLostError, WorkerLostError

MOST_RETURNS = 3
"""How often a piece of work whose machine was lost is taken up again on another."""
JOIN_SECONDS = 0.2

Notify = Callable[[Event], None]
Work = Callable[[Any, Executor, Notify], Any]


class Sharing:
    """Hands pieces of work to slots as they get free, in order, each in a thread.

    When a piece of work fails or the caller is interrupted, all end: the calls that are under way
    raise KeyboardInterrupt in their threads, and `run` returns when all threads have.

    Args:
        slots: executors that may be called at the same time.
        work: does a piece of work on a slot, telling of it; called in a thread. For a piece whose
            machine was lost too often it is called with a slot whose calls raise WorkerLostError.
        notify: is told all that, in the caller's thread.

    Example:
        >>> class Echo:
        ...     def call(self, method, arguments, on_event): on_event({"said": method})
        ...     def close(self): pass
        >>> def work(piece, slot, notify): slot.call(piece, {}, notify)
        >>> Sharing([Echo()], work, print).run(["one", "two"])
        {'said': 'one'}
        {'said': 'two'}
    """

    def __init__(self, slots: Sequence[Executor], work: Work, notify: Notify):
        self._slots = list(slots)
        self._work = work
        self._notify = notify
        self._news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._running: dict[int, threading.Thread] = {}  # by number of the slot

    def run(self, pieces: Iterable[Any]) -> None:
        """Work through the pieces.

        Raises:
            MachineError: every slot's machine was lost.
            Exception: what `work` raised, other than NodeLostError.
        """
        waiting = deque(enumerate(pieces))
        idle = deque(range(len(self._slots)))
        returns: Counter[int] = Counter()
        lost: list[str] = []
        try:
            while waiting or self._running:
                while waiting and idle:
                    self._start(idle.popleft(), *waiting.popleft())
                if not self._running:
                    raise _nowhere_left(lost)
                kind, content = self._news.get()
                if kind == "event":
                    self._notify(content)
                    continue
                slot, number, piece, error = content
                self._running.pop(slot).join()
                if error is None:
                    idle.append(slot)
                elif not isinstance(error, NodeLostError):
                    raise error
                else:
                    self._slots[slot].close()
                    lost.append(str(error))
                    returns[number] += 1
                    if returns[number] > MOST_RETURNS:
                        self._give_up(piece, returns[number], error)
                    else:
                        waiting.appendleft((number, piece))
        finally:
            self._end()

    def _start(self, slot: int, number: int, piece: Any) -> None:
        thread = threading.Thread(target=self._do, args=(slot, number, piece), daemon=True)
        self._running[slot] = thread
        thread.start()

    def _do(self, slot: int, number: int, piece: Any) -> None:
        """Do a piece of work and report how it ended; the body of a thread."""
        error = None
        try:
            guarded = _Guarded(self._slots[slot], self._ending)
            self._work(piece, guarded, lambda event: self._news.put(("event", event)))
        except BaseException as raised:
            error = raised
        self._news.put(("ended", (slot, number, piece, error)))

    def _give_up(self, piece: Any, losses: int, error: NodeLostError) -> None:
        reason = f"it was started {losses} times, and each time its machine was lost: {error}"
        self._work(piece, _Lost(reason), self._notify)

    def _end(self) -> None:
        """End what still runs. A slot is closed again and again, as it may just be starting."""
        self._ending.set()
        for slot, thread in self._running.items():
            while thread.is_alive():
                self._slots[slot].close()
                thread.join(JOIN_SECONDS)


class _Guarded:
    """A slot whose calls raise KeyboardInterrupt, whatever they come to, once all is ending."""

    def __init__(self, slot: Executor, ending: threading.Event):
        self._slot = slot
        self._ending = ending

    def call(self, method: str, arguments: Mapping[str, Any], on_event: Notify) -> Any:
        if self._ending.is_set():
            raise KeyboardInterrupt
        try:
            return self._slot.call(method, arguments, on_event)
        except Exception:
            if self._ending.is_set():
                raise KeyboardInterrupt from None
            raise


class _Lost:
    """A slot that is no more."""

    def __init__(self, reason: str):
        self._reason = reason

    def call(self, method: str, arguments: Mapping[str, Any], on_event: Notify) -> Any:
        raise WorkerLostError(self._reason)


def _nowhere_left(lost: Sequence[str]) -> MachineError:
    last = f", at last: {lost[-1]}" if lost else ""
    return MachineError(
        f"every machine that trials ran on was lost{last}. What is recorded is kept: when machines"
        " are back, the same command runs what is missing."
    )
