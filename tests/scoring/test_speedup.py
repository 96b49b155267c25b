"""Geometric-mean speedups by hand."""

import json
import math
import shutil

import numpy as np
import pytest

import scoring
from algoperf_lite.errors import UsageError
from scoring.speedup import speedups
from scoring.suite import parse_suite
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


def test_without_budgets_a_miss_counts_when_the_last_trial_of_its_workload_ended(tmp_path):
    write_trial(tmp_path, "x", "a", hit(10.0))
    write_trial(tmp_path, "y", "a", MISS)  # ends after 100 s
    write_trial(tmp_path, "early", "a", [(0.0, 5.0), (0.5, NAN)])
    (tmp_path / "none" / "study_0").mkdir(parents=True)
    board = scoring.score(tmp_path, suite(("a",)), baseline="x")
    assert of(board) == pytest.approx({"x": 1, "y": 0.1, "early": 0.1, "none": 0.1})


def test_a_miss_that_ended_at_once_is_no_infinite_speedup(tmp_path):
    write_trial(tmp_path, "x", "a", hit(10.0))
    write_trial(tmp_path, "y", "a", [(0.0, 5.0)])
    assert of(scoring.score(tmp_path, suite(("a",)), baseline="x")) == {"x": 1, "y": 1}


def test_by_steps_a_miss_counts_at_its_limit_of_steps_or_at_the_step_hint(tmp_path):
    early = [(0.0, 5.0), (1.0, NAN)]  # ends at step 10, as does the hit
    record = {"status": "diverged", "budget_seconds": 100.0, "window_seconds_per_step": [0.1, 0.1]}
    reached = record | {"status": "target_reached"}
    write_trial(tmp_path, "x", "a", hit(10.0), record=reached)
    write_trial(tmp_path, "hint", "a", early, record=record)
    write_trial(tmp_path, "limit", "a", early, record=record | {"max_steps": 40})
    made = declared(("a",))
    made["workloads"]["a"]["step_hint"] = 20
    board = scoring.score(tmp_path, parse_suite(made), baseline="x", clock="steps")
    assert of(board) == pytest.approx({"x": 1, "hint": 10 / 40, "limit": 10 / 40})
    shutil.rmtree(tmp_path / "limit")
    board = scoring.score(tmp_path, parse_suite(made), baseline="x", clock="steps")
    assert of(board) == pytest.approx({"x": 1, "hint": 10 / 20})


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
