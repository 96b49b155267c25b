"""Which trial stands for a submission's time on a workload: that of the median study."""

import math
from collections.abc import Sequence

import numpy as np

from scoring.details import Details
from scoring.suite import Suite, WorkloadTarget
from scoring.times import time_table

Cells = dict[tuple[str, str], list[Details]]
"""Trials by submission and workload."""


def by_cell(details: Sequence[Details], suite: Suite) -> Cells:
    """Trials that count, by submission and workload.

    Args:
        details: of trials, from `scoring.details.read_details`.
        suite: says how many trials and studies count.
    """
    of = {id(one.trial): one for one in details}
    cells = time_table([one.trial for one in details], suite).trials
    return {cell: [of[id(trial)] for trial in trials] for cell, trials in cells.items()}


def deciding(trials: Sequence[Details], target: WorkloadTarget) -> list[Details]:
    """The trial that decides each study, from the best study to the worst.

    It is the one with the study's time; where all missed, the one that came nearest to the target.

    Args:
        trials: of one submission on one workload.
        target: of that workload.
    """

    def merit(one: Details) -> tuple[float, float]:
        known = one.metric[np.isfinite(one.metric)]
        sign = 1 if target.direction == "minimize" else -1
        return one.trial.time, float((sign * known).min()) if len(known) else math.inf

    studies: dict[int, list[Details]] = {}
    for one in trials:
        studies.setdefault(one.trial.study, []).append(one)
    return sorted((min(of_study, key=merit) for of_study in studies.values()), key=merit)


def of_median_study(decided: Sequence[Details], studies: int) -> Details | None:
    """The trial that decides the median study, studies that are not there being the worst.

    Of an even number of studies it is the faster of the middle two, unless the other missed, as
    the median then does. Where the median study is not there, the worst that is stands for it.

    Args:
        decided: from `deciding`.
        studies: how many the median is over.

    Returns:
        None if nothing is there.
    """
    if not decided:
        return None
    low, high = (decided[min(i, len(decided) - 1)] for i in ((studies - 1) // 2, studies // 2))
    return high if low.trial.reached and not high.trial.reached else low
