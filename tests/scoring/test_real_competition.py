"""Four real submissions of AlgoPerf v0.5, self-tuning, against what AlgoPerf's scorer says.

The logs are not part of the repository: they lie beside it, in ../shared/data.
"""

import csv
import math
from pathlib import Path

import pytest

import scoring
from algoperf_lite.errors import UsageError
from tests.scoring.made_logs import scores

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LOGS = DATA / "algoperf_v05_self_tuning"
EXPECTED = DATA / "algoperf_v05_self_tuning_expected"
SUITE = EXPECTED / "workload_targets_v05.json"

pytestmark = pytest.mark.skipif(
    not (LOGS.is_dir() and SUITE.is_file()),
    reason="the AlgoPerf v0.5 logs are not in ../shared/data beside the repository",
)


def table(name):
    with (EXPECTED / name).open() as file:
        return {row.pop("submission"): row for row in csv.DictReader(file)}


def expected_times():
    """Seconds by submission and workload; an empty cell is a workload without logs."""
    return {
        name: {workload: float(text) if text else math.inf for workload, text in row.items()}
        for name, row in table("time_to_targets.csv").items()
    }


def expected_scores():
    return {name: float(row["score"]) for name, row in table("scores.csv").items()}


@pytest.fixture(scope="module")
def board():
    return scoring.score(LOGS, SUITE, integration="algoperf")


def test_times_from_raw_logs(board):
    for row in board.rows:
        assert row.times == pytest.approx(expected_times()[row.name], rel=1e-9)


def test_scores_from_raw_logs(board):
    assert scores(board) == pytest.approx(expected_scores(), abs=1e-12, rel=0)


def test_scores_from_the_table_of_times():
    from scoring.leaderboard import from_times
    from scoring.suite import load_suite
    from scoring.times import time_table
    from scoring.trial import Trial

    suite = load_suite(SUITE)
    trials = [
        Trial(name, 0, workload, 1, seconds, None, "x", None, "table")
        for name, row in expected_times().items()
        for workload, seconds in row.items()
    ]
    made = from_times(time_table(trials, suite), suite, "algoperf")
    assert scores(made) == pytest.approx(expected_scores(), abs=1e-12, rel=0)


def test_every_algoperf_score_is_a_multiple_of_1_over_1584(board):
    for score in scores(board).values():
        assert score * 1584 == pytest.approx(round(score * 1584), abs=1e-9)


def test_exact_scores_are_within_0_0015_of_the_trapezoid(board):
    exact = scores(scoring.score(LOGS, SUITE))
    assert exact == pytest.approx(scores(board), abs=0.0015, rel=0)


def test_missing_logs_are_reported_and_the_leaderboard_is_incomplete(board):
    assert (board.trials_found, board.trials_declared, board.studies) == (270, 280, 5)
    assert not board.complete
    assert len(board.problems) == 10
    assert {p.what for p in board.problems} == {"has no eval_measurements.csv: not counted"}
    (sinv6,) = (row for row in board.rows if row.name == "sinv6")
    assert sinv6.cells["criteo1tb"].state == "missing"


def test_scores_by_steps():
    by_steps = scoring.score(LOGS, SUITE, clock="steps")
    assert by_steps.unit == "steps"
    by_time = scoring.score(LOGS, SUITE)
    for row in by_steps.rows:
        assert row.missed == by_time.row(row.name).missed
        steps = [steps for steps in row.times.values() if math.isfinite(steps)]
        assert steps
        # Of three or five studies the median is one of them; of whole numbers it is one too.
        assert all(step == round(step) and step > 100 for step in steps)


@pytest.mark.parametrize("clock", ["robust", "time+compile"])
def test_clocks_that_need_our_records_are_refused_with_the_mend(clock):
    with pytest.raises(UsageError, match="score by --clock time or --clock steps"):
        scoring.score(LOGS, SUITE, clock=clock)
