"""The protocol's score: disqualifications, performance profiles, and the area under them.

Pure functions over arrays of times in seconds, infinity where a target was missed. Every function
takes leading dimensions (`[..., submissions, workloads]`), so that a bootstrap is one call.
Source: performance profiles by Dolan and More 2002; the rules by AlgoPerf (Dahl et al. 2023,
arXiv 2306.07179, section 4).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from algoperf_lite.errors import unknown_name

TAU_MAX = 4.0
INTEGRATIONS = ("exact", "algoperf")


class RuledTimes(NamedTuple):
    """Times after some of the rules: base [..., S, B] and held-out [..., S, H], in seconds."""

    base: np.ndarray
    held_out: np.ndarray


def apply_rules(
    base: np.ndarray,
    held_out: np.ndarray | None = None,
    base_index: Sequence[int] = (),
    slack: np.ndarray | None = None,
) -> RuledTimes:
    """Times after rules 1, 2 and 3, in that order.

    Args:
        base: times on base workloads, [..., S, B].
        held_out: times on held-out variants, [..., S, H]; None if the suite has none.
        base_index: [H], for each variant the position of its base workload.
        slack: [B + H] factors on the fastest times, as `scoring.uncertainty` has them; or None.

    Example:
        >>> apply_rules(np.array([[1.0], [4.0], [4.1]])).base.ravel().tolist()
        [1.0, 4.0, inf]
    """
    return after_each_rule(base, held_out, base_index, slack)[-1]


def after_each_rule(
    base: np.ndarray,
    held_out: np.ndarray | None = None,
    base_index: Sequence[int] = (),
    slack: np.ndarray | None = None,
) -> tuple[RuledTimes, RuledTimes, RuledTimes]:
    """Times after rule 1, after rules 1 and 2, and after all three; arguments as above.

    Example:
        >>> after = after_each_rule(np.array([[1.0], [4.1]]))
        >>> [times.base.ravel().tolist() for times in after]
        [[1.0, 4.1], [1.0, inf], [1.0, inf]]
    """
    base = np.asarray(base, float)
    if held_out is None:
        held_out = np.empty((*base.shape[:-1], 0))
    first = RuledTimes(base, miss_variants_of_missed_bases(base, held_out, base_index))
    n_base = base.shape[-1]
    slack = np.ones(n_base + held_out.shape[-1]) if slack is None else slack
    second = RuledTimes(
        miss_beyond_limit(first.base, TAU_MAX * slack[:n_base]),
        miss_beyond_limit(first.held_out, TAU_MAX * slack[n_base:]),
    )
    third = second._replace(base=miss_bases_of_missed_variants(*second, base_index))
    return first, second, third


def miss_variants_of_missed_bases(
    base: np.ndarray, held_out: np.ndarray, base_index: Sequence[int]
) -> np.ndarray:
    """Rule 1: a variant counts only where its base workload was reached. Shapes as above."""
    of_base = base[..., np.asarray(base_index, int)]
    return np.where(np.isfinite(of_base), held_out, np.inf)


def miss_beyond_limit(times: np.ndarray, limit: float | np.ndarray = TAU_MAX) -> np.ndarray:
    """Rule 2: more than `limit` times the fastest submission is a miss; exactly that is none."""
    best = times.min(axis=-2, keepdims=True, initial=np.inf)
    return np.where(times > limit * best, np.inf, times)


def miss_bases_of_missed_variants(
    base: np.ndarray, held_out: np.ndarray, base_index: Sequence[int]
) -> np.ndarray:
    """Rule 3: a base workload counts only where each of its held-out variants was reached."""
    base = base.copy()
    for variant, position in enumerate(base_index):
        missed = ~np.isfinite(held_out[..., variant])
        base[..., position] = np.where(missed, np.inf, base[..., position])
    return base


def ratios(times: np.ndarray, slack: np.ndarray | float = 1.0) -> np.ndarray:
    """Time over the fastest submission's, per workload: [..., S, W], at least 1, or infinity.

    Give times after the rules: rule 2 never takes the fastest away, rule 3 can. With `slack`, a
    factor or one per workload, times are over so many times the fastest.
    """
    best = times.min(axis=-2, keepdims=True, initial=np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.maximum(times / (best * slack), 1.0)
    relative = np.where(np.isfinite(times), relative, np.inf)
    # A target met by the untrained model takes 0 s; 0 / 0 is then a tie.
    return np.where(np.isfinite(times) & (times == best), 1.0, relative)


def relative_to_best(
    times: np.ndarray,
    base_workloads: int,
    base_index: Sequence[int] = (),
    slack: np.ndarray | None = None,
) -> np.ndarray:
    """Ratios to the fastest after the rules, [..., S, W]; base workloads come first.

    Args:
        times: [..., S, W], before the rules.
        base_workloads: how many of the W workloads are base workloads.
        base_index: for each variant after those, the position of its base workload.
        slack: [W], or None; see `apply_rules`.

    Example:
        >>> relative_to_best(np.array([[1.0], [2.0], [5.0]]), 1).ravel().tolist()
        [1.0, 2.0, inf]
    """
    base, held_out = times[..., :base_workloads], times[..., base_workloads:]
    ruled = apply_rules(base, held_out, base_index, slack)
    return ratios(np.concatenate(ruled, axis=-1), 1.0 if slack is None else slack)


def rho(relative: np.ndarray, tau: float | np.ndarray) -> np.ndarray:
    """The performance profile: the fraction of workloads with ratio <= tau.

    Args:
        relative: ratios [..., S, W].
        tau: a number, or an array [T].

    Returns:
        [..., S], or [..., S, T].

    Example:
        >>> rho(np.array([[1.0, 2.0]]), [1.0, 1.9, 2.0]).tolist()
        [[0.5, 0.5, 1.0]]
    """
    tau = np.asarray(tau, float)
    if tau.ndim == 0:
        return (relative <= tau).mean(axis=-1)
    return (relative[..., None] <= tau).mean(axis=-2)


def integrate(relative: np.ndarray, integration: str = "exact") -> np.ndarray:
    """Scores [..., S]: the mean of the profile over tau from 1 to 4.

    Args:
        relative: ratios [..., S, W].
        integration: "exact", the integral of the step function, sum over r <= 4 of
            (4 - r) / (3 W); or "algoperf", AlgoPerf's trapezoid over 100 grid points, which is at
            most 0.005 off.

    Raises:
        UsageError: another name.
    """
    if integration not in INTEGRATIONS:
        raise unknown_name("integration", integration, INTEGRATIONS)
    if integration == "exact":
        return (TAU_MAX - np.minimum(relative, TAU_MAX)).mean(axis=-1) / (TAU_MAX - 1)
    tau = np.linspace(1.0, TAU_MAX, 100)
    return np.trapezoid(rho(relative, tau), tau, axis=-1) / (TAU_MAX - 1)
