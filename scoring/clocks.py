"""When a trial met its target, and what that counts on each clock."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from scoring.evaluations import Evaluations
from scoring.suite import WorkloadTarget

TIME_COLUMN = "accumulated_submission_time"
STEP_COLUMN = "global_step"
CLOCKS = {
    "time": "on-clock seconds, as scored by the protocol",
    "robust": "steps times the median window's seconds per step, plus what is not a window",
    "steps": "training steps",
    "time+compile": "on-clock seconds and those of compiling ahead of time",
}


def unit(clock: str) -> str:
    """The unit of a clock's times.

    Example:
        >>> unit("robust"), unit("steps")
        ('s', 'steps')
    """
    return "steps" if clock == "steps" else "s"


def first_hit(
    rows: Evaluations, target: WorkloadTarget, budget: float | None = None, timed: bool = True
) -> int | None:
    """The first row, in file order, that meets the target within the budget; None if none does.

    Rows whose metric is NaN, empty or infinite never do, nor do those without a possible time.

    Args:
        rows: with the target's column and the times.
        target: what is to be met.
        budget: in on-clock seconds, or None.
        timed: whether rows must have a time; a trial that was not timed has steps alone.
    """
    seconds, metric = rows.columns[TIME_COLUMN], rows.columns[target.column]
    met = metric <= target.value if target.direction == "minimize" else metric >= target.value
    met &= np.isfinite(metric) & ~(seconds < 0) & ~np.isinf(seconds)
    if timed:
        met &= np.isfinite(seconds)
    if budget is not None:
        met &= ~(seconds > budget)
    return int(met.argmax()) if met.any() else None


def steps_at(rows: Evaluations, row: int) -> int | None:
    """Steps taken at an evaluation; None where they are not logged."""
    steps = rows.columns.get(STEP_COLUMN)
    if steps is None or not (np.isfinite(steps[row]) and steps[row] >= 0):
        return None
    return int(steps[row])


def time_at(
    clock: str, rows: Evaluations, row: int, record: Mapping[str, Any] | None
) -> float | None:
    """What an evaluation counts on a clock; None where the logs do not say, or not readably.

    Args:
        clock: one of `CLOCKS`.
        rows: the evaluations.
        row: which of them.
        record: the trial.json; None of AlgoPerf's own logs, which know time and steps alone.

    Example:
        >>> rows = Evaluations({TIME_COLUMN: np.array([2.5]), STEP_COLUMN: np.array([100.0])})
        >>> time_at("time", rows, 0, None), time_at("steps", rows, 0, None)
        (2.5, 100.0)
        >>> time_at("time+compile", rows, 0, {"off_clock": {"compile": 1.5}})
        4.0
    """
    seconds = float(rows.columns[TIME_COLUMN][row])
    if clock == "time":
        return seconds
    steps = steps_at(rows, row)
    if clock == "steps":
        return None if steps is None else float(steps)
    if clock == "robust":
        return _robust(rows, row, record or {})
    compile_seconds = ((record or {}).get("off_clock") or {}).get("compile")
    return None if compile_seconds is None else seconds + compile_seconds


def _robust(rows: Evaluations, row: int, record: Mapping[str, Any]) -> float | None:
    """The robust clock of `algoperf_lite.clock`, read at an evaluation."""
    rates = record.get("window_seconds_per_step")
    steps = rows.columns.get(STEP_COLUMN)
    if steps is None or not rates or len(rates) <= row:
        return None
    steps = steps[: row + 1]
    of_window = np.diff(steps, prepend=0.0)
    rates = np.array(rates[: row + 1], float)
    rest = rows.columns[TIME_COLUMN][row] - of_window @ rates
    robust = float(np.median(rates) * steps[-1] + rest)
    return robust if 0 <= robust < math.inf else None
