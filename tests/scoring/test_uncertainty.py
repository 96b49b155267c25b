"""Intervals against every resample there is, and ranks against their definition."""

import itertools
import math
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import scoring
from scoring import uncertainty
from scoring.uncertainty import bootstrap, ranks, slack_of
from tests.scoring.made_logs import hit, suite, write_trial

INF = math.inf
# [studies, submissions, workloads]
TIMES = np.array(
    [
        [[10.0, 31.0], [12.0, 14.0]],
        [[15.0, 20.0], [11.0, INF]],
        [[11.0, 26.0], [19.0, 13.0]],
    ]
)


def score_by_hand(times, slack=(1.0,) * 9):
    """The score of each submission for times [submission][workload], without held-out variants."""
    scores = [0.0] * len(times)
    for w in range(len(times[0])):
        best = slack[w] * min(row[w] for row in times)
        for s, row in enumerate(times):
            if row[w] <= 4 * best < INF:
                scores[s] += (4 - max(row[w] / best, 1.0)) / 3 / len(times[0])
    return scores


def every_resample(of_study):
    """Medians and scores of all equally likely draws: each submission draws its own studies."""
    studies, submissions, workloads = of_study.shape
    for draws in itertools.product(
        itertools.product(range(studies), repeat=studies), repeat=submissions
    ):
        medians = [
            [median(of_study[i][s][w] for i in draws[s]) for w in range(workloads)]
            for s in range(submissions)
        ]
        yield medians, score_by_hand(medians)


def ends_by_hand(values):
    """The least values that at least 2.5% and 97.5% of all are not above."""
    ordered = sorted(values)
    n = len(ordered)
    return [ordered[math.ceil(n * share) - 1] for share in (0.025, 0.975)]


def scores_of(times, slack):
    return np.array([score_by_hand(one, slack) for one in times.tolist()])


def without_slack(times, slack):
    return scores_of(times, np.ones_like(slack))


@pytest.fixture(scope="module")
def everything():
    return list(every_resample(TIMES))


def test_there_are_27_by_27_resamples(everything):
    assert len(everything) == 729


def test_intervals_of_times_are_those_of_all_resamples(everything):
    found = bootstrap(TIMES, scores_of)
    for s, w in itertools.product(range(2), range(2)):
        by_hand = ends_by_hand([medians[s][w] for medians, _ in everything])
        assert found.time[s, w].tolist() == by_hand


def test_intervals_of_scores_and_ranks_are_those_of_all_resamples(everything):
    found = bootstrap(TIMES, without_slack, resamples=4000)
    for s in range(2):
        by_hand = ends_by_hand([scores[s] for _, scores in everything])
        np.testing.assert_allclose(found.score[s], by_hand, rtol=1e-12)
        rank = [1 + sum(other > scores[s] + 1e-12 for other in scores) for _, scores in everything]
        assert found.rank[s].tolist() == ends_by_hand(rank)


def test_the_score_by_hand_is_the_leaderboards(tmp_path):
    for i, s, w in itertools.product(range(3), range(2), range(2)):
        rows = hit(TIMES[i, s, w]) if TIMES[i, s, w] < INF else [(1.0, 5.0)]
        write_trial(tmp_path, "xy"[s], "ab"[w], rows, study=i)
    board = scoring.score(tmp_path, suite(("a", "b")))
    medians = np.median(TIMES, axis=0).tolist()
    assert [board.row(name).score for name in "xy"] == pytest.approx(score_by_hand(medians))
    expected = bootstrap(TIMES, scores_of)
    for s, name in enumerate("xy"):
        row = board.row(name)
        assert row.cells["b"].interval == tuple(expected.time[s, 1])
        assert 0 <= row.score_interval[0] <= row.score_interval[1] <= 1
        assert 1 <= row.rank_interval[0] <= row.rank_interval[1] <= 2


def test_the_ends_cut_2_5_percent_off_either_side():
    # The median of nine draws is at most the k-th of nine times if five draws or more are.
    def at_most(k):
        return sum(math.comb(9, n) * k**n * (9 - k) ** (9 - n) for n in range(5, 10)) / 9**9

    by_hand = [min(k for k in range(1, 10) if at_most(k) >= share) for share in (0.025, 0.975)]
    assert by_hand == [2, 8]
    of_study = np.arange(1.0, 10.0).reshape(9, 1, 1)
    found = bootstrap(of_study, lambda times, slack: times[..., 0], resamples=10_000)
    assert found.time.tolist() == [[by_hand]]


@pytest.mark.parametrize("studies", [1, 2])
def test_no_interval_of_fewer_than_three_studies(studies):
    assert bootstrap(TIMES[:studies], scores_of) is None


def test_the_same_each_time_and_however_many_are_scored_at_once(monkeypatch):
    first = bootstrap(TIMES, scores_of)
    monkeypatch.setattr(uncertainty, "_CHUNK", 7)
    again = bootstrap(TIMES, scores_of)
    for name, ends in vars(first).items():
        np.testing.assert_array_equal(getattr(again, name), ends)


def test_studies_that_agree_leave_no_doubt():
    found = bootstrap(np.stack([TIMES[0]] * 3), scores_of)
    assert (found.score[:, 0] == found.score[:, 1]).all()
    assert found.time[0].tolist() == [[10.0, 10.0], [31.0, 31.0]]


def test_of_three_studies_the_interval_is_their_range():
    found = bootstrap(TIMES, scores_of)
    assert found.time[..., 0].tolist() == TIMES.min(axis=0).tolist()
    assert found.time[..., 1].tolist() == TIMES.max(axis=0).tolist()


def test_the_range_of_three_covers_the_true_median_in_three_of_four_cases():
    # Each study is above or below the true median, as a coin falls: all three alike in 2 of 8.
    sides = list(itertools.product((-1, 1), repeat=3))
    covered = [min(three) < 0 < max(three) for three in sides]
    assert sum(covered) / len(sides) == 0.75
    # And so it is of times that are anything but symmetric, to within three standard errors.
    drawn = np.random.default_rng(0).lognormal(size=(3, 4000))
    inside = (drawn.min(axis=0) < 1) & (drawn.max(axis=0) > 1)
    assert inside.mean() == pytest.approx(0.75, abs=3 * math.sqrt(0.75 * 0.25 / 4000))


def test_equal_scores_share_the_better_rank():
    assert ranks(np.array([0.5, 0.9, 0.5, 0.1, 0.9])).tolist() == [3, 1, 3, 5, 1]
    # Sums of equal ratios in another order differ in their last bits.
    assert ranks(np.array([0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1])).tolist() == [1, 1]
    assert ranks(np.array([0.5, math.nan, 0.9])).tolist() == [2, 3, 1]
    assert ranks(np.zeros((4, 3))).tolist() == [[1] * 3] * 4


@given(arrays(float, (3, 2, 6), elements=st.integers(0, 4).map(lambda n: n / 4)))
def test_a_rank_is_one_more_than_how_many_are_better(scores):
    for index in np.ndindex(3, 2):
        row = scores[index].tolist()
        assert ranks(scores)[index].tolist() == [1 + sum(b > a for b in row) for a in row]


def test_slack_is_how_much_too_fast_the_fastest_is_on_average():
    alike = np.array([[[10.0, 20.0]] * 2, [[12.0, 22.0]] * 2, [[14.0, 24.0]] * 2])
    resampled = np.array([medians for medians, _ in every_resample(alike)])
    fastest = [[min(row[w] for row in medians) for medians in resampled.tolist()] for w in (0, 1)]
    by_hand = [
        math.exp(np.mean(np.log(best / np.array(fastest[w])))) for w, best in ((0, 12.0), (1, 22.0))
    ]
    assert min(by_hand) > 1
    np.testing.assert_allclose(slack_of(resampled, np.median(alike, axis=0)), by_hand, rtol=1e-12)


def test_slack_is_never_less_than_one():
    assert slack_of(np.array([[[3.0]], [[2.0]]]), np.array([[2.0]])).tolist() == [1.0]


def test_slack_is_of_what_was_finished_alone():
    measured = np.array([[4.0, INF, 0.0]])
    resampled = np.array([[[2.0, INF, 0.0]], [[INF, 3.0, 0.0]]])
    assert slack_of(resampled, measured).tolist() == [2.0, 1.0, 1.0]


def test_among_many_alike_each_score_lies_in_its_interval():
    rng = np.random.default_rng(0)
    of_study = np.exp(0.1 * rng.standard_normal((5, 20, 9)))
    score = scores_of(np.median(of_study, axis=0)[None], np.ones(9))[0]

    def outside(scores):
        ends = bootstrap(of_study, scores, resamples=300).score
        return int(((score < ends[:, 0]) | (score > ends[:, 1])).sum())

    assert outside(without_slack) > 10
    assert outside(scores_of) == 0


def test_slack_does_not_move_ranks():
    # One is always a little behind the other, whose third study is much faster.
    of_study = np.array([[[1.0], [1.05]], [[1.0], [1.05]], [[0.2], [1.05]]])
    assert slack_of(of_study, np.median(of_study, axis=0))[0] > 1
    assert bootstrap(of_study, scores_of).rank.tolist() == [[1, 1], [2, 2]]
