"""The host's processor: how much of it we may use, and what changes its speed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from algoperf_lite.doctor.findings import Finding
from algoperf_lite.environment import host_threads

CHECK = "processor"
DRIVERS_THAT_SCALE_WITH_POWERSAVE = "intel_pstate", "amd-pstate-epp"


@dataclass(frozen=True)
class Processor:
    """The host's processor.

    Attributes:
        threads: hardware threads of the machine.
        usable: those that this process may run on.
        quota: cores' worth of time that the control group may use; None for no limit.
        throttled: how often the group was stopped for having used it up; None if not known.
        governor: how the frequency is chosen; None if not known.
        driver: by whom.
        turbo: whether it may exceed its nominal frequency; None if not known.
        on_battery: whether no charger is connected; None without a battery.
    """

    threads: int
    usable: int
    quota: float | None = None
    throttled: int | None = None
    governor: str | None = None
    driver: str | None = None
    turbo: bool | None = None
    on_battery: bool | None = None


def gather(root: Path = Path("/")) -> Processor:
    """Read ``proc`` and ``sys`` under `root`."""
    cpu = root / "sys/devices/system/cpu"
    quota, throttled = _quota(root)
    no_turbo, boost = _word(cpu / "intel_pstate/no_turbo"), _word(cpu / "cpufreq/boost")
    turbo = no_turbo == "0" if no_turbo else boost == "1" if boost else None
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    return Processor(
        threads=os.cpu_count() or 1,
        usable=host_threads(),
        quota=quota,
        throttled=throttled,
        governor=_word(cpu / "cpu0/cpufreq/scaling_governor"),
        driver=_word(cpu / "cpu0/cpufreq/scaling_driver"),
        turbo=turbo,
        on_battery=None if battery is None else not battery.power_plugged,
    )


def judge(facts: Processor) -> list[Finding]:
    """What lets a run be slower than the last one is a warning."""
    found = list(_warnings(facts))
    parts = [f"{facts.usable} of {facts.threads} hardware threads"]
    parts += [f"governor {facts.governor} ({facts.driver})"] if facts.governor else []
    parts += [] if facts.turbo is None else [f"turbo {'on' if facts.turbo else 'off'}"]
    fewer = facts.usable < facts.threads
    mend = "results on CPU depend on their number: give every run the same" if fewer else ""
    return [Finding(CHECK, "note" if fewer else "ok", ", ".join(parts), mend), *found]


def _warnings(facts: Processor) -> Iterator[Finding]:
    if facts.quota is not None and facts.quota < facts.usable:
        often = f", and was, {facts.throttled} times" if facts.throttled else ""
        told = (
            f"the control group may use {facts.quota:g} cores' worth of {facts.usable} threads;"
            f" what uses more is stopped for part of each tenth of a second{often}"
        )
        mend = "lift the limit and give it whole cores (docker: --cpuset-cpus instead of --cpus)"
        yield Finding(CHECK, "warning", told, mend)
    if facts.governor == "powersave" and facts.driver not in DRIVERS_THAT_SCALE_WITH_POWERSAVE:
        told = f"the frequency stays low: governor powersave ({facts.driver})"
        mend = "sudo cpupower frequency-set --governor performance"
        yield Finding(CHECK, "warning", told, mend)
    if facts.on_battery:
        yield Finding(CHECK, "warning", "on battery, which saves power", "connect the charger")


def _quota(root: Path) -> tuple[float | None, int | None]:
    """The least quota of our control group (v1 or v2) and those above it, and its throttlings."""
    quotas: list[tuple[float, int | None]] = []
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpu" in controllers.split(","):
            base = root / "sys/fs/cgroup/cpu"
        elif not controllers:
            base = root / "sys/fs/cgroup"
        else:
            continue
        group = Path(path.strip("/"))
        for part in (group, *group.parents):
            cores = _cores(base / part)
            if cores is not None:
                quotas.append((cores, _throttled(base / part)))
    return min(quotas, key=lambda q: q[0]) if quotas else (None, None)


def _cores(group: Path) -> float | None:
    """Quota over period; None for no limit (v2 writes ``max``, v1 -1)."""
    if v2 := _word(group / "cpu.max"):
        quota, _, period = v2.partition(" ")
    else:
        quota = _word(group / "cpu.cfs_quota_us") or ""
        period = _word(group / "cpu.cfs_period_us") or ""
    if not (quota.isdecimal() and period.isdecimal()):
        return None
    return int(quota) / int(period)


def _throttled(group: Path) -> int | None:
    for line in (_text(group / "cpu.stat") or "").splitlines():
        name, _, count = line.partition(" ")
        if name == "nr_throttled":
            return int(count)
    return None


def _text(path: Path) -> str | None:
    with suppress(OSError):
        return path.read_text()
    return None


def _word(path: Path) -> str | None:
    text = _text(path)
    return text.strip() if text else None
