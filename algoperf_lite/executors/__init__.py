"""Where trials run: `ProcessExecutor` (a supervised worker, the default), `InlineExecutor`, Ray.

An executor has ``call(method, arguments, on_event) -> result`` and ``close()``. `method` is one of
`Worker`'s; arguments, events and results are JSON-ready. Errors of the classes in `errors` cross
over as themselves; a worker that dies or falls silent raises `WorkerLostError`, a machine that is
lost `NodeLostError`. What runs trials side by side has several `slots`, each an executor.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from algoperf_lite.errors import AlgoperfLiteError, UsageError

Event = dict[str, Any]


class WorkerLostError(AlgoperfLiteError):
    """The worker process died or gave no sign of life; the message says which."""


class NodeLostError(AlgoperfLiteError):
    """The machine that a slot runs on is gone; its trial is to run elsewhere."""


class Executor(Protocol):
    """What `study` needs of an executor."""

    @property
    def slots(self) -> Sequence["Executor"]:
        """Executors that may be called at the same time, from a thread each; itself if alone."""

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] = ...,
    ) -> Any:
        """Run a method of `Worker` and return its result."""

    def reserve(self, purpose: str) -> None:
        """Hold the devices for timed trials, alone on their machines, until `close`.

        Args:
            purpose: what for; others who are refused are told.

        Raises:
            MachineError: another run holds them; the message says which.
        """

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
