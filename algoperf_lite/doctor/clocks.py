"""Whether the clock that trials are timed by is fine and never goes back."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from algoperf_lite.doctor.findings import Finding

CHECK = "clock"
READS = 20_000
COARSE, TOO_COARSE = 1e-5, 1e-3  # seconds; windows of training last a tenth of a second and more
SLOW_SOURCES = "hpet", "acpi_pm", "jiffies", "refined-jiffies"
SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


@dataclass(frozen=True)
class Clock:
    """`time.perf_counter` on this machine.

    Attributes:
        implementation: by the C library's name.
        resolution: as the system states it, in seconds.
        monotonic: whether the system says that it never goes back.
        step: the smallest difference seen between reads that differ, in seconds.
        read: what reading it takes, in seconds.
        backward: how many reads were before the one before.
        source: of the kernel's time; None if not known.
    """

    implementation: str
    resolution: float
    monotonic: bool
    step: float
    read: float
    backward: int
    source: str | None


def gather() -> Clock:
    """Read the clock some thousand times, which takes a few milliseconds."""
    reads = [time.perf_counter() for _ in range(READS)]
    steps = [b - a for a, b in pairwise(reads)]
    info, source = time.get_clock_info("perf_counter"), None
    with suppress(OSError):
        source = SOURCE.read_text().strip()
    return Clock(
        implementation=info.implementation,
        resolution=info.resolution,
        monotonic=info.monotonic,
        step=min((s for s in steps if s > 0), default=float("inf")),
        read=(reads[-1] - reads[0]) / READS,
        backward=sum(s < 0 for s in steps),
        source=source,
    )


def judge(facts: Clock) -> list[Finding]:
    """A clock that goes back, or by milliseconds, times nothing."""
    told = (
        f"{facts.implementation}: steps of {_seconds(facts.step)}, {_seconds(facts.read)} a read"
        f"{f', from {facts.source}' if facts.source else ''}"
    )
    mend = "choose another clock source of the kernel, as root: see the file " + str(SOURCE)
    if facts.backward or not facts.monotonic:
        why = f"it went back {facts.backward} times in {READS:,} reads; {told}"
        return [Finding(CHECK, "problem", why, mend)]
    coarsest = max(facts.step, facts.resolution)
    if coarsest > COARSE:
        return [Finding(CHECK, "problem" if coarsest > TOO_COARSE else "warning", told, mend)]
    if facts.source in SLOW_SOURCES:
        return [Finding(CHECK, "warning", f"{told}, which is slow to read", mend)]
    return [Finding(CHECK, "ok", told)]


def _seconds(value: float) -> str:
    """Example: ``31 ns``."""
    for unit, factor in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if value >= factor:
            return f"{value / factor:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"
