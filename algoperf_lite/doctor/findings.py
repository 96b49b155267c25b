"""What one check of a machine came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "warning", "problem"]
SEVERITY: tuple[Status, ...] = ("ok", "note", "warning", "problem")


@dataclass(frozen=True)
class Finding:
    """What one check came to.

    Attributes:
        check: its name.
        status: ``"ok"``; ``"note"``, good to know; ``"warning"``, times may suffer or mislead;
            ``"problem"``, this machine is not fit to time on.
        found: what was found, in numbers.
        mend: what to do about it.
    """

    check: str
    status: Status
    found: str
    mend: str = ""


def size(count: float) -> str:
    """Bytes for people.

    Example:
        >>> size(512), size(3.2e6), size(24.5 * 2**30)
        ('512 B', '3.1 MiB', '24.5 GiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.1f} {unit}" if unit != "B" else f"{count:.0f} B"
