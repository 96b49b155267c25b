"""Trials in the calling process: for tests, debugging and notebooks. Imports JAX."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from algoperf_lite import device_lock
from algoperf_lite.executors import Event, Executor
from algoperf_lite.executors.worker import Worker


class InlineExecutor:
    """Calls a `Worker` directly. A submission that kills the process kills this one.

    Args:
        devices: how many local devices a trial uses; None for all.
    """

    def __init__(self, devices: int | None = None):
        self._worker = Worker(devices)

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
        """See `executors.Executor.call`."""
        return getattr(self._worker, method)(on_event, **arguments)

    def reserve(self, purpose: str) -> AbstractContextManager[None]:
        """See `executors.Executor.reserve`."""
        return device_lock.hold(self.call("device_names", {}), purpose)

    def close(self) -> None:
        """Nothing to let go of."""
