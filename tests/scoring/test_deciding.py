"""Which trial stands for a study, and which for a cell."""

import math

import numpy as np
import pytest

from scoring.deciding import by_cell, deciding, of_median_study
from scoring.details import Details
from scoring.trial import Trial
from tests.scoring.made_logs import suite

TARGET = suite(("a",)).base[0]


def details(time, metric, study=0, number=1):
    trial = Trial("x", study, "a", number, time, None, "x", None, "made")
    seconds = np.arange(len(metric), dtype=float)
    return Details(trial, seconds, seconds * 10, np.array(metric), None, {}, {}, {})


def test_the_least_time_of_a_study_decides_and_studies_are_in_order():
    slow, fast = details(9.0, [5.0, 0.5]), details(4.0, [5.0, 0.9], number=2)
    missed, nearer = (details(math.inf, [5.0, m], study) for study, m in ((1, 3.0), (2, 2.0)))
    assert deciding([missed, slow, nearer, fast], TARGET) == [fast, nearer, missed]


def test_the_nearest_is_the_highest_of_what_is_maximised():
    target = suite(("a",), metric="accuracy").base[0]
    low, high = (details(math.inf, [0.1, m], study) for study, m in ((0, 0.4), (1, 0.6)))
    assert deciding([low, high], target) == [high, low]


@pytest.mark.parametrize(
    ("times", "studies", "decides"),
    [
        ([7.0], 1, 7.0),
        ([5.0, 7.0, 9.0], 3, 7.0),
        ([5.0, 9.0], 3, 9.0),
        ([5.0], 3, 5.0),
        ([5.0, 6.0, 7.0, 8.0], 4, 6.0),
        ([5.0, 6.0, math.inf, math.inf], 4, math.inf),
        ([5.0, math.inf], 2, math.inf),
        ([5.0], 2, 5.0),
    ],
)
def test_the_median_study_counts_missing_ones_as_the_worst(times, studies, decides):
    decided = [details(time, [5.0], study) for study, time in enumerate(times)]
    assert of_median_study(decided, studies).trial.time == decides


def test_nothing_stands_for_what_is_not_there():
    assert deciding([], TARGET) == []
    assert of_median_study([], 3) is None


def test_trials_beyond_what_is_declared_do_not_count():
    made = suite(("a",), studies=2, trials=1, submissions={"x": {"ruleset": "external"}})
    counts = [details(5.0, [1.0], study=1), details(6.0, [1.0])]
    beyond = [details(1.0, [1.0], study=2), details(1.0, [1.0], number=2)]
    assert by_cell([*beyond, *counts], made) == {("x", "a"): counts}
