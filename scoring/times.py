"""From trials to one time per submission and workload."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from scoring.suite import Suite
from scoring.trial import Trial
from scoring.walk import Problem


@dataclass(frozen=True)
class TimeTable:
    """Times of S submissions on W workloads.

    Attributes:
        submissions: names, sorted.
        workloads: base workloads, then held-out variants.
        of_study: [N, S, W] times, the least over the study's trials; infinity where missed or
            missing.
        trials: the trials that count, by (submission, workload).
        problems: trials beyond what the suite declares, which do not count.
        found: how many trials there are, interrupted ones left out.
        declared: how many there should be.
        limits: [S, W], what a miss is counted at in a speedup: the budget; where none is recorded,
            the latest that any trial of the workload ended; NaN without logs.
    """

    submissions: tuple[str, ...]
    workloads: tuple[str, ...]
    of_study: np.ndarray
    trials: dict[tuple[str, str], list[Trial]]
    problems: list[Problem] = field(default_factory=list)
    found: int = 0
    declared: int = 0
    limits: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def studies(self) -> int:
        """How many studies the median is over."""
        return len(self.of_study)

    @property
    def median(self) -> np.ndarray:
        """[S, W]: the median over all studies, missing ones as infinity."""
        return median_over_studies(self.of_study)


def median_over_studies(of_study: np.ndarray) -> np.ndarray:
    """Median over the first axis; with an even count, the mean of the middle two.

    Example:
        >>> median_over_studies(np.array([3.0, math.inf, 1.0])).item()
        3.0
    """
    middle = np.sort(of_study, axis=0)
    n = len(middle)
    # By hand, as inf - inf inside numpy's own median warns.
    return (middle[(n - 1) // 2] + middle[n // 2]) / 2


def time_table(trials: Iterable[Trial], suite: Suite, submissions: Iterable[str] = ()) -> TimeTable:
    """Puts trials into a table.

    A study's time is its least *time*, not its least evaluation number: a trial that evaluates
    more often may meet the target at a later evaluation and yet sooner.

    Args:
        trials: in any order; the result does not depend on it.
        suite: declares workloads, studies and trials. Where it declares no number of studies, the
            largest that any submission has is taken, for all.
        submissions: names that get a row even without a trial, as declared ones do.
    """
    problems: list[Problem] = []
    kept = [trial for trial in trials if _declared(trial, suite, problems)]
    with_trials = {trial.submission for trial in kept}
    names = tuple(sorted({*submissions, *with_trials, *(suite.submissions or ())}))
    seen: dict[str, set[int]] = {name: set() for name in names}
    most: dict[str, int] = dict.fromkeys(names, 1)
    for trial in kept:
        seen[trial.submission].add(trial.study)
        most[trial.submission] = max(most[trial.submission], trial.number)
    place = {name: {study: i for i, study in enumerate(sorted(of))} for name, of in seen.items()}
    studies = suite.studies or max(map(len, seen.values()), default=0) or 1
    position = {name: i for i, name in enumerate(names)}
    column = {name: i for i, name in enumerate(suite.names)}
    of_study = np.full((studies, len(names), len(suite.names)), math.inf)
    limits = np.full((len(names), len(suite.names)), math.nan)
    ends = np.full(len(suite.names), math.nan)
    cells: dict[tuple[str, str], list[Trial]] = {}
    for trial in kept:
        study = trial.study if suite.studies else place[trial.submission][trial.study]
        where = study, position[trial.submission], column[trial.workload]
        of_study[where] = min(of_study[where], trial.time)
        limits[where[1:]] = np.fmax(limits[where[1:]], trial.budget)
        ends[where[2]] = np.fmax(ends[where[2]], np.fmax(trial.budget, trial.end))
        cells.setdefault((trial.submission, trial.workload), []).append(trial)
    return TimeTable(
        submissions=names,
        workloads=suite.names,
        of_study=of_study,
        trials=cells,
        problems=problems,
        found=sum(trial.status != "interrupted" for trial in kept),
        # Where it is not declared, a submission owes in each study the most that it has in any.
        declared=sum(suite.trials_of(name) or most[name] for name in names)
        * studies
        * len(suite.names),
        limits=np.where(np.isnan(limits), ends, limits),
    )


def _declared(trial: Trial, suite: Suite, problems: list[Problem]) -> bool:
    """Whether the suite provides for this trial; more tries than allowed are not counted."""
    owed = suite.trials_of(trial.submission)
    if suite.studies is not None and trial.study >= suite.studies:
        what = f"study_{trial.study} is beyond the {suite.studies} declared: not counted"
    elif owed is not None and trial.number > owed:
        what = f"trial_{trial.number} is beyond the {owed} declared: not counted"
    else:
        return True
    problems.append(Problem(trial.path, what))
    return False
