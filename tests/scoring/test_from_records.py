"""Several leaderboards of one reading, and of one ruleset."""

import json

import pytest

import scoring
from algoperf_lite.errors import UsageError
from scoring.leaderboard import from_records
from scoring.reader import read_records
from scoring.suite import parse_suite
from tests.scoring.made_logs import MISS, declared, hit, scores, write_trial


@pytest.fixture
def results(tmp_path):
    made = declared(("a", "b"), submissions={"x": {"ruleset": "external"}, "y": {"ruleset": "self"},
                                             "z": {"ruleset": "self"}})  # fmt: skip
    (tmp_path / "suite.json").write_text(json.dumps(made))
    for name, (on_a, on_b) in {"x": (2.0, 4.0), "y": (4.0, 2.0), "z": (8.0, None)}.items():
        write_trial(tmp_path, name, "a", hit(on_a))
        write_trial(tmp_path, name, "b", hit(on_b) if on_b else MISS)
    return tmp_path


def test_a_ruleset_is_ranked_among_itself(results):
    everyone = scoring.score(results)
    assert scores(everyone) == pytest.approx({"x": 5 / 6, "y": 5 / 6, "z": 0.0})
    board = scoring.score(results, ruleset="self")
    assert scores(board) == pytest.approx({"y": 1.0, "z": 1 / 3})
    assert [(row.name, row.rank, row.ruleset) for row in board.rows] == [
        ("y", 1, "self"),
        ("z", 2, "self"),
    ]
    assert (board.ruleset, board.trials_found, board.trials_declared) == ("self", 4, 4)
    assert scores(scoring.score(results, ruleset="external")) == {"x": 1.0}


def test_a_ruleset_of_nobody_is_refused_with_the_mend(results):
    path = results / "suite.json"
    path.write_text(json.dumps(declared(("a", "b"))))
    with pytest.raises(UsageError, match=r"declares no submission of the ruleset 'self': leave"):
        scoring.score(results, ruleset="self")
    with pytest.raises(UsageError, match="unknown ruleset 'own'"):
        scoring.score(results, ruleset="own")


def test_a_baseline_must_be_of_the_ruleset(results):
    assert scoring.score(results, ruleset="self", baseline="y").row("z").speedup == pytest.approx(
        (4 / 8 * 2 / 100) ** 0.5  # a miss counts where its log ends
    )
    with pytest.raises(UsageError, match="baseline 'x' is of the ruleset 'external', and only"):
        scoring.score(results, ruleset="self", baseline="x")
    with pytest.raises(UsageError, match="unknown baseline 'w'"):
        scoring.score(results, ruleset="self", baseline="w")


def test_boards_of_one_reading_are_those_of_a_reading_each(results):
    suite = parse_suite(json.loads((results / "suite.json").read_text()))
    records = read_records(results, suite)
    for names in (["a"], ["b"], ["a", "b"]):
        for ruleset in (None, "self", "external"):
            once = from_records(records, suite.select(names), ruleset=ruleset)
            again = scoring.score(results, suite, workloads=names, ruleset=ruleset)
            assert once == again


def test_the_order_of_boards_does_not_matter(results):
    suite = parse_suite(json.loads((results / "suite.json").read_text()))
    records = read_records(results, suite)
    first = from_records(records, suite)
    from_records(records, suite.select(["b"]), ruleset="self")
    assert from_records(records, suite) == first


def test_noisy_trials_are_counted(results):
    write_trial(results, "x", "a", hit(2.0), trial=2, record={"status": "target_reached",
                                                             "noisy": True})  # fmt: skip
    suite = json.loads((results / "suite.json").read_text()) | {"trials": 2}
    (results / "suite.json").write_text(json.dumps(suite))
    assert scoring.score(results).trials_noisy == 1


def test_trials_on_a_host_loop_are_counted(results):
    for workload, said in (("a", True), ("b", False), ("c", "yes")):
        record = {"status": "target_reached", "host_loop": said}
        write_trial(results, "w", workload, hit(2.0), record=record)
    suite = declared(("a", "b", "c"))
    assert scoring.score(results, parse_suite(suite)).trials_on_host_loop == 1
