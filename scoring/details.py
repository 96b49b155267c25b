"""Everything that records say of trials, for reports: curves, clocks, points, environments."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from algoperf_lite.records import (
    ENVIRONMENT_FILE,
    EVALUATIONS_FILE,
    HYPERPARAMETERS_FILE,
    TRIAL_FILE,
    finite,
)
from scoring.clocks import STEP_COLUMN, TIME_COLUMN
from scoring.evaluations import Evaluations, MalformedError, Request, read_many
from scoring.numbers import is_number
from scoring.suite import Suite
from scoring.trial import Trial

EVALUATION_COLUMN = "accumulated_eval_time"
# What a record must hold under a name to be shown; whatever else it holds there is left out.
_NUMBERS = (
    "steps", "seconds", "robust_seconds", "budget_seconds", "flops_per_step", "peak_memory_bytes",
    "seed",
)  # fmt: skip
_FLAGS = ("noisy", "drifted", "host_loop")
_TABLES_OF_NUMBERS = ("clock", "off_clock", "compiles_on_clock")
_LISTS_OF_NUMBERS = ("calibration_kernel_seconds", "window_seconds_per_step")


@dataclass(frozen=True)
class Details:
    """One trial in full.

    Attributes:
        trial: as the scorer sees it.
        seconds: [E] on-clock seconds at its E evaluations; NaN where not logged.
        steps: [E] steps taken; likewise.
        metric: [E] the target's metric on the validation split; likewise.
        evaluation_seconds: seconds of evaluating, off the clock; None where not logged.
        record: the trial.json, without what is not of the type it should be, and with null for
            numbers that are not finite, which tables of numbers (as "clock") leave out; empty of
            AlgoPerf's own logs, and where it is unreadable.
        hyperparameters: the point; empty where there is none.
        environment: device, threads and versions, ours or as AlgoPerf's `meta_data_0.json` says.
    """

    trial: Trial
    seconds: np.ndarray
    steps: np.ndarray
    metric: np.ndarray
    evaluation_seconds: float | None
    record: dict[str, Any]
    hyperparameters: dict[str, Any]
    environment: dict[str, Any]

    @property
    def on_clock(self) -> float | None:
        """On-clock seconds of the whole trial, reached or not; None where not logged."""
        known = self.seconds[np.isfinite(self.seconds)]
        return self.record.get("seconds") or (float(known.max()) if len(known) else None)

    @property
    def flops_per_step(self) -> float | None:
        """By XLA's cost analysis; None where not recorded."""
        return self.record.get("flops_per_step")


def read_details(trials: Sequence[Trial], suite: Suite) -> list[Details]:
    """Reads the records of trials again, whole; what is unreadable is left empty.

    Args:
        trials: from `scoring.reader.read_records`, which reports what is unreadable.
        suite: declares their workloads.

    Returns:
        In the order of `trials`.
    """
    columns = {target.name: target.column for target in suite.workloads}
    rows = read_many(
        Request(
            os.path.join(trial.path, EVALUATIONS_FILE),
            (TIME_COLUMN, columns[trial.workload]),
            (STEP_COLUMN, EVALUATION_COLUMN),
        )
        for trial in trials
    )
    return [
        _of(trial, columns[trial.workload], read) for trial, read in zip(trials, rows, strict=True)
    ]


def _of(trial: Trial, column: str, read: Evaluations | MalformedError) -> Details:
    found = {} if isinstance(read, MalformedError) else read.columns
    empty = np.full(len(found.get(TIME_COLUMN, ())), math.nan)
    evaluation = found.get(EVALUATION_COLUMN, empty)
    evaluation = evaluation[np.isfinite(evaluation)]
    record = _typed(_json(trial.path, TRIAL_FILE))
    hyperparameters, environment = (
        _json(trial.path, name) for name in (HYPERPARAMETERS_FILE, ENVIRONMENT_FILE)
    )
    return Details(
        trial=trial,
        seconds=found.get(TIME_COLUMN, empty),
        steps=found.get(STEP_COLUMN, empty),
        metric=found.get(column, empty),
        evaluation_seconds=float(evaluation.max()) if len(evaluation) else None,
        record=record,
        hyperparameters=hyperparameters or _object(record.get("hyperparameters")),
        environment=_object(record.get("environment")) or environment,
    )


def _json(directory: str, name: str) -> dict[str, Any]:
    try:
        with open(os.path.join(directory, name), "rb") as file:
            return finite(_object(json.loads(file.read())))
    except (OSError, ValueError, RecursionError):
        return {}  # the reader has reported what matters to the score


def _typed(record: dict[str, Any]) -> dict[str, Any]:
    """A record without the known entries that are of another type than `algoperf_lite` writes."""
    kinds = {
        **dict.fromkeys(_NUMBERS, is_number),
        **dict.fromkeys(_FLAGS, lambda value: isinstance(value, bool)),
        **dict.fromkeys(_TABLES_OF_NUMBERS, lambda table: _all_numbers(table, dict)),
        **dict.fromkeys(_LISTS_OF_NUMBERS, lambda numbers: _all_numbers(numbers, list)),
    }
    kept = {k: v for k, v in record.items() if v is None or k not in kinds or kinds[k](v)}
    tables = {k: _known(kept[k]) for k in _TABLES_OF_NUMBERS if kept.get(k)}
    return kept | tables


def _known(table: dict[str, float | None]) -> dict[str, float]:
    """Those entries of a table of numbers that are numbers, so that they can be added up."""
    return {k: v for k, v in table.items() if v is not None}


def _all_numbers(values: Any, kind: type) -> bool:
    if not isinstance(values, kind):
        return False
    inner = values.values() if isinstance(values, dict) else values
    return all(value is None or is_number(value) for value in inner)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
