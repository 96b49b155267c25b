"""Reading single files of a trial, one that is being written included."""

import math
import os
from pathlib import Path
from typing import Any

from algoperf_lite.records import EVALUATIONS_FILE
from scoring.clocks import TIME_COLUMN, first_hit
from scoring.evaluations import MalformedError, Request, read_many
from scoring.suite import WorkloadTarget
from scoring.walk import TrialPath

_TAIL_BYTES = 8192  # of a csv that grows: several rows of the widest workload
Stamp = tuple[int, int]
"""What tells whether a file has changed: when it was written, in nanoseconds, and its size."""


def stat(path: str | Path) -> os.stat_result | None:
    """The status of a file or directory; None if it is not there, or no longer."""
    try:
        return os.stat(path)
    except OSError:
        return None


def stamp(status: os.stat_result | None) -> Stamp | None:
    """The stamp of a file's status; None of none."""
    return (status.st_mtime_ns, status.st_size) if status else None


def last_row(path: str | Path) -> dict[str, float]:
    """The last whole line of a csv that may be growing, as numbers; empty if there is none.

    Fields that are empty or no finite number are left out. Reads the header and the file's end.
    """
    try:
        with open(path, "rb") as file:
            names = file.readline().decode("utf-8", "replace").strip().split(",")
            start = file.tell()
            file.seek(max(start, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            whole = file.read().rpartition(b"\n")[0]
    except OSError:
        return {}  # it went away between two looks
    cells = whole.rpartition(b"\n")[2].decode("utf-8", "replace").split(",")
    if len(cells) != len(names):
        return {}
    numbers = ((name, _number(cell)) for name, cell in zip(names, cells, strict=True))
    return {name: number for name, number in numbers if number is not None}


def scored_time(trial: TrialPath, target: WorkloadTarget, record: dict[str, Any]) -> float:
    """On-clock seconds to the target, as `scoring.reader` has it; infinity where it was missed.

    Raises:
        MalformedError: the evaluations that should tell cannot be read.
    """
    if record["status"] != "target_reached":
        return math.inf
    path = os.path.join(trial.path, EVALUATIONS_FILE)
    columns = (TIME_COLUMN, target.column)
    (rows,) = read_many([Request(path, columns, sha256=record.get("evaluations_sha256"))])
    if isinstance(rows, MalformedError):
        raise MalformedError(f"{EVALUATIONS_FILE} {rows}")
    row = first_hit(rows, target, record.get("budget_seconds"))
    return math.inf if row is None else float(rows.columns[TIME_COLUMN][row])


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
