"""Trials as rows of a table, which is half the bytes of objects."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from algoperf_lite.records import finite
from scoring.details import Details

TRIAL_COLUMNS = {
    "submission": "index into submissions",
    "workload": "index into workloads",
    "study": "from 0",
    "trial": "from 1",
    "path": "of its directory, below the source",
    "status": "how it ended",
    "reason": "why; null where nothing is recorded",
    "time": "to the target on the chosen clock; null if missed",
    "steps_to_target": "null if missed",
    "seconds": "on the clock, the whole trial",
    "steps": "of the whole trial",
    "budget": "on-clock seconds it had; null without one",
    "clock": "{data, update, eval_params, on_eval}: seconds on the clock",
    "compile": "seconds of compiling ahead of time, off the clock",
    "evaluation": "seconds of evaluating, off the clock",
    "late_compiles": "compilations that happened on the clock",
    "robust_seconds": "the whole trial on the robust clock",
    "noisy": "whether the two clocks disagree by more than 10%",
    "kernel": "[before, after]: seconds of the calibration kernel",
    "drifted": "whether those differ by more than 10%",
    "host_loop": "whether the submission was called from Python once per step",
    "flops_per_step": "by XLA's cost analysis",
    "peak_memory": "bytes",
    "seed": "of the trial",
    "point": "index into points; null where none is recorded",
    "environment": "index into environments; null where none is recorded",
    "curve_seconds": "at each evaluation",
    "curve_steps": "likewise; [first, every, count] where they are evenly spaced",
    "curve_metric": "likewise, the target's metric on the validation split",
}


@dataclass(frozen=True)
class Interned:
    """A list in which equal values have one place."""

    values: list[Any] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def place(self, value: dict[str, Any]) -> int | None:
        """Where a value is, added if it is new; None of an empty one."""
        if not value:
            return None
        key = json.dumps(value, sort_keys=True)
        if key not in self.places:
            self.places[key] = len(self.values)
            self.values.append(value)
        return self.places[key]


def trial_row(
    details: Details,
    source: str,
    submissions: Mapping[str, int],
    workloads: Mapping[str, int],
    points: Interned,
    environments: Interned,
) -> list[Any]:
    """Values of `TRIAL_COLUMNS`.

    Args:
        details: of the trial.
        source: the results directory.
        submissions: place of each by name.
        workloads: likewise.
        points: the trial's is added, if it has one.
        environments: likewise.
    """
    trial, record = details.trial, details.record
    off_clock = record.get("off_clock") or {}
    values = {
        "submission": submissions[trial.submission],
        "workload": workloads[trial.workload],
        "study": trial.study,
        "trial": trial.number,
        "path": os.path.relpath(trial.path, source),
        "status": trial.status,
        "reason": trial.reason,
        "time": trial.time,
        "steps_to_target": trial.steps,
        "seconds": details.on_clock,
        "steps": record.get("steps") or _last(details.steps),
        "budget": record.get("budget_seconds"),
        "clock": _rounded_all(record.get("clock")),
        "compile": off_clock.get("compile"),
        "evaluation": details.evaluation_seconds,
        "late_compiles": (record.get("compiles_on_clock") or {}).get("count"),
        "robust_seconds": record.get("robust_seconds"),
        "noisy": record.get("noisy"),
        "kernel": [_rounded(t) for t in record.get("calibration_kernel_seconds") or []] or None,
        "drifted": record.get("drifted"),
        "host_loop": record.get("host_loop"),
        "flops_per_step": details.flops_per_step,
        "peak_memory": record.get("peak_memory_bytes"),
        "seed": record.get("seed"),
        "point": points.place(details.hyperparameters),
        "environment": environments.place(_lasting(details.environment)),
        "curve_seconds": _rounded_curve(details.seconds),
        "curve_steps": _spaced(details.steps),
        "curve_metric": _rounded_curve(details.metric),
    }
    return [finite(_rounded(values[name])) for name in TRIAL_COLUMNS]


def _lasting(environment: dict[str, Any]) -> dict[str, Any]:
    """An environment without what changes from one moment to the next, as AlgoPerf logs it."""
    passing = ("cpu.", "mem.", "gpu.", "net.", "workload.", "hyperparameters.")
    return {k: v for k, v in environment.items() if not k.startswith(passing)}


def _spaced(steps: np.ndarray) -> list[float | None]:
    """Evenly spaced steps as [first, every, count], if that is shorter; else as they are."""
    gaps = set(np.diff(steps).tolist()) if np.isfinite(steps).all() else set()
    if len(steps) > 3 and len(gaps) == 1:
        return [steps[0].item(), gaps.pop(), len(steps)]
    return [_rounded(step) for step in steps.tolist()]


def _rounded_curve(values: np.ndarray) -> list[float]:
    """Five figures, of the many numbers that are only drawn."""
    return [float(f"{value:.5g}") for value in values.tolist()]


def _last(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else None


def _rounded_all(numbers: Any) -> dict[str, float] | None:
    return {k: _rounded(v) for k, v in numbers.items()} if isinstance(numbers, dict) else None


def _rounded(value: Any) -> Any:
    """Six figures are more than a screen can show, and half the bytes."""
    return float(f"{value:.6g}") if isinstance(value, float) else value
