"""Turns the records of a results directory into a flat list of trials."""

import os
from collections.abc import Collection, Iterable, MutableSequence, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.records import SUITE_FILE, TRIAL_FILE
from scoring.clocks import CLOCKS
from scoring.evaluations import Evaluations, MalformedError, read_many
from scoring.record import read_record
from scoring.suite import Suite
from scoring.trial import CLOCKLESS, Trial, judge, no_clock, request
from scoring.voiding import void_copies, void_other_targets, void_unfinished
from scoring.walk import Problem, TrialPath, walk, without_logs


@dataclass(frozen=True)
class Records:
    """Everything a results directory says about a suite.

    Attributes:
        trials: in a fixed order.
        submissions: that take part and have a directory, with or without trials of the suite.
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
    # Of workloads that a directory's own suite declares some may not have been run yet.
    own_suite = Path(suite.where) == Path(results_dir) / SUITE_FILE
    declared, strangers = _declared(results_dir, found.submissions, suite)
    places = [where for where in found.trials if where.submission in declared]
    trials, problems = read_trials(places, suite, clock, own_suite=own_suite)
    problems += without_logs(results_dir, suite.names, found, only_misspelt=own_suite)
    _refuse_untimed(trials, clock)
    _refuse_clockless(trials, clock)
    return Records(trials, declared, each_once((*found.problems, *strangers, *problems)), clock)


def _declared(
    results_dir: str | Path, found: Sequence[str], suite: Suite
) -> tuple[list[str], list[Problem]]:
    """The submissions that take part: all, if the suite declares none."""
    declared = set(suite.submissions or found)
    what = (
        "is not among the submissions that the suite declares: not counted; `algoperf-lite merge`"
        " puts results directories together"
    )
    strangers = [Problem(os.path.join(results_dir, n), what) for n in found if n not in declared]
    return [name for name in found if name in declared], strangers


def read_trials(
    places: Sequence[TrialPath], suite: Suite, clock: str = "time", *, own_suite: bool = False
) -> tuple[list[Trial], list[Problem]]:
    """Reads trials that were found already.

    Args:
        places: where they are; all of a results directory, as some void others.
        suite: with their targets.
        clock: see `read_records`.
        own_suite: whether the suite lies in the results directory, and so cannot have other
            targets than the trials.

    Returns:
        The trials that have any files, in the order of `places`, and what is malformed.

    Raises:
        UsageError: AlgoPerf's own logs do not know this clock.
    """
    targets = {target.name: target for target in suite.workloads}
    problems: list[Problem] = []
    records = [_record(where, problems) for where in places]
    rows = read_many(
        request(where, targets[where.workload], record)
        for where, record in zip(places, records, strict=True)
    )
    judged = judge_all(places, records, rows, suite, problems, clock, own_suite=own_suite)
    return [trial for trial in judged if trial is not None], problems


def judge_all(
    places: Sequence[TrialPath],
    records: MutableSequence[dict[str, Any] | None],
    rows: Sequence[Evaluations | MalformedError],
    suite: Suite,
    problems: list[Problem],
    clock: str = "time",
    *,
    own_suite: bool = False,
) -> list[Trial | None]:
    """What trials come to whose files are read: voids what never scores, then judges each.

    Args:
        places: see `read_trials`.
        records: the trial.json of each, or None; the voided are changed in place.
        rows: its evaluations as `scoring.trial.request` asks for them.
        suite: see `read_trials`.
        problems: what is found is added here.
        clock: see `read_records`.
        own_suite: see `read_trials`.

    Returns:
        In the order of `places`; None for one that has no files.

    Raises:
        UsageError: AlgoPerf's own logs do not know this clock.
    """
    recorded = [record and record["status"] for record in records]
    void_unfinished(places, records, problems)
    if own_suite:
        void_other_targets(places, records, suite, problems)
    void_copies(places, records, problems)
    targets = {target.name: target for target in suite.workloads}
    return [
        judge(where, targets[where.workload], record, read, clock, problems, own)
        for where, record, read, own in zip(places, records, rows, recorded, strict=True)
    ]


def _record(where: TrialPath, problems: list[Problem]) -> dict[str, Any] | None:
    try:
        return read_record(where)
    except MalformedError as error:
        # What cannot be read might say "error": such a trial must not score.
        problems.append(Problem(os.path.join(where.path, TRIAL_FILE), str(error)))
        return {"status": "unreadable", "reason": str(error)}


def _refuse_untimed(trials: list[Trial], clock: str) -> None:
    untimed = [trial.path for trial in trials if not trial.timed]
    if untimed and clock != "steps":
        raise UsageError(
            f"{len(untimed)} of {len(trials)} trials were not timed, as in a run with --untimed or"
            f" an exploration with --vectorize or --stop-hopeless ({untimed[0]}): they cannot be"
            " scored by time. Score them by --clock steps, or score what `algoperf-lite run`"
            " recorded without --untimed"
        )


def _refuse_clockless(trials: list[Trial], clock: str) -> None:
    """A file that lacks what a clock needs is a damaged one, unless none has it."""
    if not any(trial.reached for trial in trials):
        for trial in trials:
            if CLOCKLESS.format(clock) in trial.notes:
                raise no_clock(clock, trial.path)


def each_once(problems: Iterable[Problem]) -> list[Problem]:
    """Problems with those of one path put together."""
    whats: dict[str, list[str]] = {}
    for problem in problems:
        whats.setdefault(problem.path, []).append(problem.what)
    return [Problem(path, "; ".join(dict.fromkeys(of_path))) for path, of_path in whats.items()]
