"""Turns the records of a results directory into a flat list of trials."""

import math
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.records import EVALUATIONS_FILE, SUITE_FILE, TRIAL_FILE
from scoring.clocks import CLOCKS, STEP_COLUMN, TIME_COLUMN, first_hit, steps_at, time_at, unit
from scoring.contradictions import void_copies, void_other_targets
from scoring.evaluations import Evaluations, MalformedError, Request, read_many
from scoring.record import VOID_STATUSES, read_record, says
from scoring.suite import Suite, WorkloadTarget
from scoring.walk import Problem, TrialPath, walk, without_logs

_UNREADABLE = "meets the target, but the clock {!r} cannot be read there: not counted"


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
            cannot be used "unreadable"; a copy, or a trial for another target, "invalid".
        reason: why, where the record says so.
        path: the trial's directory.
        notes: what was wrong with its files.
        recorded: whether it has a trial.json, which AlgoPerf's own logs never have.
        timed: whether its seconds mean anything; they do not where points shared a program, or
            where an exploration stopped the trial.
        limit: on the chosen clock, what a miss is counted at in a speedup: the budget where one is
            recorded (and, where the clock has it, the time of compiling), else where the logs end;
            NaN without logs.
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
    recorded: bool = False
    timed: bool = True
    limit: float = math.nan

    @property
    def reached(self) -> bool:
        """Whether the trial counts as having met the target."""
        return math.isfinite(self.time)


@dataclass(frozen=True)
class Records:
    """Everything a results directory says about a suite.

    Attributes:
        trials: in a fixed order.
        submissions: that have a directory, with or without trials of the suite.
        problems: what was malformed, and is skipped or voided; a path at most once.
        clock: that the trials' times are on.
    """

    trials: list[Trial]
    submissions: list[str]
    problems: list[Problem]
    clock: str = "time"


def read_records(
    results_dir: str | Path,
    suite: Suite,
    known: Collection[str] | None = None,
    clock: str = "time",
) -> Records:
    """Reads every trial of a suite's workloads.

    Args:
        results_dir: the directory whose subdirectories are submissions.
        suite: says which workloads to read, and their targets.
        known: workloads that are left out on purpose, so no reason to complain.
        clock: one of `scoring.clocks.CLOCKS`.

    Raises:
        UsageError: the directory is missing or holds no trial of the suite; an unknown clock, or
            one that the trials were not timed by.
    """
    if clock not in CLOCKS:
        raise unknown_name("clock", clock, CLOCKS)
    found = walk(results_dir, suite.names, known)
    targets = {target.name: target for target in suite.workloads}
    problems = list(found.problems)
    records = [_record(where, problems) for where in found.trials]
    rows = read_many(
        Request(
            os.path.join(where.path, EVALUATIONS_FILE),
            (TIME_COLUMN, targets[where.workload].column),
            (STEP_COLUMN,),
            (record or {}).get("evaluations_sha256"),
        )
        for where, record in zip(found.trials, records, strict=True)
    )
    # Of workloads that a directory's own suite declares some may not have been run yet.
    own_suite = Path(suite.where) == Path(results_dir) / SUITE_FILE
    if own_suite:
        void_other_targets(found.trials, records, suite, problems)
    void_copies(found.trials, records, problems)
    problems += without_logs(results_dir, suite.names, found, only_misspelt=own_suite)
    trials = []
    for where, record, read in zip(found.trials, records, rows, strict=True):
        trial = _trial(where, targets[where.workload], record, read, clock, problems)
        if trial is not None:
            trials.append(trial)
    _refuse_untimed(trials, clock)
    _refuse_clockless(trials, clock)
    trials = _without_unfinished(trials, problems)
    return Records(trials, found.submissions, each_once(problems), clock)


def _record(where: TrialPath, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        return read_record(where)
    except MalformedError as error:
        # What cannot be read might say "error": such a trial must not score.
        problems.append(Problem(os.path.join(where.path, TRIAL_FILE), str(error)))
        return {"status": "unreadable", "reason": str(error)}


def _trial(
    where: TrialPath,
    target: WorkloadTarget,
    record: dict[str, Any] | None,
    rows: Evaluations | MalformedError,
    clock: str,
    problems: list[Problem],
) -> Trial | None:
    """One trial; None if it holds neither a record nor evaluations."""
    csv_path = os.path.join(where.path, EVALUATIONS_FILE)
    known = record or {}
    status, reason = known.get("status"), known.get("reason")
    time, steps, notes = math.inf, None, []
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
            time, steps = _outcome(where, target, record, rows, clock, notes)
    if notes:
        problems.append(Problem(csv_path, "; ".join(notes)))
    return Trial(
        submission=where.submission,
        study=where.study,
        workload=where.workload,
        number=where.number,
        time=time,
        steps=steps,
        status=status or ("target_reached" if math.isfinite(time) else "missed"),
        reason=reason,
        path=where.path,
        notes=tuple(notes),
        recorded=record is not None,
        timed=known.get("timed", True),
        limit=_limit(rows, known, clock),
    )


def _outcome(
    where: TrialPath,
    target: WorkloadTarget,
    record: dict[str, Any] | None,
    rows: Evaluations,
    clock: str,
    notes: list[str],
) -> tuple[float, int | None]:
    """(time, steps) of a trial's hit, or (infinity, None)."""
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
        return time, steps_at(rows, row)
    if record is None and clock != "steps":
        raise _no_clock(clock, where.path)
    notes.append(_UNREADABLE.format(clock))
    return math.inf, None


def _limit(rows: Evaluations | MalformedError, record: dict[str, Any], clock: str) -> float:
    """What a miss counts: see `Trial.limit`."""
    budget = record.get("budget_seconds")
    if unit(clock) == "s" and budget is not None:
        # Compiling is not part of the budget.
        compiling = (record.get("off_clock") or {}).get("compile") or 0.0
        return float(budget) + (compiling if clock == "time+compile" else 0.0)
    if isinstance(rows, MalformedError):
        return math.nan
    column = rows.columns.get(TIME_COLUMN if unit(clock) == "s" else STEP_COLUMN, np.empty(0))
    column = column[np.isfinite(column)]
    return float(column.max()) if len(column) else math.nan


def _no_clock(clock: str, path: str) -> UsageError:
    if clock == "steps":
        return UsageError(
            f"{path}: met its target, but logs no {STEP_COLUMN}: score by --clock time"
        )
    return UsageError(
        f"{path}: met its target, but has no {TRIAL_FILE} that knows the clock {clock!r}, as"
        " AlgoPerf's own logs have not: score by --clock time or --clock steps"
    )


def _refuse_untimed(trials: list[Trial], clock: str) -> None:
    untimed = [trial.path for trial in trials if not trial.timed]
    if untimed and clock != "steps":
        raise UsageError(
            f"{len(untimed)} of {len(trials)} trials were not timed, as in an exploration with"
            f" --vectorize or --stop-hopeless ({untimed[0]}): they cannot be scored by time. Score"
            " them by --clock steps, or score what `algoperf-lite run` recorded"
        )


def _refuse_clockless(trials: list[Trial], clock: str) -> None:
    """A file that lacks what a clock needs is a damaged one, unless none has it."""
    if not any(trial.reached for trial in trials):
        for trial in trials:
            if _UNREADABLE.format(clock) in trial.notes:
                raise _no_clock(clock, trial.path)


def _without_unfinished(trials: list[Trial], problems: list[Problem]) -> list[Trial]:
    """Voids trials that lack the trial.json which others of the same submission have.

    Its presence ends a trial, so these were killed or are still running.
    """
    recorded = {trial.submission for trial in trials if trial.recorded}
    result = []
    for trial in trials:
        if trial.submission in recorded and not trial.recorded:
            reason = f"has no {TRIAL_FILE}: unfinished, not counted"
            problems.append(Problem(trial.path, reason))
            trial = replace(  # noqa: PLW2901
                trial, time=math.inf, steps=None, status="interrupted", reason=reason
            )
        result.append(trial)
    return result


def each_once(problems: Iterable[Problem]) -> list[Problem]:
    """Problems with those of one path put together."""
    whats: dict[str, list[str]] = {}
    for problem in problems:
        whats.setdefault(problem.path, []).append(problem.what)
    return [Problem(path, "; ".join(dict.fromkeys(of_path))) for path, of_path in whats.items()]


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
