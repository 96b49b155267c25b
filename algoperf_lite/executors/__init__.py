"""Where trials run: `ProcessExecutor` (a supervised worker, the default) or `InlineExecutor`.

An executor has ``call(method, arguments, on_event) -> result`` and ``close()``. `method` is one of
`Worker`'s; arguments, events and results are JSON-ready. Errors of the classes in `errors` cross
over as themselves; a worker that dies or falls silent raises `WorkerLostError`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from algoperf_lite.errors import AlgoperfLiteError, UsageError

Event = dict[str, Any]


class WorkerLostError(AlgoperfLiteError):
    """The worker process died or gave no sign of life; the message says which."""


class Executor(Protocol):
    """What `study` needs of an executor."""

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] = ...,
    ) -> Any:
        """Run a method of `Worker` and return its result."""

    def close(self) -> None:
        """Let go of processes and devices."""


def make_executor(name: str, devices: int | None = None) -> Executor:
    """An executor by name.

    Args:
        name: ``"process"`` or ``"inline"``.
        devices: how many local devices a trial uses; None for all.
    """
    if name == "process":
        from algoperf_lite.executors.process import ProcessExecutor  # noqa: PLC0415

        return ProcessExecutor(devices)
    if name == "inline":
        from algoperf_lite.executors.inline import InlineExecutor  # noqa: PLC0415

        return InlineExecutor(devices)
    raise UsageError(f"unknown executor {name!r}; there are: process, inline")
