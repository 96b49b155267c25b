"""How sure a leaderboard is: 95% intervals by bootstrap over studies.

Each submission's studies are drawn anew with replacement (Efron 1979), whole studies at a time, as
the trials of one study share hyperparameter points; medians, rules and scores follow from the
draw. Submissions are drawn independently of each other. In self-tuning a study is one seed.

Ratios are to the fastest of all, and in a resample somebody is luckier yet: among many that are
nearly alike, every score would come out below what was measured. The fastest time of a resample is
therefore taken with some slack, the factor per workload by which it is too fast on average.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoring.times import median_over_studies

CONFIDENCE = 0.95
RESAMPLES = 1000
# Fewer make no interval: half of the resamples of two studies are those two again.
LEAST_STUDIES = 3
# Resamples that are scored at once: what they take in memory is then small whatever the suite.
_CHUNK = 50
# Scores that differ by less are equal: the sums of equal ratios in another order.
_TIE = 1e-12


@dataclass(frozen=True)
class Intervals:
    """95% intervals for S submissions on W workloads; lower and upper ends on the last axis.

    Attributes:
        score: [S, 2].
        rank: [S, 2] whole numbers, 1 being best.
        time: [S, W, 2], before the rules; infinity where enough resamples missed.
    """

    score: np.ndarray
    rank: np.ndarray
    time: np.ndarray


def bootstrap(
    of_study: np.ndarray,
    scores_of: Callable[[np.ndarray, np.ndarray], np.ndarray],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Intervals | None:
    """Percentile intervals of scores, ranks and times.

    With three studies an interval of a median spans at most the range of the three, which covers
    the true median in three of four cases, not in 95 of 100: a guide, no proof. Those of scores
    cover 0.90 to 0.97 on made leaderboards whose submissions differ, and nothing where all are
    exactly alike, as the score then is too low itself: `benchmarks/interval_coverage.py`.

    Args:
        of_study: [N, S, W] times of the studies; infinity where missed or missing.
        scores_of: from medians [..., S, W], and slack of the fastest [W], to scores [..., S].
        resamples: how many draws.
        seed: of the draws, so that a leaderboard is the same each time.

    Returns:
        None if there are fewer than `LEAST_STUDIES` studies.

    Example:
        >>> always = np.ones((3, 2, 1)) * [[2.0], [1.0]]
        >>> bootstrap(always, lambda times, slack: 1 / times[..., 0]).rank.tolist()
        [[2, 2], [1, 1]]
    """
    studies, submissions, _ = of_study.shape
    if studies < LEAST_STUDIES:
        return None
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, studies, (resamples, studies, submissions))
    medians = np.stack(
        [median_over_studies(of_study[one, np.arange(submissions)]) for one in drawn]
    )
    slack = slack_of(medians, median_over_studies(of_study))
    chunks = [medians[i : i + _CHUNK] for i in range(0, resamples, _CHUNK)]
    scores = np.concatenate([scores_of(chunk, slack) for chunk in chunks])
    # Slack lets those near the fastest tie with it, which is no matter of order.
    order = np.concatenate([ranks(scores_of(chunk, np.ones_like(slack))) for chunk in chunks])
    times = np.stack([_ends(medians[:, s]) for s in range(submissions)])
    return Intervals(_ends(scores), _ends(order), times)


def slack_of(resampled: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """By how much the fastest of a resample is too fast: [W] factors from 1.

    Args:
        resampled: [R, S, W] medians.
        measured: [S, W] medians.

    Example:
        >>> slack_of(np.array([[[1.0], [2.0]], [[2.0], [1.0]]]), np.array([[2.0], [2.0]])).tolist()
        [2.0]
    """
    fastest, best = resampled.min(axis=1), measured.min(axis=0)
    finished = np.isfinite(fastest) & (fastest > 0) & np.isfinite(best) & (best > 0)
    excess = np.log(np.where(finished, best, 1.0) / np.where(finished, fastest, 1.0))
    factors = np.exp(excess.sum(axis=0) / np.maximum(finished.sum(axis=0), 1))
    return np.maximum(factors, 1.0)  # less would have nobody at the ratio 1


def ranks(scores: np.ndarray) -> np.ndarray:
    """Ranks from 1, best first; equal scores share the better rank.

    Args:
        scores: [..., S]; NaN ranks after all.

    Returns:
        Whole numbers [..., S].

    Example:
        >>> ranks(np.array([0.5, 0.9, 0.5])).tolist()
        [2, 1, 2]
    """
    rows = scores.reshape(math.prod(scores.shape[:-1]), scores.shape[-1])
    better = [np.searchsorted(np.sort(-row), -row - _TIE) for row in rows]
    return 1 + np.reshape(better, scores.shape)


def _ends(draws: np.ndarray) -> np.ndarray:
    """[..., 2] ends of the central 95% over the first axis; draws themselves, as some are inf."""
    tail = (1 - CONFIDENCE) / 2
    return np.moveaxis(np.quantile(draws, [tail, 1 - tail], axis=0, method="inverted_cdf"), 0, -1)
