"""Which share of this machine each of several workers side by side gets. Imports no JAX."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

MEMORY_FRACTION = "XLA_PYTHON_CLIENT_MEM_FRACTION"
USUAL_FRACTION = 0.75  # what JAX takes of a GPU's memory unless told otherwise


@dataclass(frozen=True)
class Placement:
    """Where a worker process runs.

    Attributes:
        cores: that it and all that it starts may use; None for all of this process.
        variables: of its environment, beside those of this process.
    """

    cores: frozenset[int] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def cores_of_children(self) -> Iterator[None]:
        """Within it, processes that this thread starts are on the worker's cores from the start.

        Where it is set only once they run, libraries have sized their pools of threads already.
        """
        if self.cores is None:
            yield
            return
        before = os.sched_getaffinity(0)  # of this thread: others are left alone
        os.sched_setaffinity(0, self.cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


def placements(jobs: int, devices: int | None = None) -> list[Placement]:
    """Equal shares of this machine for workers side by side.

    Every worker has the same number of cores, as bits on CPU depend on it: cores left over stay
    idle, and where there are more workers than cores each has one, shared in turn. Where the system
    cannot keep a process to some cores, as macOS, each has all.
    A worker has GPUs of its own if there are enough, else a share of their memory.

    Args:
        jobs: workers.
        devices: local devices that each uses; None for all.
    """
    if jobs == 1:
        return [Placement()]
    cores: list[frozenset[int] | None] = [None] * jobs
    if hasattr(os, "sched_setaffinity"):
        cores = shares_of_cores(os.sched_getaffinity(0), jobs)
    return list(map(Placement, cores, shares_of_gpus(visible_gpus(), jobs, devices)))


def shares_of_cores(cores: Collection[int], jobs: int) -> list[frozenset[int]]:
    """Cores of each worker.

    Example:
        >>> [sorted(share) for share in shares_of_cores({0, 1, 2, 3, 4}, 2)]
        [[0, 1], [2, 3]]
        >>> [sorted(share) for share in shares_of_cores({0, 1}, 3)]
        [[0], [1], [0]]
    """
    cores = sorted(cores)
    each = max(1, len(cores) // jobs)
    return [
        frozenset(cores[(job * each + k) % len(cores)] for k in range(each)) for job in range(jobs)
    ]


def shares_of_gpus(
    gpus: Collection[str], jobs: int, devices: int | None = None
) -> list[dict[str, str]]:
    """Environment variables that give each worker its GPUs and its share of their memory.

    Args:
        gpus: names, as in CUDA_VISIBLE_DEVICES.
        jobs: workers.
        devices: GPUs that each uses; None for all.

    Example:
        >>> shares_of_gpus(["0", "1"], 2, 1)
        [{'CUDA_VISIBLE_DEVICES': '0'}, {'CUDA_VISIBLE_DEVICES': '1'}]
        >>> shares_of_gpus(["0"], 2)[1]
        {'CUDA_VISIBLE_DEVICES': '0', 'XLA_PYTHON_CLIENT_MEM_FRACTION': '0.375'}
    """
    gpus = list(gpus)
    if not gpus:
        return [{} for _ in range(jobs)]
    each = min(devices or len(gpus), len(gpus))
    groups = [gpus[start : start + each] for start in range(0, len(gpus) - each + 1, each)]
    sharing = -(-jobs // len(groups))
    usual = float(os.environ.get(MEMORY_FRACTION) or USUAL_FRACTION)
    memory = {MEMORY_FRACTION: f"{usual / sharing:.4g}"} if sharing > 1 else {}
    return [
        {"CUDA_VISIBLE_DEVICES": ",".join(groups[job % len(groups)])} | memory
        for job in range(jobs)
    ]


def visible_gpus() -> list[str]:
    """NVIDIA GPUs that a worker would see, as in CUDA_VISIBLE_DEVICES, without asking JAX."""
    if os.environ.get("JAX_PLATFORMS", "cuda").split(",")[0] not in ("cuda", "gpu"):
        return []
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [name for name in visible.split(",") if name]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    listed = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    count = sum(line.startswith("GPU ") for line in listed.stdout.splitlines())
    return [str(k) for k in range(count)]
