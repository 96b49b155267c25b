"""Whether the host's memory holds the lite suite."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from algoperf_lite.doctor.findings import Finding, size
from algoperf_lite.executors.memory import allowed_bytes

CHECK = "memory"
NEEDED = 1587 * 2**20
"""The most that a worker process had in use over the lite suite, on two CPU cores."""
COMFORT = 2  # times what is needed


@dataclass(frozen=True)
class Memory:
    """Bytes.

    Attributes:
        total: of the machine.
        available: without swapping.
        allowed: of this process's control group, or of the machine.
    """

    total: int
    available: int
    allowed: int


def gather() -> Memory:
    """Now."""
    now = psutil.virtual_memory()
    return Memory(now.total, now.available, allowed_bytes())


def judge(facts: Memory) -> list[Finding]:
    """A worker that is killed for want of memory loses its trial."""
    free = min(facts.available, facts.allowed)
    limit = f", {size(facts.allowed)} allowed here" if facts.allowed < facts.total else ""
    told = f"{size(facts.available)} available of {size(facts.total)}{limit}"
    if free >= COMFORT * NEEDED:
        return [Finding(CHECK, "ok", told)]
    told += f"; the lite suite takes {size(NEEDED)}"
    limited = facts.allowed < facts.available
    mend = "raise the container's limit" if limited else "end what else uses memory"
    return [Finding(CHECK, "problem" if free < NEEDED else "warning", told, mend)]
