"""How much host memory a worker may use, so that the machine survives it. Imports no JAX."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil

SHARE = 0.9
"""Of the memory that there is, for workers and what they start."""
V2_FILE, V1_FILE = "memory.max", "memory.limit_in_bytes"
OOM_SCORE = Path("/proc/self/oom_score_adj")


def default_limit(workers: int = 1) -> int:
    """Bytes that each of several workers may use.

    Args:
        workers: side by side on this machine.
    """
    return int(SHARE * allowed_bytes() / workers)


def allowed_bytes(root: Path = Path("/")) -> int:
    """The memory of this machine, or of the container (control group, v1 or v2) that we are in.

    A control group's limit holds for all below it, so the least one up to the root counts. Within
    a container a group's own path may not be visible; then its root is the container's.

    Args:
        root: where ``proc`` and ``sys`` are.
    """
    limits = [psutil.virtual_memory().total]
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            base, file = root / "sys/fs/cgroup", V2_FILE
            if "memory" in controllers.split(","):
                base, file = base / "memory", V1_FILE
            elif controllers:
                continue
            group = Path(path.strip("/"))
            limits += [_limit(base / part / file) for part in (group, *group.parents)]
    return min(limit for limit in limits if limit is not None)


def volunteer_for_oom() -> None:
    """If the kernel runs out of memory, this process and what it starts go first."""
    with suppress(OSError):
        OOM_SCORE.write_text("1000")


def amount(count: float) -> str:
    """Bytes for people.

    Example:
        >>> amount(3 * 2**29), amount(100 * 2**20)
        ('1.50 GiB', '100 MiB')
    """
    return f"{count / 2**30:.2f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def _limit(path: Path) -> int | None:
    """A group's limit in bytes; None for none (v2 writes ``max``, v1 a number past all memory)."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None
