"""Trials in a worker process that is watched, and replaced when it dies.

What a submission prints is read and forgotten, but for the end of it, which explains a loss; trials
in this process (`InlineExecutor`) print as they please.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from algoperf_lite import device_lock, errors
from algoperf_lite.executors import HANG_SECONDS, Event, Executor, WorkerLostError
from algoperf_lite.executors.memory import default_limit
from algoperf_lite.executors.placement import Placement
from algoperf_lite.executors.supervised import WorkerProcess

DISTRUSTED = ("error", "invalid")
"""After a trial that ends so, a new worker takes what follows: it costs two seconds, and nothing
that the trial did to its process can reach another trial."""


class ProcessExecutor:
    """One worker process at a time, started when first needed.

    After each call, what the worker started and left running is killed and the worker replaced;
    its callers get the event ``{"left_running": [command line, ...]}``.

    Args:
        devices: how many local devices a trial uses; None for all.
        hang_after: seconds that a worker may say nothing before it is killed.
        placement: its share of this machine; all of it by default.
        memory_limit: bytes of host memory that a worker and what it started may use; by default
            `memory.default_limit`.
    """

    def __init__(
        self,
        devices: int | None = None,
        hang_after: float = HANG_SECONDS,
        placement: Placement | None = None,
        memory_limit: int | None = None,
    ):
        self.hang_after = hang_after
        self._devices = devices
        self._placement = placement or Placement()
        self._memory_limit = default_limit() if memory_limit is None else memory_limit
        self._worker: WorkerProcess | None = None

    @property
    def slots(self) -> Sequence[Executor]:
        """See `executors.Executor.slots`."""
        return (self,)

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> Any:
        """See `executors.Executor.call`.

        Raises:
            WorkerLostError: the worker died or was killed; the next call starts a new one.
            UsageError: it was lost while it imported what a selector names, to describe it.
        """
        if self._worker is not None and not self._worker.is_alive():
            self.close()
        if self._worker is None:
            self._worker = WorkerProcess(self._placement, self._memory_limit)
        worker = self._worker  # another thread may close this executor meanwhile
        importing = None

        def hear(event: Event) -> None:
            nonlocal importing
            importing = event.get("importing", importing)
            on_event(event)

        request = {"devices": self._devices, "method": method, "arguments": dict(arguments)}
        try:
            kind, content = self._ask(request, hear)
        except WorkerLostError as error:
            if left := worker.strays():
                on_event({"left_running": left})
            self.close()
            if importing is None:
                raise
            raise errors.UsageError(f"{importing} does not import: {error}") from None
        except BaseException:
            self.close()  # what it still has to say belongs to no later call
            raise
        if kind == "raised":
            raise getattr(errors, content["class"], errors.AlgoperfLiteError)(content["message"])
        return content

    def reserve(self, purpose: str) -> AbstractContextManager[None]:
        """See `executors.Executor.reserve`."""
        return device_lock.hold(self.call("device_names", {}), purpose)

    def close(self) -> None:
        """End the worker and all that it started, whatever they are doing."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()

    def _ask(
        self, request: Mapping[str, Any], on_event: Callable[[Event], None]
    ) -> tuple[str, Any]:
        """What comes of a request; the worker is closed if it is to be trusted with no other."""
        worker, retire = self._worker, False
        worker.send(request)
        while True:
            kind, content = worker.receive(self.hang_after)
            if kind == "event":
                on_event(content)
            elif kind == "retire":
                retire = True
            else:
                break
        if left := worker.strays():
            on_event({"left_running": left})
        if left or retire or _distrusted(content):
            self.close()
        return kind, content


def _distrusted(result: Any) -> bool:
    """Whether a result is of trials one of which ended as `DISTRUSTED` says."""
    records = result if isinstance(result, list) else [result]
    return any(isinstance(r, dict) and r.get("status") in DISTRUSTED for r in records)
