"""The score's arithmetic, on times written down here: a test per rule."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from algoperf_lite.errors import UsageError
from scoring import profiles

INF = math.inf


def column(*times):
    return np.array([[t] for t in times], float)


def test_rule_1_a_variant_counts_only_where_its_base_was_reached():
    base = np.array([[1.0, INF], [2.0, 3.0]])
    held_out = np.array([[5.0, 6.0], [7.0, 8.0]])
    after = profiles.miss_variants_of_missed_bases(base, held_out, [1, 0])
    assert after.tolist() == [[INF, 6.0], [7.0, 8.0]]


def test_rule_2_more_than_four_times_the_fastest_is_a_miss():
    assert profiles.miss_beyond_limit(column(2.0, 8.0, 8.000001)).ravel().tolist() == [2, 8, INF]


def test_rule_2_exactly_four_times_stays_in_where_quarters_round():
    best = 0.1 + 0.2
    assert np.isfinite(profiles.miss_beyond_limit(column(best, 4 * best))).all()


def test_rule_2_without_any_time_disqualifies_nobody_further():
    assert profiles.miss_beyond_limit(column(INF, INF)).ravel().tolist() == [INF, INF]


def test_rule_2_applies_to_variants_and_through_rule_3_takes_the_base_away():
    base, held_out = column(10.0, 11.0), column(1.0, 4.5)
    ruled = profiles.apply_rules(base, held_out, [0])
    assert ruled.base.ravel().tolist() == [10.0, INF]
    assert ruled.held_out.ravel().tolist() == [1.0, INF]


def test_rule_1_comes_before_rule_2_so_a_missed_base_sets_no_pace_on_its_variant():
    # Without rule 1 first, 1 s would be the pace on the variant, and 5 s over four times it.
    base, held_out = column(INF, 10.0), column(1.0, 5.0)
    ruled = profiles.apply_rules(base, held_out, [0])
    assert ruled.base.ravel().tolist() == [INF, 10.0]
    assert ruled.held_out.ravel().tolist() == [INF, 5.0]


def test_rule_3_a_base_counts_only_where_all_its_variants_were_reached():
    base = np.array([[1.0, 2.0], [1.0, 2.0]])
    held_out = np.array([[3.0, INF, 3.0], [3.0, 3.0, 3.0]])
    after = profiles.miss_bases_of_missed_variants(base, held_out, [0, 0, 1])
    assert after.tolist() == [[INF, 2.0], [1.0, 2.0]]


def test_rules_leave_their_arguments_alone():
    base, held_out = column(1.0, 9.0), column(INF, 1.0)
    profiles.apply_rules(base, held_out, [0])
    assert base.ravel().tolist() == [1.0, 9.0]
    assert held_out.ravel().tolist() == [INF, 1.0]


def test_the_denominator_survives_rule_2_and_moves_with_rule_3():
    # Rule 2 takes the slow one away; the others are still measured against the fastest.
    base = column(2.0, 6.0, 9.0)
    assert profiles.ratios(profiles.apply_rules(base).base).ravel().tolist() == [1, 3, INF]
    # Rule 3 takes the fastest away: it was no valid time, and 6 s becomes the pace.
    # Rule 2 ran before and against 2 s, so 9 s stays out although it is 1.5 times 6 s.
    ruled = profiles.apply_rules(base, column(INF, 1.0, 1.0), [0])
    assert profiles.ratios(ruled.base).ravel().tolist() == [INF, 1, INF]


def test_ratios_where_nobody_reached_the_target_are_infinite():
    assert profiles.ratios(column(INF, INF)).ravel().tolist() == [INF, INF]


def test_a_target_met_after_zero_seconds_is_a_tie_with_itself():
    assert profiles.ratios(column(0.0, 0.0, 1.0)).ravel().tolist() == [1, 1, INF]


def test_rho_is_a_step_function_that_includes_its_jump():
    relative = np.array([[1.0, 2.0, INF, 4.0]])
    tau = [1.0, 1.999999, 2.0, 3.999999, 4.0]
    assert profiles.rho(relative, tau).tolist() == [[0.25, 0.25, 0.5, 0.5, 0.75]]
    assert profiles.rho(relative, 2.0).tolist() == [0.5]


def test_exact_integral_by_hand():
    # (4-1)/3, (4-2)/3, (4-4)/3 and a miss, over 4 workloads: (1 + 2/3 + 0 + 0) / 4.
    assert profiles.integrate(np.array([[1.0, 2.0, 4.0, INF]]))[0] == pytest.approx(5 / 12)


def test_algoperf_integral_by_hand():
    # A jump at tau = 1 fills all 99 intervals; one at 4 fills half of the last.
    assert profiles.integrate(np.array([[1.0]]), "algoperf")[0] == pytest.approx(1, abs=1e-15)
    assert profiles.integrate(np.array([[4.0]]), "algoperf")[0] == pytest.approx(0.5 / 99)


def test_an_unknown_integration_is_a_usage_error():
    with pytest.raises(UsageError, match="did you mean 'exact'"):
        profiles.integrate(np.ones((1, 1)), "exactly")


seconds = st.one_of(st.just(INF), st.floats(0.01, 1e5))
tables = hnp.arrays(float, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=seconds)


def score(times, integration="exact"):
    relative = profiles.ratios(profiles.apply_rules(times).base)
    return profiles.integrate(relative, integration)


@given(tables)
def test_scores_lie_between_0_and_1_and_someone_is_fastest(times):
    result = score(times)
    assert ((result >= 0) & (result <= 1)).all()
    reached = np.isfinite(times).any(axis=0)
    relative = profiles.ratios(profiles.apply_rules(times).base)
    assert (relative.min(axis=0)[reached] == 1).all()


@given(tables)
def test_exact_integral_agrees_with_a_fine_numerical_one(times):
    relative = profiles.ratios(profiles.apply_rules(times).base)
    width = 3 / 3_000
    midpoints = 1 + width * (np.arange(3_000) + 0.5)
    fine = (profiles.rho(relative, midpoints) * width).sum(axis=-1) / 3
    np.testing.assert_allclose(profiles.integrate(relative), fine, atol=width / 3)


@given(tables)
def test_the_trapezoid_is_within_0_00506_of_the_exact_integral(times):
    # Half a grid interval, and rounding at the edges: 0.5 / 99 < 0.00506.
    assert np.abs(score(times, "algoperf") - score(times)).max() <= 0.5 / 99 + 1e-12


@given(tables, st.data())
def test_the_unit_of_time_of_a_workload_does_not_matter(times, data):
    # Powers of two, so that scaling is exact and four times the best stays four times.
    powers = st.integers(-20, 20)
    factors = data.draw(hnp.arrays(int, times.shape[1], elements=powers))
    np.testing.assert_array_equal(score(times * 2.0**factors), score(times))


@given(tables, st.data())
def test_a_shorter_time_never_lowers_ones_own_score(times, data):
    who = data.draw(st.integers(0, times.shape[0] - 1))
    where = data.draw(st.integers(0, times.shape[1] - 1))
    faster = times.copy()
    faster[who, where] = min(times[who, where], 1e5) * data.draw(st.floats(0.01, 1))
    assert score(faster)[who] >= score(times)[who] - 1e-15


@given(tables)
def test_leading_dimensions_are_batches(times):
    batch = np.stack([times, times[::-1]])
    np.testing.assert_array_equal(score(batch), [score(times), score(times[::-1])])
