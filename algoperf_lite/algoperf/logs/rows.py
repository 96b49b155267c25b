"""The evaluations of a trial as AlgoPerf's scorer reads them, so that it sees the hit that we see.

AlgoPerf's scorer takes every row that meets the target for a hit, whatever became of the trial and
whether its budget was used up, and of a study's trials the one whose hit has the smallest row
number, at whatever time (submissions_algorithms, scoring/performance_profile.py). It cannot read a
table without rows.
"""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from algoperf_lite.algoperf.logs.names import column_name
from algoperf_lite.records import evaluation_columns
from scoring.clocks import STEP_COLUMN, TIME_COLUMN
from scoring.evaluations import MalformedError, read_evaluations
from scoring.suite import WorkloadTarget

SCORED = "score"
"""The column that AlgoPerf's scorer takes times from."""
_WHOLE = ("global_step", "preemption_count", "num_examples")
_AT_START = (TIME_COLUMN, STEP_COLUMN, SCORED)


@dataclass(frozen=True)
class Rows:
    """Evaluations of one trial.

    Attributes:
        columns: [E] numbers by AlgoPerf's name of the column; NaN where a cell is empty.
        hit: the row that counts, or None.
        emptied: how many evaluations met the target and do not count.
        moved: how many rows without an evaluation were put before the others.
    """

    columns: dict[str, np.ndarray]
    hit: int | None = None
    emptied: int = 0
    moved: int = 0

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))


def read_rows(path: Path, target: WorkloadTarget, hit: int | None) -> Rows:
    """Reads an eval_measurements.csv; what meets the target and does not count is left empty.

    Args:
        path: of the file. Of one that scoring cannot use, or without a row, one row without an
            evaluation is made.
        target: of the workload.
        hit: the row that scoring counts, or None.
    """
    scored = (TIME_COLUMN, STEP_COLUMN, target.column)
    columns = {column_name(name): values for name, values in _read(path, scored).items()}
    columns[SCORED] = columns.get(TIME_COLUMN, np.empty(0)).copy()
    rows = Rows(columns, hit)
    if not len(rows):
        return moved(Rows({}), 1)
    name = column_name(target.column)
    metric = columns.get(name, np.full(len(rows), math.nan))
    met = metric <= target.value if target.direction == "minimize" else metric >= target.value
    met[hit if hit is not None else len(rows) :] = False
    columns[name] = np.where(met, math.nan, metric)
    return replace(rows, emptied=int(met.sum()))


def moved(rows: Rows, count: int) -> Rows:
    """The same with so many rows without an evaluation, at time 0, before the others."""
    names = {*rows.columns, *_AT_START}
    start = {name: np.full(count, 0.0 if name in _AT_START else math.nan) for name in names}
    columns = {
        name: np.concatenate([start[name], rows.columns.get(name, np.empty(0))]) for name in names
    }
    hit = None if rows.hit is None else rows.hit + count
    return replace(rows, columns=columns, hit=hit, moved=rows.moved + count)


def in_order(study: Sequence[tuple[float, Rows]]) -> list[Rows]:
    """Rows of a study's trials, moved so that the first hit by row number is the first by time.

    Args:
        study: (time, rows) of each trial; infinity where missed.

    Example:
        >>> early = Rows({"score": np.array([5.0])}, hit=0)
        >>> late = Rows({"score": np.array([1.0, 2.0])}, hit=1)
        >>> [rows.hit for rows in in_order([(5.0, early), (2.0, late)])]
        [2, 1]
    """
    hits = [(time, rows.hit, i) for i, (time, rows) in enumerate(study) if rows.hit is not None]
    if not hits:
        return [rows for _, rows in study]
    _, least, first = min(hits)
    return [
        rows
        if i == first or rows.hit is None or rows.hit > least
        else moved(rows, least + 1 - rows.hit)
        for i, (_, rows) in enumerate(study)
    ]


def columns_of(tables: Iterable[Rows], metric: str) -> list[str]:
    """Columns of all tables of a workload, in AlgoPerf's order.

    Its scorer takes a column that a trial lacks from the trial that it read before.

    Args:
        tables: evaluations of the workload's trials.
        metric: AlgoPerf's name of the target's metric.
    """
    known = {name for rows in tables for name in rows.columns}
    return sorted({*known, *evaluation_columns([]), f"validation/{metric}"})


def as_csv(rows: Rows, columns: Sequence[str]) -> str:
    """The text of an eval_measurements.csv; an empty cell is NaN to pandas."""
    nothing = np.full(len(rows), math.nan)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    cells = [_texts(name, rows.columns.get(name, nothing)) for name in columns]
    writer.writerows(zip(*cells, strict=True))
    return text.getvalue()


def _texts(name: str, values: np.ndarray) -> list[str]:
    whole = name.endswith(_WHOLE)
    return [
        "" if math.isnan(v) else str(int(v)) if whole and v.is_integer() else repr(v)
        for v in values.tolist()
    ]


def _read(path: Path, scored: Sequence[str]) -> dict[str, np.ndarray]:
    """All columns of a csv, with the rows that scoring takes; nothing where it takes none."""
    try:
        data = path.read_bytes()
        names = data.partition(b"\n")[0].decode("utf-8", "replace").removeprefix("\ufeff")
        wanted = names.strip().split(",")
        if not data.endswith(b"\n") and wanted[-1] not in scored:
            wanted.pop()  # of a cut line scoring takes what it needs, if that is there
        return dict(read_evaluations(str(path), [], wanted).columns)
    except (MalformedError, FileNotFoundError):
        return {}
