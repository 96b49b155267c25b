"""One trial as the scorer sees it: what its record and its evaluations come to."""

import math
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from algoperf_lite.errors import UsageError
from algoperf_lite.records import EVALUATIONS_FILE, TRIAL_FILE
from scoring.clocks import STEP_COLUMN, TIME_COLUMN, first_hit, steps_at, time_at, unit
from scoring.evaluations import Evaluations, MalformedError, Request
from scoring.record import VOID_STATUSES, ended_elsewhere, says
from scoring.suite import WorkloadTarget
from scoring.walk import Problem, TrialPath

CLOCKLESS = "meets the target, but lacks what the clock {!r} needs: not counted"


@dataclass(frozen=True)
class Trial:
    """One trial as the scorer sees it.

    Attributes:
        submission: whose it is.
        study: from 0.
        workload: without the framework suffix.
        number: from 1.
        time: on the chosen clock, at the first evaluation that met the target within the budget;
            infinity if none did or the trial is void.
        steps: steps at that evaluation; None if missed or not logged.
        status: how it ended. Logs without a trial.json get "target_reached" or "missed"; files that
            cannot be used "unreadable"; a copy, or a trial for another target, "invalid", as is
            one that the harness found to break the rules of timing.
        reason: why, where the record says so.
        path: the trial's directory.
        notes: what was wrong with its files.
        timed: whether its seconds mean anything; they do not where points shared a program,
            where an exploration stopped the trial, or of a run that was untimed.
        budget: on the chosen clock: the seconds that were recorded, by time+compile with those of
            compiling, or by steps the most steps; NaN where none is recorded.
        end: where its logs end, in seconds as logged, or by steps no sooner than at the step hint;
            NaN without logs.
        hit: row of its evaluations that `time` is of; None if missed.
        recorded: how its record says that it ended, which `status` leaves where the record is not
            believed; None without a record.
        noisy: whether its record says that the machine was busy while it was timed.
        host_loop: whether it says that the submission was called from Python once per step.
    """

    submission: str
    study: int
    workload: str
    number: int
    time: float
    steps: int | None
    status: str
    reason: str | None
    path: str
    notes: tuple[str, ...] = ()
    timed: bool = True
    budget: float = math.nan
    end: float = math.nan
    hit: int | None = None
    recorded: str | None = None
    noisy: bool = False
    host_loop: bool = False

    @property
    def reached(self) -> bool:
        """Whether the trial counts as having met the target."""
        return math.isfinite(self.time)


def request(where: TrialPath, target: WorkloadTarget, record: dict[str, Any] | None) -> Request:
    """What to read of a trial's evaluations."""
    path = os.path.join(where.path, EVALUATIONS_FILE)
    digest = (record or {}).get("evaluations_sha256")
    return Request(path, (TIME_COLUMN, target.column), (STEP_COLUMN,), digest)


def judge(
    where: TrialPath,
    target: WorkloadTarget,
    record: dict[str, Any] | None,
    rows: Evaluations | MalformedError,
    clock: str,
    problems: list[Problem],
    recorded: str | None = None,
) -> Trial | None:
    """What a trial's files come to.

    Args:
        where: it is.
        target: of its workload.
        record: from `scoring.record.read_record`; of AlgoPerf's own logs, None.
        rows: its evaluations as `request` asks for them, or why they cannot be used.
        clock: one of `scoring.clocks.CLOCKS`.
        problems: what is malformed is added here.
        recorded: the status in its trial.json, which may have been voided since.

    Returns:
        None if it holds neither a record nor evaluations.

    Raises:
        UsageError: AlgoPerf's own logs do not know this clock.
    """
    csv_path = os.path.join(where.path, EVALUATIONS_FILE)
    known = record or {}
    status, reason = known.get("status"), known.get("reason")
    time, hit, notes = math.inf, None, []
    if isinstance(rows, MalformedError):
        there = os.path.exists(csv_path)
        # A trial that failed before its first evaluation needs no evaluations.
        if status not in VOID_STATUSES or there:
            problems.append(Problem(csv_path if there else where.path, str(rows)))
        if record is None:
            return None
        if status not in VOID_STATUSES:
            status, reason = "unreadable", f"{EVALUATIONS_FILE} {rows}"
    else:
        notes = rows.notes + _oddities(rows, status)
        if status not in VOID_STATUSES:
            time, hit = _outcome(where, target, record, rows, clock, notes)
            if hit is None and (other := ended_elsewhere(record, target)):
                status, reason = "invalid", other
                notes.append(other)
    if notes:
        problems.append(Problem(csv_path, "; ".join(notes)))
    return Trial(
        submission=where.submission,
        study=where.study,
        workload=where.workload,
        number=where.number,
        time=time,
        steps=None if hit is None else steps_at(rows, hit),
        status=status or ("target_reached" if math.isfinite(time) else "missed"),
        reason=reason,
        path=where.path,
        notes=tuple(notes),
        timed=known.get("timed", True),
        noisy=known.get("noisy") is True,
        host_loop=known.get("host_loop") is True,
        budget=_budget(known, clock),
        end=_end(rows, target, clock),
        hit=hit,
        recorded=recorded,
    )


def _outcome(
    where: TrialPath,
    target: WorkloadTarget,
    record: dict[str, Any] | None,
    rows: Evaluations,
    clock: str,
    notes: list[str],
) -> tuple[float, int | None]:
    """(time, row) of a trial's hit, or (infinity, None)."""
    known = record or {}
    timed = known.get("timed", True) or clock != "steps"
    row = first_hit(rows, target, known.get("budget_seconds"), timed)
    said = says(record, target)
    if said is not None and said != (row is not None):
        met = "no row meets" if row is None else "meets"
        notes.append(f"{met} the target, but {TRIAL_FILE} says {known['status']}: not counted")
        row = None
    if row is None:
        return math.inf, None
    time = time_at(clock, rows, row, record)
    if time is not None:
        return time, row
    if record is None and clock != "steps":
        raise no_clock(clock, where.path)
    notes.append(CLOCKLESS.format(clock))
    return math.inf, None


def _budget(record: dict[str, Any], clock: str) -> float:
    budget = record.get("max_steps" if unit(clock) == "steps" else "budget_seconds")
    if budget is None:
        return math.nan
    # Compiling is not part of the budget.
    compiling = (record.get("off_clock") or {}).get("compile") or 0.0
    return float(budget) + (compiling if clock == "time+compile" else 0.0)


def _end(rows: Evaluations | MalformedError, target: WorkloadTarget, clock: str) -> float:
    if isinstance(rows, MalformedError):
        return math.nan
    in_steps = unit(clock) == "steps"
    column = rows.columns.get(STEP_COLUMN if in_steps else TIME_COLUMN, np.empty(0))
    column = column[np.isfinite(column)]
    end = float(column.max()) if len(column) else math.nan
    return max(end, float(target.step_hint or 0)) if in_steps and len(column) else end


def no_clock(clock: str, path: str) -> UsageError:
    """The error for a trial whose time on a clock is not recorded."""
    if clock == "steps":
        return UsageError(
            f"{path}: met its target, but logs no {STEP_COLUMN}: score by --clock time"
        )
    return UsageError(
        f"{path}: met its target, but has no {TRIAL_FILE} that knows the clock {clock!r}, as"
        " AlgoPerf's own logs have not: score by --clock time or --clock steps"
    )


def _oddities(rows: Evaluations, status: str | None) -> list[str]:
    """What is readable and yet cannot be right."""
    seconds = rows.columns[TIME_COLUMN]
    if len(seconds) == 0:
        return [] if status in VOID_STATUSES else ["holds no evaluation"]
    if seconds[0] >= 0 and (seconds[1:] >= seconds[:-1]).all():
        return []  # as nearly always
    notes = []
    if (seconds < 0).any():
        notes.append(f"{TIME_COLUMN} is negative: such rows are not counted")
    seconds = seconds[np.isfinite(seconds)]
    if (seconds[1:] < seconds[:-1]).any():
        notes.append(f"{TIME_COLUMN} decreases")
    return notes
