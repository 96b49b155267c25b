"""Several worker processes side by side on this machine, for trials that are not timed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from algoperf_lite.errors import UsageError
from algoperf_lite.executors import Event, Executor


class Pool:
    """Executors as slots; what is asked of the pool itself, the first of them answers.

    Args:
        slots: one or more, each on a share of the machine of its own, see `placements`.
    """

    def __init__(self, slots: Sequence[Executor]):
        self._slots = tuple(slots)

    @property
    def slots(self) -> Sequence[Executor]:
        """See `executors.Executor.slots`."""
        return self._slots

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> Any:
        """See `executors.Executor.call`."""
        return self._slots[0].call(method, arguments, on_event)

    def reserve(self, purpose: str) -> AbstractContextManager[None]:
        """Never: see `executors.Executor.reserve`.

        Raises:
            UsageError: trials side by side spoil each other's times.
        """
        raise UsageError(
            f"{purpose}: trials side by side (--jobs {len(self._slots)}) cannot be timed; give"
            " --untimed, or --jobs 1"
        )

    def close(self) -> None:
        """Let go of all slots."""
        for slot in self._slots:
            slot.close()
