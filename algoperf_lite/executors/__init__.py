"""Where trials run: `ProcessExecutor` (a supervised worker, the default), `InlineExecutor`, Ray.

An executor has ``call(method, arguments, on_event) -> result`` and ``close()``. `method` is one of
`Worker`'s; arguments, events and results are JSON-ready. Errors of the classes in `errors` cross
over as themselves; a worker that dies or falls silent raises `WorkerLostError`, a machine that is
lost `NodeLostError`. What runs trials side by side has several `slots`, each an executor.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from algoperf_lite.errors import AlgoperfLiteError, UsageError

Event = dict[str, Any]
HANG_SECONDS = 600.0  # a worker that says nothing for this long is taken to hang


class WorkerLostError(AlgoperfLiteError):
    """The worker process died or gave no sign of life; the message says which."""

    exit_code = 3


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

    def reserve(self, purpose: str) -> AbstractContextManager[None]:
        """Hold the devices for timed trials, alone on their machines, within a context.

        Args:
            purpose: what for; others who are refused are told.

        Raises:
            MachineError: on entering it, that another run holds them; the message says which.
        """

    def close(self) -> None:
        """Let go of processes and devices."""


def make_executor(
    name: str,
    devices: int | None = None,
    *,
    jobs: int = 1,
    memory_limit: int | None = None,
    hang_after: float = HANG_SECONDS,
    ray_address: str | None = None,
) -> Executor:
    """An executor by name.

    Args:
        name: ``"process"``, ``"inline"`` or ``"ray"``.
        devices: how many local devices a trial uses; None for all.
        jobs: worker processes side by side on this machine; more than one cannot time.
        memory_limit: bytes of host memory that a worker and what it started may use; None for a
            share of what the machine has.
        hang_after: seconds of silence after which a worker is killed.
        ray_address: of a Ray cluster that this machine is part of; None to start one here.

    Raises:
        UsageError: no such executor, or a setting that it does not have.
    """
    if ray_address is not None and name != "ray":
        raise UsageError(f"--ray-address is for --executor ray, not {name}")
    if name == "process":
        slots = _processes(devices, jobs, hang_after, memory_limit)
        if jobs == 1:
            return slots[0]
        from algoperf_lite.executors.pool import Pool  # noqa: PLC0415

        return Pool(slots)
    if jobs > 1:
        raise UsageError(f"--jobs {jobs} is for --executor process, not {name}")
    if name == "inline":
        from algoperf_lite.executors.inline import InlineExecutor  # noqa: PLC0415

        return InlineExecutor(devices)
    if name == "ray":
        from algoperf_lite.executors.ray import RayExecutor  # noqa: PLC0415

        return RayExecutor(ray_address, devices, hang_after, memory_limit)
    raise UsageError(f"unknown executor {name!r}; there are: process, inline, ray")


def _processes(
    devices: int | None, jobs: int, hang_after: float, memory_limit: int | None
) -> list[Executor]:
    """Supervised workers, one for each of several shares of this machine."""
    from algoperf_lite.executors.memory import default_limit  # noqa: PLC0415
    from algoperf_lite.executors.placement import placements  # noqa: PLC0415
    from algoperf_lite.executors.process import ProcessExecutor  # noqa: PLC0415

    limit = default_limit(jobs) if memory_limit is None else memory_limit
    return [
        ProcessExecutor(devices, hang_after, share, limit) for share in placements(jobs, devices)
    ]
