"""Leaderboards computed by hand."""

import json
import math

import pytest

import scoring
from algoperf_lite.errors import UsageError
from scoring.suite import parse_suite
from tests.scoring.made_logs import (
    MISS,
    board_of,
    declared,
    hit,
    scores,
    states,
    suite,
    write_trial,
)

INF = math.inf


def test_three_submissions_on_two_workloads_by_hand():
    board = board_of(
        {"x": {"a": 10, "b": 30}, "y": {"a": 20, "b": 20}, "z": {"a": 41, "b": INF}}, ("a", "b")
    )
    # x: ratios 1 and 1.5; y: 2 and 1; z: 4.1, over the limit, and missed.
    expected = {"x": (3 + 2.5) / 6, "y": (2 + 3) / 6, "z": 0.0}
    assert scores(board) == pytest.approx(expected)
    assert [row.name for row in board.rows] == ["x", "y", "z"]
    assert [row.targets_reached for row in board.rows] == [2, 2, 1]
    assert board.rows[0].ratios == {"a": 1.0, "b": 1.5}
    assert states(board, "z") == {"a": "too_slow", "b": "missed"}
    assert board.rows[2].times == {"a": 41, "b": INF}


def test_exactly_four_times_the_fastest_is_reached_and_worth_nothing():
    board = board_of({"x": {"a": 10}, "y": {"a": 40}}, ("a",))
    assert states(board, "y") == {"a": "reached"}
    assert scores(board) == {"x": 1.0, "y": 0.0}
    assert board.profile("y", [3.99, 4.0]).tolist() == [0.0, 1.0]


def test_the_score_is_over_declared_workloads_though_nobody_ran_one():
    board = board_of({"x": {"a": 1}}, ("a", "b"))
    assert scores(board) == {"x": 0.5}
    assert states(board, "x")["b"] == "missing"


def test_equal_scores_are_ordered_by_name():
    board = board_of({n: {"a": 3} for n in ("b", "c", "a")}, ("a",))
    assert [row.name for row in board.rows] == ["a", "b", "c"]


def test_rule_1_in_the_leaderboard():
    board = board_of({"x": {"a": INF, "a_v": 1}, "y": {"a": 10, "a_v": 5}}, ("a",), ("a_v",))
    assert states(board, "x") == {"a": "missed", "a_v": "base_missed"}
    assert scores(board) == {"y": 1.0, "x": 0.0}


def test_rules_2_and_3_in_the_leaderboard():
    times = {"x": {"a": 10, "a_v": 41}, "y": {"a": 20, "a_v": 10}, "z": {"a": 30}}
    board = board_of(times, ("a",), ("a_v",))
    assert states(board, "x") == {"a": "variant_missed", "a_v": "too_slow"}
    assert states(board, "z") == {"a": "variant_missed", "a_v": "missing"}
    # With x out by rule 3, y is the fastest.
    assert scores(board) == {"y": 1.0, "x": 0.0, "z": 0.0}
    assert {row.name: row.times["a"] for row in board.rows} == {"x": 10, "y": 20, "z": 30}


def test_held_out_variants_carry_no_score_of_their_own():
    board = board_of({"x": {"a": 1, "a_v": 1}, "y": {"a": 2, "a_v": 2}}, ("a",), ("a_v",))
    assert scores(board) == pytest.approx({"x": 1.0, "y": 2 / 3})
    assert board.suite == ("a", "a_v")
    assert board.base_workloads == ("a",)


def test_an_undeclared_variant_of_one_submission_disqualifies_nobody(tmp_path):
    for name in ("x", "y"):
        write_trial(tmp_path, name, "a", hit(5))
    write_trial(tmp_path, "x", "a_tanh", hit(5))
    board = scoring.score(tmp_path, suite(("a",)))
    assert scores(board) == {"x": 1.0, "y": 1.0}


def test_base_names_are_no_substrings():
    # "b_a" contains "a" and is derived from "b"; missing it costs "b", not "a".
    board = board_of({"x": {"a": 1, "b": 1}, "y": {"a": 1, "b": 1, "b_a": 1}}, ("a", "b"), ("b_a",))
    assert states(board, "x") == {"a": "reached", "b": "variant_missed", "b_a": "missing"}
    assert scores(board) == {"x": 0.5, "y": 1.0}


@pytest.fixture
def results(tmp_path):
    made = declared(("a", "b"), studies=1, trials=2, schema=1)
    made["submissions"] = {"x": {"ruleset": "external"}, "y": {"ruleset": "self"}}
    (tmp_path / "suite.json").write_text(json.dumps(made))
    done = {"status": "target_reached"}
    for trial, seconds in ((1, 9), (2, 6)):
        write_trial(tmp_path, "x", "a", hit(seconds), trial=trial, record=done)
        write_trial(tmp_path, "x", "b", hit(seconds), trial=trial, record=done)
    write_trial(tmp_path, "y", "a", hit(3), record=done)
    write_trial(tmp_path, "y", "b", MISS, record={"status": "diverged", "reason": "loss is nan"})
    return tmp_path


def test_scores_a_directory_by_the_suite_in_it(results):
    board = scoring.score(results)
    assert scores(board) == pytest.approx({"x": (2 + 3) / 6, "y": 0.5})
    assert board.complete
    assert (board.trials_found, board.trials_declared) == (6, 6)
    assert str(board).splitlines() == ["  1. 0.8333  x", "  2. 0.5000  y"]


def test_to_json_is_json_and_complete(results):
    (results / "stray.txt").write_text("")
    shown = json.loads(json.dumps(scoring.score(results).to_json(), allow_nan=False))
    assert shown["suite"] == ["a", "b"]
    x, y = shown["submissions"]
    assert (x["name"], x["rank"], x["ruleset"], x["targets_reached"]) == ("x", 1, "external", 2)
    assert y["times"] == {"a": 3.0, "b": None}
    assert y["cells"]["b"] == {
        "time": None,
        "ratio": None,
        "state": "missed",
        "detail": "diverged",
        "studies_reached": 0,
        "trials": 1,
        "studies": [None],
        "interval": None,
        "studies_open": 0,
    }
    assert shown["problems"] == [
        {"path": str(results / "stray.txt"), "what": "stray file: ignored"}
    ]
    assert shown["complete"] is True


def test_an_interrupted_trial_leaves_the_leaderboard_incomplete(results):
    path = results / "y" / "study_0" / "b_jax" / "trial_1" / "trial.json"
    path.write_text(path.read_text().replace("diverged", "interrupted"))
    board = scoring.score(results)
    assert (board.complete, board.trials_found) == (False, 5)
    assert board.rows[1].cells["b"].word == "interrupted"


def test_some_workloads_of_the_suite_only(results):
    board = scoring.score(results, workloads=["b"])
    assert scores(board) == {"x": 1.0, "y": 0.0}
    assert (board.suite, board.problems, board.complete) == (("b",), (), True)
    with pytest.raises(UsageError, match="unknown workload 'c'"):
        scoring.score(results, workloads=["c"])


def test_a_directory_without_a_suite_asks_for_one(results, tmp_path):
    (results / "suite.json").rename(tmp_path / "targets.json")
    with pytest.raises(UsageError, match=r"holds no suite\.json: .* --suite FILE"):
        scoring.score(results)
    assert scoring.score(results, suite=tmp_path / "targets.json").rows[0].name == "x"


def test_a_missing_directory_is_named_before_its_suite_is(tmp_path):
    with pytest.raises(UsageError, match="gone: no such results directory"):
        scoring.score(tmp_path / "gone")


def test_algoperf_integration_is_the_trapezoid(results):
    # y's miss and tie are exact in both; x's ratio 2 on "a" is a grid point, half an interval up.
    board = scoring.score(results, integration="algoperf")
    assert scores(board) == pytest.approx({"x": (2 / 3 + 0.5 / 99 + 1) / 2, "y": 0.5})
    with pytest.raises(UsageError, match="unknown integration"):
        scoring.score(results, integration="simpson")


def test_direction_is_obeyed(tmp_path):
    made = declared(("a",))
    made["workloads"]["a"]["direction"] = "maximize"
    write_trial(tmp_path, "x", "a", [(1, 0.5), (2, 1.5)])
    assert scoring.score(tmp_path, parse_suite(made)).rows[0].times == {"a": 2}


def test_the_order_of_directories_does_not_matter(tmp_path):
    for root, order in ((tmp_path / "up", (1, 2, 3)), (tmp_path / "down", (3, 2, 1))):
        for trial in order:
            rows = [(0, 5)] * (4 - trial) + [(7 * trial, 0.5)]
            write_trial(root, "x", "a", rows, trial=trial)
    up, down = (scoring.score(tmp_path / d, suite(("a",))) for d in ("up", "down"))
    assert up.rows[0].times == down.rows[0].times == {"a": 7}


def test_a_study_is_open_until_it_is_met_or_all_its_trials_are_there(tmp_path):
    made = suite(("a",), studies=4, trials=2, submissions={"x": {"ruleset": "external"}})
    write_trial(tmp_path, "x", "a", hit(5), study=0)  # met by its first trial
    write_trial(tmp_path, "x", "a", MISS, study=1)
    for trial in (1, 2):
        write_trial(tmp_path, "x", "a", MISS, study=2, trial=trial)
    cell = scoring.score(tmp_path, made).rows[0].cells["a"]
    assert (cell.studies_reached, cell.studies_open) == (1, 2)
