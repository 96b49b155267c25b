import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algoperf_lite.errors import UsageError
from algoperf_lite.tuning import check_point, check_space, draw_points

DEFAULT = {"lr": 0.1, "b1": 0.9, "kind": "a"}
SPACE = {
    "lr": {"min": 1e-4, "max": 1.0, "scaling": "log"},
    "b1": {"min": 0.5, "max": 1.0, "scaling": "linear"},
    "kind": {"feasible_points": ["a", "b", "c"]},
}


@given(count=st.integers(1, 30), seed_text=st.text(max_size=5))
def test_points_lie_in_the_space(count, seed_text):
    points = draw_points(SPACE, DEFAULT, count, seed_text)
    assert len(points) == count
    for point in points:
        assert 1e-4 <= point["lr"] <= 1.0
        assert 0.5 <= point["b1"] <= 1.0
        assert point["kind"] in "abc"


def test_points_depend_on_the_seed_text_only():
    assert draw_points(SPACE, DEFAULT, 5, "x/0") == draw_points(SPACE, DEFAULT, 5, "x/0")
    assert draw_points(SPACE, DEFAULT, 5, "x/0") != draw_points(SPACE, DEFAULT, 5, "x/1")


def test_more_points_extend_fewer():
    assert draw_points(SPACE, DEFAULT, 8, "x")[:5] == draw_points(SPACE, DEFAULT, 5, "x")


def test_log_entries_are_spread_evenly_over_decades():
    points = draw_points({"lr": SPACE["lr"]}, DEFAULT, 8, "x")
    decades = sorted(math.log10(p["lr"]) / 4 + 1 for p in points)
    assert all(abs(u - (i + 0.5) / 8) <= 1 / 8 for i, u in enumerate(decades))


def test_names_without_an_entry_keep_their_default():
    assert draw_points({"lr": SPACE["lr"]}, DEFAULT, 1, "x")[0]["b1"] == 0.9


def test_a_list_is_given_in_order_and_around_again():
    a, b = {**DEFAULT, "lr": 1.0}, {**DEFAULT, "lr": 2.0}
    assert draw_points([a, b], DEFAULT, 3, "x") == [a, b, a]


def test_no_space_is_the_default():
    assert draw_points(None, DEFAULT, 2, "x") == [DEFAULT, DEFAULT]


def test_good_spaces_pass():
    check_space(SPACE, DEFAULT, "s")
    check_space([DEFAULT], DEFAULT, "s")


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"lr": {"min": 1, "max": 1, "scaling": "linear"}}, "'lr': min 1 is not below max 1"),
        ({"lr": {"min": 0, "max": 1, "scaling": "log"}}, "'lr': log scaling needs min > 0, not 0"),
        ({"lr": {"min": 0, "max": 1, "scaling": "ln"}}, "unknown scaling 'ln'"),
        ({"lr": {"min": 0, "max": 1}}, r"'lr': lacks \['scaling'\]"),
        ({"lr": {"min": 0, "max": math.inf, "scaling": "linear"}}, "finite numbers, not inf"),
        ({"lr": {"min": "0", "max": 1, "scaling": "linear"}}, "finite numbers, not '0'"),
        ({"lr": {"mim": 0, "max": 1, "scaling": "linear"}}, "did you mean 'min'"),
        ({"lr": {"feasible_points": []}}, "non-empty list"),
        ({"lr": {"feasible_points": 3}}, "non-empty list"),
        ({"lr": {"feasible_points": [[0.9, 0.99]]}}, r"feasible_points' is \[0.9, 0.99\]"),
        ([{**DEFAULT, "lr": math.inf}], "point 0: hyperparameter 'lr' is inf"),
        ({"lr": 3}, "'lr': expected an object"),
        ({"learning": SPACE["lr"]}, "unknown hyperparameter 'learning'"),
        ([], "non-empty list of points"),
        (3, "non-empty list of points"),
        ([3], "point 0 of the search space is not an object"),
        ([{"lr": 1.0}], r"point 0 lacks \['b1', 'kind'\]"),
        ([{**DEFAULT, "b3": 1}], "unknown hyperparameter 'b3'"),
    ],
)
def test_bad_spaces_are_refused_with_the_entry(space, message):
    with pytest.raises(UsageError, match=message):
        check_space(space, DEFAULT, "mine")


@pytest.mark.parametrize("value", [math.inf, math.nan, [1.0], np.float32(0.1), (1,)])
def test_values_that_a_record_cannot_hold_are_refused(value):
    with pytest.raises(UsageError, match="mine: hyperparameter 'lr' is"):
        check_point({"lr": value}, "mine")


def test_plain_values_pass():
    check_point({"a": 1, "b": 0.5, "c": "x", "d": True, "e": None}, "mine")
