"""Comparing the curve of a rerun with the one recorded, evaluation by evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from algoperf_lite.records import EVALUATIONS_FILE, read_evaluations
from algoperf_lite.verifying.verdict import Difference

Row = dict[str, float]
STEP = "global_step"
MEASUREMENTS_FILE = "measurements.csv"
_OF_TRAINING = ("validation/", "test/", "train/", "train_step/")


def read_curve(directory: Path) -> list[Row]:
    """What a trial's training came to: a row an evaluation, without what is of the clock.

    Raises:
        ValueError: a cell is no number, or the two files are not of the same evaluations.
    """
    tables = [read_evaluations(directory / name) for name in (EVALUATIONS_FILE, MEASUREMENTS_FILE)]
    steps = [[row.get(STEP) for row in table] for table in tables]
    if steps[0] != steps[1]:
        raise ValueError(f"{EVALUATIONS_FILE} and {MEASUREMENTS_FILE} are not of the same steps")
    joined = [one | other for one, other in zip(*tables, strict=True)]
    return [
        {name: v for name, v in row.items() if name == STEP or name.startswith(_OF_TRAINING)}
        for row in joined
    ]


def compare(
    recorded: Sequence[Row],
    again: Sequence[Row],
    columns: Mapping[str, float] | None = None,
    above: float = 0.0,
) -> Difference | None:
    """The first place where two curves differ, and the largest difference; None if they are equal.

    Args:
        recorded: rows of `read_curve`.
        again: those of the rerun.
        columns: to look at, with the magnitude that a difference is relative to where both values
            are smaller; by default all, and 0. With them, evaluations that only one has are no
            difference: where bits may differ, a target may be met an evaluation sooner or later.
        above: relative differences up to this are none.

    Example:
        >>> found = compare([{"global_step": 5, "test/loss": 2.0}],
        ...                 [{"global_step": 5, "test/loss": 1.0}])
        >>> found.step, found.column, found.relative
        (5, 'test/loss', 0.5)
    """
    rows = zip(recorded, again, strict=False) if columns else zip_longest(recorded, again)
    found = [d for one, other in rows if (d := _worst(one, other, columns)) is not None]
    found = [difference for difference in found if difference.relative > above]
    if not found:
        return None
    worst = max(found, key=lambda difference: difference.relative)
    return replace(found[0], largest=worst.relative, largest_step=worst.step)


def relative(one: float | None, other: float | None, least: float = 0.0) -> float:
    """Difference over the largest magnitude; infinite if only one is there, or is finite.

    Args:
        one: a number, or None.
        other: likewise.
        least: what it is over if both are smaller.

    Example:
        >>> relative(2.0, 1.0), relative(math.nan, math.nan), relative(1.0, math.nan)
        (0.5, 0.0, inf)
    """
    if one is None or other is None:
        return 0.0 if one is other else math.inf
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    found = abs(one - other) / max(abs(one), abs(other), least)
    return found if math.isfinite(found) else math.inf


def _worst(
    one: Row | None, other: Row | None, columns: Mapping[str, float] | None
) -> Difference | None:
    """What differs most in one evaluation."""
    if one is None or other is None:
        step = int((one or other)[STEP])
        return Difference(step, None, None, None, math.inf, math.inf, step)
    step = int(one.get(STEP, 0))
    names = columns or dict.fromkeys(sorted(one.keys() | other.keys()), 0.0)
    found = {
        name: relative(one.get(name), other.get(name), least)
        for name, least in {STEP: 0.0, **names}.items()
    }
    column = max(found, key=found.__getitem__)
    worst = found[column]
    if not worst:
        return None
    return Difference(step, column, one.get(column), other.get(column), worst, worst, step)
