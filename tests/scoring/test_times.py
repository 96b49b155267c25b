"""Trials to a time per submission and workload."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from scoring.times import median_over_studies, time_table
from scoring.trial import Trial
from tests.scoring.made_logs import suite

INF = math.inf


def trial(study, seconds, number=1, submission="s", workload="a", steps=None, status="x"):
    return Trial(submission, study, workload, number, seconds, steps, status, None, "made")


def median_of(trials, **declared):
    table = time_table(trials, suite(("a",), **declared), ["s"])
    return table.median[0, 0]


def test_the_time_of_a_study_is_its_least_time():
    assert median_of([trial(0, 9.0, 1), trial(0, 4.0, 2), trial(0, INF, 3)]) == 4


def test_the_least_time_wins_not_the_least_evaluation_and_order_does_not_matter():
    # The trial that hits at its earlier evaluation (fewer steps) is the slower one.
    trials = [trial(0, 9.0, 1, steps=10), trial(0, 4.0, 2, steps=50), trial(0, 5.0, 3, steps=10)]
    for order in itertools.permutations(trials):
        assert median_of(order) == 4


def test_the_median_is_over_studies():
    assert median_of([trial(0, 1.0), trial(1, 100.0), trial(2, 3.0)]) == 3
    assert median_of([trial(0, 1.0), trial(1, 3.0)]) == 2


def test_a_missing_study_counts_as_infinity():
    trials = [trial(0, 1.0), trial(2, 3.0)]
    assert median_of(trials, studies=3) == 3
    assert median_of(trials[:1], studies=3) == INF
    assert median_of(trials, studies=4) == INF


def test_undeclared_the_most_studies_of_any_submission_are_owed_by_all():
    trials = [trial(i, 1.0, submission="x") for i in range(3)] + [trial(0, 1.0)]
    table = time_table(trials, suite(("a",)), ["s", "x"])
    assert (table.studies, table.median.tolist()) == (3, [[INF], [1.0]])


def test_a_study_missing_from_one_workload_is_not_replaced_by_the_next():
    trials = [trial(i, 1.0, workload=w) for i in range(3) for w in "ab" if (i, w) != (1, "b")]
    table = time_table(trials, suite(("a", "b")), ["s"])
    assert table.of_study[:, 0, 1].tolist() == [1.0, INF, 1.0]


def test_a_miss_counts_at_the_largest_budget_of_its_trials():
    made = [replace(trial(i, INF), budget=b, end=99.0) for i, b in enumerate((3.0, 9.0, math.nan))]
    for order in itertools.permutations(made):
        table = time_table(order, suite(("a", "b")), ["s"])
        np.testing.assert_array_equal(table.limits, [[9.0, math.nan]])


def test_without_budgets_a_miss_counts_at_the_last_end_of_any_trial():
    made = [replace(trial(0, INF, submission=s), end=end) for s, end in (("x", 3.0), ("y", 7.0))]
    table = time_table(made, suite(("a",)), ["z"])
    assert table.limits.tolist() == [[7.0]] * 3


def test_medians_of_infinities_do_not_warn():
    assert median_over_studies([[INF], [INF]]).tolist() == [INF]
    assert median_over_studies([[1.0], [INF]]).tolist() == [INF]


def test_more_studies_or_trials_than_declared_are_reported_and_not_counted():
    made = suite(("a",), studies=1, trials=2, submissions={"s": {"ruleset": "external"}})
    table = time_table([trial(0, 9.0), trial(0, 1.0, 3), trial(1, 1.0)], made, ["s"])
    assert table.median[0, 0] == 9
    assert [p.what for p in table.problems] == [
        "trial_3 is beyond the 2 declared: not counted",
        "study_1 is beyond the 1 declared: not counted",
    ]


def test_self_tuning_has_one_trial_per_study():
    made = suite(("a",), studies=1, trials=5, submissions={"s": {"ruleset": "self"}})
    table = time_table([trial(0, 9.0), trial(0, 1.0, 2)], made, ["s"])
    assert (table.median[0, 0], table.declared) == (9, 1)


def test_a_declared_submission_without_logs_has_a_row():
    made = suite(("a",), submissions={"s": {}, "silent": {}})
    table = time_table([trial(0, 1.0)], made, ["s"])
    assert table.submissions == ("s", "silent")
    assert table.median.tolist() == [[1.0], [INF]]


@pytest.mark.parametrize(
    ("trials", "declared", "found", "owed"),
    [
        ([trial(0, 1.0)], {"studies": 3, "trials": 5}, 1, 15),
        ([trial(0, 1.0, 1), trial(0, 1.0, 2), trial(1, 1.0, 1)], {}, 3, 4),
        ([trial(0, INF, status="error"), trial(1, INF, status="interrupted")], {}, 1, 2),
    ],
)
def test_found_and_declared_trials(trials, declared, found, owed):
    table = time_table(trials, suite(("a",), **declared), ["s"])
    assert (table.found, table.declared) == (found, owed)
