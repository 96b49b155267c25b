"""The statistics of a comparison, against scipy's own and against cases worked by hand."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from scoring.comparing.paired import (
    LEAST_PAIRS,
    holm,
    log_ratios,
    overall_test,
    signed_ranks,
    workload_test,
)

INF = math.inf
A = np.array([10.0, 11.0, 10.5, 9.8])
B = np.array([10.9, 12.3, 11.0, 11.1])


def test_the_t_test_is_scipys():
    found = workload_test(A, B)
    theirs = stats.ttest_rel(np.log(B), np.log(A))
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-12)
    ends = theirs.confidence_interval(0.95)
    assert found.interval == pytest.approx((math.exp(ends.low), math.exp(ends.high)), rel=1e-12)
    assert found.ratio == pytest.approx(stats.gmean(B / A), rel=1e-12)


def test_studies_that_either_missed_are_no_pairs():
    found = workload_test(np.append(A, [INF, 10.0]), np.append(B, [10.0, INF]))
    assert found == workload_test(A, B)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_pairs_make_no_test(count):
    found = workload_test(A[:count], B[:count])
    assert found.pairs == count
    assert found.interval is None
    assert math.isnan(found.p)
    assert math.isnan(found.ratio) == (count == 0)


def test_ratios_that_agree_by_rounding_are_no_surer_than_rounding():
    a, b = np.array([10.0, 20.0, 15.0]), np.array([10.7, 21.4, 16.05])
    assert workload_test(a, b).p < 1e-6
    rounded = workload_test(a, b, np.full(3, 0.07**2 / 6))
    assert rounded.p == pytest.approx(2 * stats.t.sf(math.log(1.07) / (0.07 / math.sqrt(18)), 2))
    noisy = workload_test(A, B, np.full(4, 1e-9))
    assert noisy.p == workload_test(A, B).p


def test_equal_times_are_no_difference():
    found = workload_test(A, A)
    assert (found.ratio, found.interval, found.p) == (1.0, (1.0, 1.0), 1.0)


def test_two_targets_met_at_time_zero_are_equal():
    assert log_ratios(np.array([0.0]), np.array([0.0])).tolist() == [0.0]
    assert log_ratios(np.array([0.0]), np.array([1.0])).tolist() == [INF]


def test_holm_multiplies_the_least_by_the_number_of_tests():
    found = holm([0.01, 0.02, 0.03])
    assert found == pytest.approx([0.03, 0.04, 0.04])  # 0.01*3, 0.02*2, no less than before
    assert holm([0.9, 0.8]) == pytest.approx([1.0, 1.0])
    assert holm([]).tolist() == []


def test_holm_leaves_out_what_was_not_tested():
    found = holm([math.nan, 0.02, math.nan])
    assert np.isnan(found[[0, 2]]).all()
    assert found[1] == 0.02


@pytest.mark.parametrize("count", [6, 20, 45, 200])
def test_signed_ranks_without_ties_are_scipys(count):
    differences = np.random.default_rng(count).normal(0.2, 1, count)
    p, _ = signed_ranks(differences)
    assert p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue, rel=1e-9)


def by_enumeration(differences):
    """The p value by all signs that the differences could have."""
    ranks = stats.rankdata(np.abs(differences)) * (differences != 0)
    signs = np.array(list(itertools.product((-1, 1), repeat=int((differences != 0).sum()))))
    balances = np.abs(signs @ ranks[differences != 0])
    return (balances >= abs((np.sign(differences) * ranks).sum())).mean()


def test_signed_ranks_with_ties_and_zeros_are_exact():
    rng = np.random.default_rng(0)
    for count in [1, 2, 6, 9, 12] * 3:
        differences = rng.integers(-3, 4, count).astype(float)
        p, direction = signed_ranks(differences)
        assert p == pytest.approx(by_enumeration(differences), rel=1e-12)
        ranks = stats.rankdata(np.abs(differences))
        assert direction == np.sign((np.sign(differences) * ranks).sum())


@pytest.mark.parametrize(("more", "fewer"), [(11, 3), (14, 5), (15, 6)])
def test_misses_alone_are_judged_as_by_a_coin(more, fewer):
    """All differences are equally large, so that ranks say no more than signs."""
    a = np.r_[np.ones(more), np.full(fewer, INF)]
    b = np.r_[np.full(more, INF), np.ones(fewer)]
    exact = stats.binomtest(fewer, more + fewer).pvalue
    assert overall_test(a, b).p == pytest.approx(exact, rel=1e-12)
    assert exact > 0.05


def test_the_overall_test_is_scipys_where_all_reached():
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.normal(size=(2, 20)))
    assert overall_test(a, b).p == pytest.approx(stats.wilcoxon(np.log(b / a)).pvalue)


def test_a_miss_is_the_largest_difference():
    a = np.array([1.0] * 7)
    b = np.array([1.5, 1.4, 1.3, 1.2, 1.1, 1.05, INF])
    found = overall_test(a, b)
    assert found.p == pytest.approx(2 / 2**7)  # all seven point one way
    assert (found.direction, found.missed_by_b, found.missed_by_a) == (1, 1, 0)
    back = overall_test(b, a)
    assert (back.p, back.direction, back.missed_by_a) == (found.p, -1, 1)
    # Against six that are faster, one miss weighs most, but does not decide.
    assert overall_test(a, np.append(1 / b[:6], INF)).direction == -1
    assert overall_test(a, np.array([0.99] + [INF] * 6)).direction == 1


def test_pairs_that_both_missed_say_nothing():
    more_a, more_b = np.append(A, [INF] * 5), np.append(B, [INF] * 5)
    assert overall_test(more_a, more_b) == overall_test(A, B)
    assert overall_test(more_a, more_b).pairs == 4


def test_too_few_pairs_make_no_overall_test():
    found = overall_test(A, B)
    assert len(A) < LEAST_PAIRS
    assert math.isnan(found.p)
    assert found.ratio == pytest.approx(stats.gmean(B / A))
    assert found.interval is None
    assert math.isnan(overall_test(np.empty(0), np.empty(0)).ratio)


def test_no_difference_at_all_is_no_error():
    found = overall_test(np.ones(9), np.ones(9))
    assert (found.p, found.direction, found.ratio) == (1.0, 0, 1.0)


def test_all_pairs_missed_by_one_are_a_difference():
    found = overall_test(np.ones(8), np.full(8, INF))
    assert found.p < 0.05
    assert found.direction == 1
    assert math.isnan(found.ratio)
