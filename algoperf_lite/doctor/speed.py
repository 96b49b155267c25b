"""How fast and how steady the device is now, against when it was calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, median, stdev
from typing import Any

from algoperf_lite import environment
from algoperf_lite.doctor.findings import Finding
from algoperf_lite.errors import AlgoperfLiteError
from algoperf_lite.records import read_json

STEADY, SPEED = "jitter", "speed"
REPEATS = 20
WARM = 5  # the first are slower: clocks rise, pools of threads wake
JITTERY = 0.15
OFF = 0.1  # as the protocol's marks
MEND = "end what else runs here and try again"


def in_worker(devices: Sequence[Any], described: dict[str, Any]) -> dict[str, Any]:
    """Time the calibration kernel, and read what it took at calibrations of this device."""
    del devices
    environment.kernel_seconds(WARM)
    stored, unreadable = calibrations(described)
    return {
        "seconds": environment.kernel_seconds(REPEATS),
        "stored": [median(one["calibration_kernel_seconds"]) for one in stored],
        "unreadable": unreadable,
    }


def calibrations(described: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """What is stored of this device with these versions, and what of it cannot be read, and why."""
    found, unreadable = [], []
    for file in sorted((environment.home() / "calibration").glob("*.json")):
        try:
            found.append(read_json(file) or {})
        except AlgoperfLiteError as error:
            unreadable.append(str(error))
    return [one for one in found if one.get("environment") == described], unreadable


def judge(facts: dict[str, Any]) -> list[Finding]:
    """Budgets come from calibrations: a device of another speed makes them unfair."""
    mend = "delete it, and calibrate again"
    found = [Finding(SPEED, "problem", why, mend) for why in facts["unreadable"]]
    return [*found, _steady(facts["seconds"]), _speed(facts["seconds"], facts["stored"])]


def _steady(seconds: Sequence[float]) -> Finding:
    variation = stdev(seconds) / mean(seconds)
    told = (
        f"the kernel's times vary by {variation:.0%} (coefficient of variation of {len(seconds)};"
        f" {1e3 * min(seconds):.1f} to {1e3 * max(seconds):.1f} ms)"
    )
    if variation > JITTERY:
        return Finding(STEADY, "warning", told, MEND)
    return Finding(STEADY, "ok", told)


def _speed(seconds: Sequence[float], stored: Sequence[float]) -> Finding:
    now = median(seconds)
    told = f"the kernel takes {1e3 * now:.1f} ms"
    if not stored:
        mend = "algoperf-lite calibrate; run does it by itself where it is missing"
        return Finding(SPEED, "note", f"{told}; no calibration of this device is stored", mend)
    ratio = now / median(stored)
    told += f", {ratio:.2f} times what it took at {len(stored)} calibrations of this device"
    if abs(ratio - 1) <= OFF:
        return Finding(SPEED, "ok", told)
    mend = f"{MEND}; if it stays so: algoperf-lite calibrate --again"
    return Finding(SPEED, "warning", told, mend)


def judge_reference(workload: str, stored: float | None, measured: float) -> Finding:
    """Seconds per step of a workload's reference submission, now and as stored."""
    check, told = f"speed: {workload}", f"{1e3 * measured:.3f} ms per step of the reference"
    if stored is None:
        mend = f"algoperf-lite calibrate -w {workload}"
        return Finding(check, "note", f"{told}; no calibration is stored", mend)
    ratio = measured / stored
    told += f", {ratio:.2f} times the {1e3 * stored:.3f} ms of its calibration"
    if abs(ratio - 1) <= OFF:
        return Finding(check, "ok", told)
    mend = f"{MEND}; if it stays so: algoperf-lite calibrate --again -w {workload}"
    return Finding(check, "warning", told, mend)
