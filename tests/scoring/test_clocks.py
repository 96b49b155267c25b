"""Clocks by hand, and against the clock that runs in a trial."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from algoperf_lite.clock import Clock
from scoring.clocks import CLOCKS, STEP_COLUMN, TIME_COLUMN, first_hit, steps_at, time_at, unit
from scoring.evaluations import Evaluations
from tests.scoring.made_logs import suite

NAN = math.nan
TARGET = suite(("a",)).base[0]


def rows(seconds, steps=None, loss=None):
    columns = {TIME_COLUMN: np.array(seconds, float)}
    if steps is not None:
        columns[STEP_COLUMN] = np.array(steps, float)
    if loss is not None:
        columns[TARGET.column] = np.array(loss, float)
    return Evaluations(columns)


def test_every_clock_by_hand():
    # Windows of 10, 20 and 10 steps at 1, 4 and 2 s a step, and 1 s of something else in each.
    logged = rows([11, 92, 113], [10, 30, 40])
    record = {"window_seconds_per_step": [1.0, 4.0, 2.0], "off_clock": {"compile": 5.0}}
    assert [time_at(clock, logged, 2, record) for clock in CLOCKS] == [
        113.0,
        2 * 40 + 3,  # the median window took 2 s a step
        40.0,
        118.0,
    ]
    assert time_at("robust", logged, 1, record) == 2.5 * 30 + 2
    assert time_at("robust", logged, 0, record) == 1 * 10 + 1
    assert [unit(clock) for clock in CLOCKS] == ["s", "s", "steps", "s"]


windows = st.tuples(
    st.integers(1, 500),  # steps
    st.floats(1e-4, 10),  # seconds of the window
    st.floats(0, 2),  # other seconds on the clock
)


@given(st.lists(windows, min_size=1, max_size=12))
def test_the_robust_clock_is_that_of_a_trial_at_every_evaluation(made):
    clock, seconds, robust = Clock(), [], []
    for steps, in_window, other in made:
        clock.windows.append((steps, in_window))
        clock.segments["update"] = clock.segments.get("update", 0.0) + in_window
        clock.segments["data"] = clock.segments.get("data", 0.0) + other
        seconds.append(clock.seconds)
        robust.append(clock.robust_seconds)
    logged = rows(seconds, np.cumsum([steps for steps, _, _ in made]))
    record = {"window_seconds_per_step": [s / n for n, s in clock.windows]}
    for row, expected in enumerate(robust):
        assert time_at("robust", logged, row, record) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("logged", "record"),
    [
        (rows([1, 2], [10, 20]), None),
        (rows([1, 2], [10, 20]), {}),
        (rows([1, 2], [10, 20]), {"window_seconds_per_step": []}),
        (rows([1, 2], [10, 20]), {"window_seconds_per_step": [0.1]}),
        (rows([1, 2]), {"window_seconds_per_step": [0.1, 0.1]}),
        (rows([1, 2], [NAN, 20]), {"window_seconds_per_step": [0.1, 0.1]}),
        (rows([1, 2], [10, 1010]), {"window_seconds_per_step": [0.1, 9.0]}),  # before time zero
    ],
)
def test_the_robust_clock_says_nothing_where_logs_do_not(logged, record):
    assert time_at("robust", logged, 1, record) is None


@pytest.mark.parametrize("steps", [None, [NAN], [-1], [math.inf]])
def test_steps_that_are_not_logged(steps):
    logged = rows([3.0], steps)
    assert steps_at(logged, 0) is time_at("steps", logged, 0, None) is None


@pytest.mark.parametrize("record", [None, {}, {"off_clock": None}, {"off_clock": {}}])
def test_compile_time_that_is_not_recorded(record):
    assert time_at("time+compile", rows([3.0]), 0, record) is None


def hit(seconds, loss, **options):
    return first_hit(rows(seconds, loss=loss), TARGET, **options)


def test_the_first_hit_by_hand():
    assert hit([1, 2, 3], [2, 1, 0]) == 1
    assert hit([1, 2, 3], [2, 1.0000001, 3]) is None
    assert hit([], []) is None
    assert hit([1, 2, 3], [NAN, -math.inf, 0.5]) == 2


def test_the_budget_is_inclusive_and_a_later_row_cannot_come_back_into_it():
    assert hit([1, 2], [2, 1], budget=2) == 1
    assert hit([1, 2], [2, 1], budget=1.999) is None
    assert hit([5, 2], [1, 1], budget=3) == 1


def test_rows_without_a_time_count_only_where_nothing_was_timed():
    assert hit([NAN, 2], [1, 1]) == 1
    assert hit([NAN, 2], [1, 1], timed=False) == 0
    assert hit([-1, math.inf, NAN], [1, 1, 1], timed=False) == 2
