"""Geometric-mean speedups by hand."""

import json
import math

import numpy as np
import pytest

import scoring
from algoperf_lite.errors import UsageError
from scoring.speedup import speedups
from scoring.times import TimeTable
from tests.scoring.made_logs import MISS, declared, hit, suite, write_trial

INF, NAN = math.inf, math.nan


def table(times, limits, workloads=("a", "b")):
    """Of one study; times and limits are [S, W]."""
    names = tuple("xyz"[: len(times)])
    return TimeTable(names, workloads, np.array([times], float), {}, limits=np.array(limits, float))


def test_two_workloads_by_hand():
    made = table([[10, 20], [5, 40], [20, 5]], [[99, 99]] * 3)
    assert speedups(made, "x", 2) == pytest.approx([1, 1, math.sqrt(0.5 * 4)])
    assert speedups(made, "z", 2) == pytest.approx([math.sqrt(0.5), math.sqrt(0.5), 1])


def test_a_miss_counts_at_the_submissions_own_budget():
    made = table([[10, 20], [5, INF], [INF, INF]], [[30, 30], [30, 45], [60, 60]])
    assert speedups(made, "x", 2) == pytest.approx(
        [1, math.sqrt(10 / 5 * 20 / 45), math.sqrt(10 / 60 * 20 / 60)]
    )


def test_without_logs_a_miss_counts_at_the_largest_budget_of_any():
    made = table([[10], [INF]], [[30], [NAN]], ("a",))
    assert speedups(made, "x", 1) == pytest.approx([1, 1 / 3])


def test_a_workload_that_nobody_ran_leaves_no_speedup():
    made = table([[10, INF], [5, INF]], [[30, NAN], [30, NAN]])
    assert np.isnan(speedups(made, "x", 2)).all()


def test_held_out_variants_are_not_in_it():
    made = table([[10, 1], [5, 9]], [[30, 30]] * 2)
    assert speedups(made, "x", 1) == pytest.approx([1, 2])


def test_targets_met_at_once_are_a_tie():
    made = table([[0, 4], [0, 2]], [[30, 30]] * 2)
    assert speedups(made, "x", 2) == pytest.approx([1, math.sqrt(2)])


def of(board):
    return {row.name: row.speedup for row in board.rows}


def test_from_records_and_their_budgets(tmp_path):
    for name, rows, status, budget in (
        ("x", hit(10.0), "target_reached", 40.0),
        ("y", MISS, "budget_exhausted", 80.0),
        ("z", hit(5.0), "target_reached", 20.0),
    ):
        record = {
            "status": status,
            "budget_seconds": budget,
            "off_clock": {"compile": 2.0},
            "window_seconds_per_step": [1.0, 1.0],
        }
        write_trial(tmp_path, name, "a", rows, record=record)
    (tmp_path / "z/study_0/a_jax/trial_1/eval_measurements.csv").write_text("")
    made = suite(("a",))
    board = scoring.score(tmp_path, made, baseline="x")
    # What cannot be read is a miss, at the budget that its record knows.
    assert of(board) == pytest.approx({"x": 1, "y": 10 / 80, "z": 10 / 20})
    board = scoring.score(tmp_path, made, baseline="x", clock="time+compile")
    assert of(board) == pytest.approx({"x": 1, "y": 12 / 82, "z": 12 / 22})
    assert of(scoring.score(tmp_path, made)) == {"x": None, "y": None, "z": None}


def test_logs_without_budgets_count_as_ending_where_they_end(tmp_path):
    write_trial(tmp_path, "x", "a", hit(10.0))
    write_trial(tmp_path, "y", "a", MISS)
    board = scoring.score(tmp_path, suite(("a",)), baseline="y")
    assert of(board) == pytest.approx({"x": 10.0, "y": 1.0})
    # MISS ends after its second evaluation, at step 10, as the hit of x.
    by_steps = scoring.score(tmp_path, suite(("a",)), baseline="y", clock="steps")
    assert of(by_steps) == {"x": 1.0, "y": 1.0}


def test_no_speedup_is_null_in_json(tmp_path):
    write_trial(tmp_path, "x", "a", hit(10.0))
    board = scoring.score(tmp_path, suite(("a", "b")), baseline="x")
    shown = json.loads(json.dumps(board.to_json(), allow_nan=False))
    assert shown["submissions"][0]["speedup"] is None


def test_an_unknown_baseline_is_named(tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",))))
    write_trial(tmp_path, "nadamw", "a", hit(10.0))
    with pytest.raises(UsageError, match=r"unknown baseline 'nadam': did you mean 'nadamw'\?"):
        scoring.score(tmp_path, baseline="nadam")
