import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algoperf_lite.targets.choice import best_value, candidates, choose, examine, steps_to
from algoperf_lite.workload import Target

EIGHTHS = st.integers(1, 800).map(lambda i: i / 8)


def curve(*values, every=10):
    return [(every * (i + 1), value) for i, value in enumerate(values)]


def line(slope, steps=10):
    """Falls by `slope` at each of `steps` evaluations, from 10."""
    return curve(*[10 - slope * (i + 1) for i in range(steps)])


def test_steps_to_is_the_first_meeting_and_nan_never_meets():
    found = curve(3.0, math.nan, 1.0, 2.0, 0.5)
    assert steps_to(found, Target("loss", 2.0, "minimize")) == 30
    assert steps_to(found, Target("accuracy", 4.0, "maximize")) is None


def test_the_best_value_is_never_nan():
    assert best_value(curve(3.0, math.nan, 2.0), "minimize") == 2.0
    assert best_value(curve(math.nan), "maximize") == -math.inf


def test_examine_counts_and_spreads():
    found = examine([curve(3, 2, 1), curve(3, 1, 1), curve(3, 3, 3)], 1.5, "minimize")
    assert (found.seeds, found.reached, found.steps) == (3, 2, (20, 30))
    assert found.median_steps == 30
    assert found.variation == pytest.approx(math.sqrt(50) / 25)


def test_a_seed_that_never_arrives_counts_as_infinity_in_the_median():
    assert examine([curve(3, 2, 1), curve(3, 3, 3)], 1.5, "minimize").median_steps == math.inf


def test_the_target_is_reached_at_three_quarters_of_the_hint():
    chosen = choose(candidates([line(0.5)] * 5, "minimize", 100), 100)
    assert chosen.value in (6.0, 6.5)
    assert chosen.median_steps in (70, 80)


def test_rounding_goes_to_the_side_that_is_easier():
    falling = candidates([curve(*[1.23456] * 10)], "minimize", 100)
    rising = candidates([curve(*[1.23456] * 10)], "maximize", 100)
    assert [c.value for c in falling] == [1.24]
    assert [c.value for c in rising] == [1.23]
    assert [c.value for c in candidates([curve(*[-0.056789] * 10)], "minimize", 100)] == [-0.0567]


def test_nothing_fits_where_seeds_spread_too_far():
    wide = [line(0.2), line(0.5), line(1.0), line(0.4)]
    assert choose(candidates(wide, "minimize", 100), 100) is None


def test_nothing_fits_where_most_seeds_never_arrive():
    stuck = [curve(*[5.0] * 10)] * 3
    found = candidates([line(0.5), *stuck], "minimize", 100)
    assert all(not c.fits(100) for c in found)


def test_diverged_seeds_do_not_make_a_target_of_infinity():
    assert candidates([curve(math.nan), curve(math.nan)], "minimize", 10) == []


@given(
    st.lists(st.lists(EIGHTHS, min_size=10, max_size=10), min_size=1, max_size=5),
    st.sampled_from(["minimize", "maximize"]),
)
def test_a_candidate_is_reached_by_half_of_the_seeds_within_the_band(values, direction):
    for candidate in candidates([curve(*v) for v in values], direction, 100):
        assert 2 * candidate.reached >= len(values)
        assert candidate.steps[(len(values) - 1) // 2] <= 90
