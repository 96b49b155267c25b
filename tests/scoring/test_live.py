"""Standings of a run in progress, against the leaderboard and by hand."""

import itertools
import math

import numpy as np
import pytest

from scoring.leaderboard import from_times
from scoring.live import standings
from scoring.times import time_table
from scoring.trial import Trial
from tests.scoring.made_logs import suite

BOTH = {"a": {"ruleset": "external"}, "b": {"ruleset": "external"}, "c": {"ruleset": "self"}}


def declared(base=("w", "x"), held_out=(), studies=1, trials=1, submissions=("a", "b")):
    rulesets = {name: {"ruleset": "external"} for name in submissions}
    return suite(base, held_out, studies=studies, trials=trials, submissions=rulesets)


def by_name(found):
    return {row.name: row for row in found.rows}


@pytest.mark.parametrize("seed", range(5))
def test_of_a_run_that_is_done_they_are_the_leaderboard(seed):
    made = suite(("w", "x"), ("w_v",), studies=3, trials=2, submissions=BOTH)
    random = np.random.default_rng(seed)
    times = {
        (name, study, workload, number): random.choice([math.inf, *random.uniform(1, 3, 3)])
        for name, study, workload, number in itertools.product("abc", range(3), made.names, (1, 2))
        if name != "c" or number == 1
    }
    trials = [
        Trial(name, study, workload, number, time, 1, "x", None, "made")
        for (name, study, workload, number), time in times.items()
    ]
    board = from_times(time_table(trials, made), made)
    found = standings(times, made)
    assert found.compared == len(times) == board.trials_declared
    assert [row.name for row in found.rows] == [row.name for row in board.rows]
    for row, final in zip(found.rows, board.rows, strict=True):
        assert row.score == pytest.approx(final.score, abs=1e-12)
        assert (row.rank, row.times) == (final.rank, final.times)
        assert row.ratios == pytest.approx(final.ratios)
        assert row.finished == row.owed


def test_what_has_not_run_is_left_out_for_everybody_and_is_no_miss():
    times = {("a", 0, "w", 1): 2.0, ("b", 0, "w", 1): 4.0, ("a", 0, "x", 1): 1.0}
    found = standings(times, declared())
    assert found.workloads == ("w",)
    assert found.compared == 2
    assert [(row.name, row.score, row.reached) for row in found.rows] == [
        ("a", 1.0, 1),
        ("b", pytest.approx(2 / 3), 1),
    ]
    assert by_name(found)["a"].finished == 2


def test_a_miss_counts_as_one():
    times = {("a", 0, "w", 1): 2.0, ("b", 0, "w", 1): math.inf}
    assert by_name(standings(times, declared()))["b"].score == 0.0


def test_a_submission_that_has_not_begun_holds_nobody_back_and_comes_last():
    times = {("b", 0, "w", 1): 2.0, ("c", 0, "w", 1): 2.0}
    found = standings(times, declared(submissions="abc"))
    assert [(row.name, row.rank, row.score) for row in found.rows] == [
        ("b", 1, 1.0),
        ("c", 1, 1.0),
        ("a", None, None),
    ]


def test_alone_of_several_nobody_is_the_fastest():
    found = standings({("a", 0, "w", 1): 2.0}, declared())
    assert (found.base, [row.rank for row in found.rows]) == (0, [None, None])
    alone = standings({("a", 0, "w", 1): 2.0}, declared(submissions="a"))
    assert alone.rows[0].score == 1.0


def test_a_round_counts_when_all_who_owe_it_have_run_it():
    made = suite(("w",), studies=1, trials=2, submissions=BOTH)
    times = dict.fromkeys([("a", 0, "w", 1), ("b", 0, "w", 1), ("c", 0, "w", 1)], 4.0)
    times["a", 0, "w", 2] = 1.0
    assert by_name(standings(times, made))["a"].times == {"w": 4.0}  # b has had one try alone
    times["b", 0, "w", 2] = 2.0
    found = by_name(standings(times, made))
    assert [found[name].times["w"] for name in "abc"] == [1.0, 2.0, 4.0]


def test_a_study_counts_from_its_first_trial_on():
    made = suite(("w",), studies=2, trials=2, submissions=BOTH)
    times = {(name, 0, "w", 1): 4.0 for name in "abc"}
    times |= {("a", 1, "w", 2): 1.0, ("b", 1, "w", 2): 1.0}  # the first was interrupted
    found = by_name(standings(times, made))
    assert [found[name].times["w"] for name in "abc"] == [4.0, 4.0, 4.0]


def test_the_median_is_over_the_studies_that_there_are():
    times = {(name, study, "w", 1): time for name, row in {"a": (2, 4), "b": (3, 9)}.items()
             for study, time in enumerate(map(float, row))}  # fmt: skip
    found = by_name(standings(times, declared(("w",), studies=3)))
    assert (found["a"].times["w"], found["b"].times["w"]) == (3.0, 6.0)


def test_a_held_out_variant_disqualifies_its_base_only_once_it_has_run():
    made = declared(("w",), ("w_v",))
    times = {("a", 0, "w", 1): 2.0, ("b", 0, "w", 1): 4.0, ("a", 0, "w_v", 1): math.inf}
    assert by_name(standings(times, made))["a"].score == 1.0
    times["b", 0, "w_v", 1] = 1.0
    assert by_name(standings(times, made))["a"].score == 0.0
    assert by_name(standings(times, made))["b"].score == 1.0


def test_a_held_out_variant_without_its_base_waits_for_it():
    made = declared(("w", "x"), ("w_v",))
    times = {(name, 0, workload, 1): 2.0 for name in "ab" for workload in ("x", "w_v")}
    assert standings(times, made).workloads == ("x",)
