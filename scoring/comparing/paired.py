"""Statistics of paired times: is B slower than A, by how much, and how sure is that.

A pair is a study on a workload that both A and B ran; what is looked at is the logarithm of the
ratio of their times. scipy is imported where it is used, as it takes longer than most scoring.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05
# Of a ratio: what one run shares, as the state of its machine, is no noise that studies average.
AT_LEAST = 1.05
# With two pairs a t-test has one degree of freedom, and says next to nothing.
LEAST_STUDIES = 3
# Of five pairs that all agree, a signed-rank test says p = 2/32, which is not below 5%.
LEAST_PAIRS = 6


@dataclass(frozen=True)
class Ratio:
    """How the times of B and A relate on one workload.

    Attributes:
        pairs: studies in which both reached the target.
        ratio: geometric mean of B / A over these; NaN without any.
        interval: 95% interval of it; None with fewer than `LEAST_STUDIES` pairs.
        p: of the two-sided test of a ratio of 1, uncorrected; NaN likewise.
    """

    pairs: int
    ratio: float = math.nan
    interval: tuple[float, float] | None = None
    p: float = math.nan


@dataclass(frozen=True)
class Overall:
    """How the times of B and A relate over all workloads.

    Attributes:
        pairs: (workload, study) pairs in which at least one of the two reached the target.
        missed_by_a: those of them in which A did not.
        missed_by_b: those in which B did not.
        ratio: geometric mean of B / A over pairs that both reached; NaN without any.
        interval: 95% interval of it; None with fewer than `LEAST_PAIRS` such pairs.
        p: of the two-sided signed-rank test; NaN with fewer than `LEAST_PAIRS` pairs.
        direction: 1 where the ranks say that B is slower, -1 faster, 0 neither.
    """

    pairs: int
    missed_by_a: int = 0
    missed_by_b: int = 0
    ratio: float = math.nan
    interval: tuple[float, float] | None = None
    p: float = math.nan
    direction: int = 0

    @property
    def lopsided(self) -> bool:
        """Whether one of the two alone missed so much more that it is no chance (sign test)."""
        counts = (self.missed_by_a, self.missed_by_b)
        tails = sum(math.comb(sum(counts), few) for few in range(min(counts) + 1))
        return 2 * tails / 2 ** sum(counts) < LEVEL

    def verdict(self, p: float, at_least: float) -> int:
        """1 where B is slower, beyond chance and by enough; -1 where faster, 0 where neither.

        Args:
            p: of the signed-rank test, corrected.
            at_least: ratio of the times where both reached that is enough; so are misses that are
                no chance.
        """
        if not p < LEVEL:
            return 0
        by_misses = np.sign(self.missed_by_b - self.missed_by_a) if self.lopsided else 0
        enough = self.direction in (by_misses, apart(self.ratio, at_least))
        return self.direction if enough else 0


def apart(ratio: float, at_least: float = AT_LEAST) -> int:
    """1 where a ratio is at least so far above 1, -1 where it is as far below, else 0.

    Example:
        >>> apart(1.1), apart(1.02), apart(0.9), apart(float("nan"))
        (1, 0, -1, 0)
    """
    return int(ratio >= at_least) - int(ratio <= 1 / at_least)


def log_ratios(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Logarithms of B / A.

    Args:
        a: [...] times of A; infinity where it missed.
        b: [...] times of B.

    Returns:
        [...]; infinity where B alone missed (or A alone met its target at time 0), minus infinity
        where A alone did, NaN where both missed.

    Example:
        >>> log_ratios(np.array([1.0, 1.0, np.inf]), np.array([1.0, np.inf, np.inf])).tolist()
        [0.0, inf, nan]
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(b) - np.log(a)
    # A target met by the untrained model takes 0 s: two of these are equal.
    return np.where((a == b) & np.isfinite(a), 0.0, logs)


def workload_test(a: np.ndarray, b: np.ndarray, floor: np.ndarray | None = None) -> Ratio:
    """Paired t-test of the log ratios on one workload, over the studies that both reached.

    It takes log ratios of studies for independent and normal: noise that multiplies. Times are
    those of evaluations, so that with few studies all ratios may agree by nothing but rounding, and
    look much surer than they are; `floor` is the variance that rounding alone gives, and the
    variance is taken to be at least that.

    Args:
        a: [N] times of A by study; infinity where missed.
        b: [N] times of B.
        floor: [N] variance of each log ratio that is due to rounding to evaluations.

    Example:
        >>> found = workload_test(np.array([10.0, 11.0, 10.5]), np.array([11.0, 12.2, 11.6]))
        >>> found.pairs, round(found.ratio, 3), round(found.p, 4)
        (3, 1.105, 0.0006)
    """
    logs = log_ratios(a, b)
    both = np.isfinite(logs)
    logs = logs[both]
    pairs = len(logs)
    if not pairs:
        return Ratio(0)
    ratio = float(np.exp(logs.mean()))
    if pairs < LEAST_STUDIES:
        return Ratio(pairs, ratio)
    least = 0.0 if floor is None else float(np.mean(np.asarray(floor)[both]))
    interval, p = _t_test(logs, least)
    return Ratio(pairs, ratio, interval, p)


def holm(p: Iterable[float]) -> np.ndarray:
    """P values corrected for how many tests there are (Holm 1979); NaN is no test.

    Rejecting where the result is below 5% is wrong about any of the tests in at most 5% of cases,
    whether or not the tests are independent.

    Args:
        p: [T] p values.

    Returns:
        [T], each at least as large as before.

    Example:
        >>> holm([0.01, 0.04, np.nan, 0.03]).round(3).tolist()
        [0.03, 0.06, nan, 0.06]
    """
    p = np.asarray(list(p), float)
    order = np.argsort(p)  # NaN comes last
    tests = np.arange(np.isfinite(p).sum(), 0, -1)
    sorted_p = p[order]
    sorted_p[: len(tests)] = np.minimum(1, np.maximum.accumulate(sorted_p[: len(tests)] * tests))
    corrected = np.empty_like(p)
    corrected[order] = sorted_p
    return corrected


def overall_test(a: np.ndarray, b: np.ndarray) -> Overall:
    """Wilcoxon's signed-rank test over all (workload, study) pairs.

    A pair that one of the two missed counts as the largest difference, all such as equally large;
    a pair that both missed says nothing. What is tested is that B and A are the same on these
    workloads; it says nothing of other workloads.

    Args:
        a: [P] times of A; infinity where missed.
        b: [P] times of B.

    Example:
        >>> found = overall_test(np.arange(1.0, 8.0), 1.1 * np.arange(1.0, 8.0))
        >>> found.pairs, round(found.p, 4), found.direction
        (7, 0.0156, 1)
    """
    missed_a, missed_b = (~np.isfinite(np.asarray(times, float)) for times in (a, b))
    logs = log_ratios(a, b)
    logs = logs[~(missed_a & missed_b)]
    finite = logs[np.isfinite(logs)]
    found = {
        "pairs": len(logs),
        "missed_by_a": int((missed_a & ~missed_b).sum()),
        "missed_by_b": int((missed_b & ~missed_a).sum()),
        "ratio": float(np.exp(finite.mean())) if len(finite) else math.nan,
        "interval": _t_test(finite)[0] if len(finite) >= LEAST_PAIRS else None,
    }
    if len(logs) < LEAST_PAIRS:
        return Overall(**found)
    largest = np.abs(finite).max(initial=0.0) + 1.0
    # Rounded, as differences that are equal on paper would else be ranked by the last bit.
    differences = np.round(np.clip(logs, -largest, largest), 12)
    p, direction = signed_ranks(differences)
    return Overall(**found, p=p, direction=direction)


def signed_ranks(differences: np.ndarray) -> tuple[float, int]:
    """Wilcoxon's signed-rank test, exact whatever the ties.

    Differences of zero are ranked and then left out (Pratt 1959); those that tie share their mean
    rank. How the sum of the ranks of one sign is spread if each sign is a toss of a coin is counted
    rank by rank: the usual approximation by a normal distribution is too sure where many tie.

    Args:
        differences: [P].

    Returns:
        The two-sided p value, and the sign of the sum of signed ranks.

    Example:
        >>> signed_ranks(np.array([1.0, 2.0, 2.0, -1.0, 3.0, 0.0]))
        (0.1875, 1)
    """
    from scipy import stats  # noqa: PLC0415

    # Twice the ranks are whole numbers, ties or not.
    ranks = np.rint(2 * stats.rankdata(np.abs(differences))).astype(int) * (differences != 0)
    chances = np.zeros(ranks.sum() + 1)  # of each sum of the ranks that are positive
    chances[0] = 1
    for rank in ranks[ranks > 0]:
        chances /= 2
        chances[rank:] += chances[:-rank].copy()
    up, down = ranks[differences > 0].sum(), ranks[differences < 0].sum()
    return min(1.0, 2 * float(chances[max(up, down) :].sum())), int(np.sign(up - down))


def _t_test(logs: np.ndarray, least: float = 0.0) -> tuple[tuple[float, float], float]:
    """(95% interval of the geometric mean ratio, p), from two log ratios or more."""
    from scipy import stats  # noqa: PLC0415

    n, mean = len(logs), logs.mean()
    error = math.sqrt(max(float(logs.var(ddof=1)), least) / n)
    reach = error * stats.t.ppf(1 - LEVEL / 2, n - 1)
    interval = (float(np.exp(mean - reach)), float(np.exp(mean + reach)))
    if error == 0:
        return interval, 1.0 if mean == 0 else 0.0
    return interval, float(2 * stats.t.sf(abs(mean) / error, n - 1))
