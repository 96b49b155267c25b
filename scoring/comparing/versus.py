"""One submission against another: pairs their studies, and says what each workload shows."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoring.comparing.comparable import differences
from scoring.comparing.comparison import Comparison, Side, Times, WorkloadComparison
from scoring.comparing.paired import (
    LEAST_PAIRS,
    LEAST_STUDIES,
    LEVEL,
    Ratio,
    apart,
    holm,
    overall_test,
    workload_test,
)
from scoring.comparing.remarks import what_to_know
from scoring.details import Details, read_details
from scoring.suite import Suite, WorkloadTarget
from scoring.times import median_over_studies, time_table
from scoring.trial import Trial
from scoring.uncertainty import bootstrap

_OTHER_RULES = "A and B are held to different rulesets: each counts all trials of its own"
_SAY_NOTHING = ("interrupted", "invalid", "stopped", "unreadable")


@dataclass(frozen=True)
class Trials:
    """The trials of a submission.

    Attributes:
        counted: by workload, those that count, read whole.
        void: by workload that has others, why they say nothing.
    """

    counted: Mapping[str, Sequence[Details]]
    void: Mapping[str, str]

    def absence(self, workload: str, name: str) -> str:
        """Why nothing counts on a workload; `name` is whose trials these are."""
        why = self.void.get(workload)
        return f"no trial of {name} that counts: {why}" if why else f"not run by {name}"


def trials_of(submission: str, trials: Sequence[Trial], suite: Suite) -> Trials:
    """The trials of a submission that count, and why others do not.

    Unfinished ones, and those whose record is not believed, say nothing, not even that they missed.
    Those that broke the rules of timing did miss.

    Args:
        submission: whose.
        trials: of a results directory.
        suite: says how many trials count.
    """
    own = [trial for trial in trials if trial.submission == submission]
    void = {trial.workload: trial.reason or trial.status for trial in own if _says_nothing(trial)}
    own = [trial for trial in own if not _says_nothing(trial)]
    cells = time_table(own, suite.with_submissions([submission])).trials.values()
    found: dict[str, list[Details]] = {}
    for details in read_details([trial for cell in cells for trial in cell], suite):
        found.setdefault(details.trial.workload, []).append(details)
    return Trials(found, void)


def _says_nothing(trial: Trial) -> bool:
    broke_rules = trial.recorded == trial.status == "invalid"
    return trial.status in _SAY_NOTHING and not broke_rules


def versus(
    sides: tuple[Side, Side],
    trials: tuple[Trials, Trials],
    targets: Sequence[tuple[WorkloadTarget, WorkloadTarget]],
    rulesets: tuple[str | None, str | None],
    across: Collection[str] = (),
) -> Comparison:
    """Compares two submissions; p values are not yet corrected, see `corrected`.

    Args:
        sides: A and B.
        trials: what `trials_of` found of each.
        targets: of each workload to compare on, as A's and B's suites declare it.
        rulesets: that A and B are held to.
        across: kinds of difference that do not matter, of `scoring.comparing.comparable.KINDS`.
    """
    same_rules = rulesets[0] == rulesets[1]
    cells, details = [], []
    for target_a, target_b in targets:
        name = target_a.name
        a, b = (list(side.counted.get(name, ())) for side in trials)
        left_out = ()
        if same_rules:
            a, b, left_out = _in_common(a, b)
        unlike = differences(a, b, target_a, target_b)
        absent = [s.absence(name, n) for s, own, n in zip(trials, (a, b), "AB", strict=True)
                  if not own]  # fmt: skip
        cells.append(_cell(name, a, b, unlike, across, left_out, absent))
        details.append((a, b))
    rows = [compared(cell, *ends) for cell, ends in zip(cells, _intervals(cells), strict=True)]
    counted = [cell.times for cell, row in zip(cells, rows, strict=True) if row.mark != "x"]
    pooled = np.concatenate([np.empty((2, 0)), *counted], axis=1)
    notes = [] if same_rules else [_OTHER_RULES]
    notes += what_to_know(details)
    return Comparison(*sides, tuple(rows), overall_test(*pooled), notes=tuple(notes))


def corrected(found: Sequence[Comparison], at_least: float) -> tuple[Comparison, ...]:
    """Corrects p values for all tests of one call, and marks what is significant after that.

    The tests of workloads are one family, over all submissions; those over all workloads another.

    Args:
        found: comparisons, as `versus` returns them.
        at_least: ratio of two times that is worth a mark.
    """
    p = iter(
        holm(row.ratio.p if row.mark == "~" else math.nan for c in found for row in c.workloads)
    )
    overall = holm(comparison.overall.p for comparison in found)
    result = []
    for comparison, p_overall in zip(found, overall.tolist(), strict=True):
        rows = tuple(_judged(row, float(next(p)), at_least) for row in comparison.workloads)
        mark = _mark_of_all(comparison, p_overall, at_least)
        result.append(replace(comparison, workloads=rows, p=p_overall, mark=mark))
    return tuple(result)


def _judged(row: WorkloadComparison, p: float, at_least: float) -> WorkloadComparison:
    way = apart(row.ratio.ratio, at_least)
    if not p < LEVEL:
        alone = "significant by itself, not among so many tests: more studies would tell"
        note = alone if row.ratio.p < LEVEL <= p else None
    elif not way:
        note = f"significant, but less than {at_least:g} times apart: a machine's state can do that"
    elif way < 0 and row.b.hits < row.a.hits:
        note = "faster where both reached the target, in fewer studies: not counted as faster"
    else:
        return replace(row, p=p, mark="+" if way > 0 else "-")
    return replace(row, p=p, notes=(*row.notes, *([note] if note else [])))


def _mark_of_all(comparison: Comparison, p: float, at_least: float) -> str:
    if all(row.mark == "x" for row in comparison.workloads):
        return "x"
    if comparison.overall.pairs < LEAST_PAIRS:
        return "?" if comparison.overall.pairs else "."
    return {1: "+", 0: "~", -1: "-"}[comparison.overall.verdict(p, at_least)]


@dataclass(frozen=True)
class Pairs:
    """Two submissions on one workload.

    Attributes:
        workload: its name.
        times: [2, N] of A and B in the N studies that both ran; infinity where missed.
        floor: [N] variance of each log ratio due to rounding to evaluations.
        obstacles: why they may not be compared.
        left_out: what only one of them has.
        notes: what else there is to know.
    """

    workload: str
    times: np.ndarray
    floor: np.ndarray
    obstacles: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _cell(
    workload: str,
    a: Sequence[Details],
    b: Sequence[Details],
    unlike: Mapping[str, str],
    across: Collection[str],
    left_out: Sequence[str],
    absent: Sequence[str],
) -> Pairs:
    best_a, best_b = _best(a), _best(b)
    studies = sorted(best_a.keys() & best_b.keys())
    pairs = [(best_a[study], best_b[study]) for study in studies]
    obstacles = [what for kind, what in unlike.items() if kind not in across]
    if not studies:
        obstacles += absent or ["no study that both ran"]
    return Pairs(
        workload=workload,
        times=np.array([[d.trial.time for d in pair] for pair in pairs]).reshape(-1, 2).T,
        floor=np.array([_rounding(*pair) for pair in pairs]),
        obstacles=tuple(obstacles),
        left_out=tuple(left_out),
        notes=tuple(f"compared though {what}" for kind, what in unlike.items() if kind in across),
    )


def compared(
    cell: Pairs, interval_a: tuple | None = None, interval_b: tuple | None = None
) -> WorkloadComparison:
    """What a workload shows before it is known how many tests there are, see `corrected`."""
    a, b = (
        Times(float(median_over_studies(times)) if len(times) else math.nan, interval,
              tuple(times.tolist()))
        for times, interval in zip(cell.times, (interval_a, interval_b), strict=True)
    )  # fmt: skip
    ratio, notes = workload_test(*cell.times, cell.floor), cell.notes
    mark = {(True, False): "!", (False, True): "*", (False, False): "."}.get((a.reached, b.reached))
    if any(2 * np.isfinite(times).sum() == len(times) for times in cell.times):
        mark = None  # met in half of the studies, the median study says neither
    untested = (*cell.obstacles, *cell.left_out)
    if cell.obstacles:
        mark, ratio = "x", Ratio(0)
    elif not np.isfinite(cell.times).all():
        met = f"target met in {a.met} studies by A, {b.met} by B"
        lost = mark is None and (np.isfinite(cell.times[0]) & np.isinf(cell.times[1])).any()
        untested, notes = (met, *untested) if lost else untested, notes if lost else (met, *notes)
    if mark is None and ratio.pairs < LEAST_STUDIES:
        mark = "?"
        untested = (f"too few studies: {ratio.pairs}, {LEAST_STUDIES} are needed", *untested)
    return WorkloadComparison(
        cell.workload, mark or "~", a, b, ratio, notes=(*untested, *notes), untested=untested
    )


def _intervals(cells: Sequence[Pairs]) -> list[tuple[tuple | None, tuple | None]]:
    """Of A and B in each cell, as on a leaderboard; cells with as many studies at once."""
    found: list[tuple] = [(None, None)] * len(cells)
    for studies in {cell.times.shape[1] for cell in cells if cell.times.size}:
        alike = [i for i, cell in enumerate(cells) if cell.times.shape[1] == studies]
        of_study = np.stack([cells[i].times.T for i in alike], axis=-1)
        drawn = bootstrap(of_study, lambda times, slack: np.zeros(times.shape[:-1]))
        if drawn is not None:
            for column, i in enumerate(alike):
                found[i] = tuple(tuple(ends) for ends in drawn.time[:, column].tolist())
    return found


def _in_common(
    a: list[Details], b: list[Details]
) -> tuple[list[Details], list[Details], tuple[str, ...]]:
    """The trials of either side that the other has too, and a note on those that it lacks."""
    in_a, in_b = ({(d.trial.study, d.trial.number) for d in side} for side in (a, b))
    both = in_a & in_b
    lacking = [
        f"{name} lacks {len(missing)} of {len(of_other)} trials"
        for name, missing, of_other in (("B", in_a - in_b, in_a), ("A", in_b - in_a, in_b))
        if missing and both
    ]
    notes = (f"{' and '.join(lacking)}: left out",) if lacking else ()
    kept = ([d for d in side if (d.trial.study, d.trial.number) in both] for side in (a, b))
    return (*kept, notes) if both else (a, b, notes)


def _best(trials: Sequence[Details]) -> dict[int, Details]:
    """The fastest trial of each study; where all missed, one of them."""
    best: dict[int, Details] = {}
    for details in sorted(trials, key=lambda d: (d.trial.time, d.trial.number)):
        best.setdefault(details.trial.study, details)
    return best


def _rounding(a: Details, b: Details) -> float:
    """Variance of the log ratio of two times that comes of evaluating now and then.

    A target that was met at some moment since the evaluation before is met at all moments alike:
    a uniform distribution. Where both met it at the same step, the rounding is the same.
    """
    if a.trial.steps == b.trial.steps:
        return 0.0
    return (_grain(a) ** 2 + _grain(b) ** 2) / 12


def _grain(details: Details) -> float:
    """Steps since the evaluation before the target was met, relative to the steps until then."""
    row, steps = details.trial.hit, details.trial.steps
    if not steps or row >= len(details.steps):
        return 0.0
    before = details.steps[row - 1] if row else 0.0
    grain = 1 - before / steps
    return float(np.clip(grain, 0, 1)) if math.isfinite(grain) else 0.0
