"""Standings of a run in progress: scored over what all submissions have finished, nothing else.

A leaderboard counts a missing study as a miss, so that nobody gains by leaving trials out. Of a run
that is still going on that would say little: whoever runs last would be last. Here a trial that has
not run is no miss; it is left out, for everybody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scoring import profiles
from scoring.suite import Suite, WorkloadTarget
from scoring.times import median_over_studies
from scoring.uncertainty import ranks

Identity = tuple[str, int, str, int]
"""Submission, study from 0, workload, trial from 1; as `scoring.walk.TrialPath.identity`."""


@dataclass(frozen=True)
class Standing:
    """One submission.

    Attributes:
        name: the submission.
        finished: trials that it has finished.
        owed: trials that it is to run.
        rank: from 1, equal scores sharing the better; None as long as there is nothing to compare.
        score: provisional, in [0, 1]; None likewise.
        times: on the workloads that count, before the rules; infinity if missed.
        ratios: to the fastest, after the rules; infinity where it does not count.
    """

    name: str
    finished: int
    owed: int
    rank: int | None
    score: float | None
    times: Mapping[str, float]
    ratios: Mapping[str, float]

    @property
    def reached(self) -> int:
        """Workloads that count and whose target was reached, held-out variants included."""
        return int(np.isfinite(list(self.times.values())).sum())


@dataclass(frozen=True)
class Standings:
    """All submissions, best first; those that have not begun last.

    Attributes:
        rows: one of each declared submission.
        workloads: that count: base workloads, then held-out variants.
        base: how many of them are base workloads.
        compared: trials that the scores are over.
    """

    rows: tuple[Standing, ...]
    workloads: tuple[str, ...]
    base: int
    compared: int


def standings(times: Mapping[Identity, float], suite: Suite) -> Standings:
    """Scores what all submissions that have begun have finished.

    A round is one trial number of one study on one workload. It counts as soon as every submission
    that has begun, and owes a trial of this number, has finished it. A study's time is the least
    over its rounds, a workload's the median over its studies, as far as they count; the rules and
    the score are the protocol's, over the workloads that have a study that counts, with a held-out
    variant only beside its base. Of several submissions two must have begun. Once all is done this
    is the leaderboard's score.

    Args:
        times: of finished trials; infinity where the target was missed.
        suite: declares submissions, studies and trials.

    Example:
        >>> from scoring.suite import parse_suite
        >>> target = {"target_metric_name": "loss", "validation_target_value": 1.0}
        >>> suite = parse_suite({"base_workloads": ["w"], "workloads": {"w": target}, "studies": 1,
        ...                      "trials": 1, "submissions": {"a": {}, "b": {}, "c": {}}})
        >>> now = standings({("a", 0, "w", 1): 2.0, ("b", 0, "w", 1): 4.0}, suite)
        >>> [(row.name, row.score) for row in now.rows]
        [('a', 1.0), ('b', 0.6666666666666666), ('c', None)]
    """
    owed = {name: suite.trials_of(name) or 1 for name in suite.submissions or ()}
    finished = dict.fromkeys(owed, 0)
    for identity in times:
        finished[identity[0]] += 1
    begun = [name for name in owed if finished[name]]
    if len(begun) == 1 < len(owed):
        begun = []  # nobody to compare it with
    rounds = {
        target.name: _rounds(target.name, times, begun, owed, suite.studies or 1)
        for target in suite.workloads
    }
    base = [target for target in suite.base if rounds[target.name]]
    names = {target.name for target in base}
    held_out = [t for t in suite.held_out if rounds[t.name] and t.base in names]
    counted = [target.name for target in (*base, *held_out)]
    found = _compare(times, begun, owed, rounds, base, held_out)
    rows = [
        Standing(name, finished[name], owed[name] * (suite.studies or 1) * len(suite.names),
                 *found.get(name, (None, None, {}, {})))
        for name in owed
    ]  # fmt: skip
    compared = sum(
        number <= owed[name]
        for workload in counted
        for of_study in rounds[workload].values()
        for number in of_study
        for name in begun
    )
    rows.sort(key=lambda row: (row.rank or len(owed) + 1, row.name))
    return Standings(tuple(rows), tuple(counted), len(base), compared)


def _rounds(
    workload: str,
    times: Collection[Identity],
    begun: Sequence[str],
    owed: Mapping[str, int],
    studies: int,
) -> dict[int, list[int]]:
    """By study, the trial numbers that count; studies whose first one does not are left out."""
    found = {}
    for study in range(studies):
        counting = [
            number
            for number in range(1, max((owed[name] for name in begun), default=0) + 1)
            if all(
                (name, study, workload, number) in times for name in begun if number <= owed[name]
            )
        ]
        if 1 in counting:  # the only one that every ruleset owes
            found[study] = counting
    return found


def _compare(
    times: Mapping[Identity, float],
    begun: Sequence[str],
    owed: Mapping[str, int],
    rounds: Mapping[str, Mapping[int, Iterable[int]]],
    base: Sequence[WorkloadTarget],
    held_out: Sequence[WorkloadTarget],
) -> dict[str, tuple]:
    """(rank, score, times, ratios) by name of the submissions that have begun."""
    if not base:
        return {}

    def of_study(name: str, workload: str, study: int) -> float:
        numbers = [n for n in rounds[workload][study] if n <= owed[name]]
        return min(times[name, study, workload, number] for number in numbers)

    counted = [target.name for target in (*base, *held_out)]
    median = np.stack(
        [
            median_over_studies(
                np.array([[of_study(name, w, study) for name in begun] for study in rounds[w]])
            )
            for w in counted
        ],
        axis=1,
    )
    names = [target.name for target in base]
    index = [names.index(target.base) for target in held_out]
    relative = profiles.relative_to_best(median, len(base), index)
    scores = profiles.integrate(relative[:, : len(base)])
    order = ranks(scores)
    return {
        name: (int(order[s]), float(scores[s]), dict(zip(counted, median[s].tolist(), strict=True)),
               dict(zip(counted, relative[s].tolist(), strict=True)))
        for s, name in enumerate(begun)
    }  # fmt: skip
