"""What JAX computes on, and whether that is what the machine has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from algoperf_lite import environment
from algoperf_lite.doctor.findings import Finding, size

CHECK = "device"
FILES = {
    "NVIDIA": ("nvidia[0-9]*", "cuda13", "CUDA_VISIBLE_DEVICES"),
    "AMD": ("kfd", "rocm7-local", "HIP_VISIBLE_DEVICES"),
    "Google": ("accel[0-9]*", "tpu", "TPU_VISIBLE_CHIPS"),
}
"""By maker: files below ``/dev``, the extra of JAX, and the variable that hides devices."""
CHOICES = "JAX_PLATFORMS", *(variable for _, _, variable in FILES.values())


def accelerators(root: Path = Path("/")) -> dict[str, int]:
    """Makers of accelerators whose device files are there, and how many."""
    counts = {maker: len(list((root / "dev").glob(f[0]))) for maker, f in FILES.items()}
    return {maker: count for maker, count in counts.items() if count}


def choices(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables of the environment by which JAX is told what to use."""
    return {name: variables[name] for name in CHOICES if name in variables}


def in_worker(devices: Sequence[Any], described: dict[str, Any]) -> dict[str, Any]:
    """What `environment.describe` says, names on this machine, and memory where it is counted."""
    import jax  # noqa: PLC0415

    stats = devices[0].memory_stats() or {}
    return {
        "environment": described,
        "names": environment.device_names(devices),
        "present": len(jax.local_devices()),
        "memory": stats.get("bytes_limit"),
        "memory_used": stats.get("bytes_in_use"),
    }


def judge(
    facts: Mapping[str, Any], present: Mapping[str, int], chosen: Mapping[str, str]
) -> list[Finding]:
    """That an accelerator lies idle is a problem, unless it was chosen so.

    Args:
        facts: of `in_worker`.
        present: of `accelerators`.
        chosen: of `choices`.
    """
    described = facts["environment"]
    told = environment.device_name(described)
    if facts["present"] > described["device_count"]:
        told += f" of {facts['present']}"
    if facts["memory"]:
        told += f", {size(facts['memory'])} for JAX"
    found = [Finding(CHECK, "ok", f"{described['platform']}: {told}")]
    if described["platform"] == "cpu":
        found += [_idle(maker, count, chosen) for maker, count in present.items()]
    return found


def _idle(maker: str, count: int, chosen: Mapping[str, str]) -> Finding:
    told = f"{count} of {maker}'s accelerators on this machine, but JAX computes on CPU"
    _, extra, variable = FILES[maker]
    for name in ("JAX_PLATFORMS", variable):
        if name in chosen:
            why = f"{told}, as {name}={chosen[name]!r} says"
            return Finding(CHECK, "note", why, f"to use them: unset {name}")
    return Finding(CHECK, "problem", told, f"pip install 'jax[{extra}]', and see its driver")
