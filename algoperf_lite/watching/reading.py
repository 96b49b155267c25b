"""Reading single files of a trial, one that is being written included."""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algoperf_lite.watching.situation import Ended
from scoring import reader
from scoring.clocks import unit
from scoring.evaluations import Evaluations, MalformedError, read_many
from scoring.numbers import is_number
from scoring.record import read_record
from scoring.suite import Suite, WorkloadTarget
from scoring.trial import request
from scoring.walk import Problem, TrialPath

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


@dataclass(frozen=True)
class Files:
    """What an ended trial's files hold.

    Attributes:
        trial: whose they are.
        at: when the record was written, in seconds since 1970.
        record: the trial.json.
        rows: the evaluations, or why they cannot be used.
    """

    trial: TrialPath
    at: float
    record: dict[str, Any]
    rows: Evaluations | MalformedError


def read_ended(trial: TrialPath, target: WorkloadTarget, at: float) -> Files | None:
    """Reads a trial's files; None if it has not ended, or is to be run again.

    Args:
        trial: whose.
        target: of its workload.
        at: when its record was written.

    Raises:
        MalformedError: the record cannot be read.
    """
    record = read_record(trial)
    if record is None or record["status"] == "interrupted":
        return None
    (rows,) = read_many([request(trial, target, record)])
    return Files(trial, at, record, rows)


def clock_of(found: Iterable[Files], suite: Suite) -> str:
    """The clock that trials can be scored by: steps where they, or some of them, are not timed.

    Those that an exploration stopped score by none.
    """
    records = [files.record for files in found if files.record["status"] != "stopped"]
    timed = all(record.get("timed", True) for record in (suite.declared, *records))
    return "time" if timed else "steps"


def judge_all(
    found: Iterable[Files], suite: Suite, clock: str
) -> tuple[list[Ended], list[Problem]]:
    """What trials come to, as `scoring.reader.judge_all` has it, which has the results' suite.

    Args:
        found: of all trials that have ended, as some void others.
        suite: the one that lies in the results directory.
        clock: see `clock_of`.

    Returns:
        The trials in the order of `found`, and what is malformed.
    """
    found, problems = list(found), []
    places = [files.trial for files in found]
    records = [dict(files.record) for files in found]  # voiding changes them
    rows = [files.rows for files in found]
    judged = reader.judge_all(places, records, rows, suite, problems, clock, own_suite=True)
    ended = [
        Ended(
            trial=files.trial,
            status=trial.status,
            reason=trial.reason,
            time=trial.time,
            at=files.at,
            wall=_seconds((files.record.get("off_clock") or {}).get("wall")),
            # Where trials are not timed it is known, and ends none.
            budget=files.record.get("budget_seconds") if clock == "time" else None,
            max_steps=files.record.get("max_steps"),
            unit=unit(clock),
        )
        for files, trial in zip(found, judged, strict=True)
    ]
    return ended, reader.each_once(problems)


def _seconds(value: Any) -> float | None:
    """A record's seconds that nothing scores by, and that therefore nothing has checked."""
    return value if is_number(value) else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
