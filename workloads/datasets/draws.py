"""Random draws that are the same bits on every machine: integers and integer tables only.

NumPy promises a stable stream for `PCG64` and for bounded integers, not for its distributions, so
categorical draws here look a random integer up in a cumulative table of integer weights.
"""

import numpy as np


def generator(seed: int) -> np.random.Generator:
    """A PCG64 stream, named by its seed."""
    return np.random.Generator(np.random.PCG64(seed))


def zipf_weights(count: int, scale: int = 1 << 24) -> np.ndarray:
    """Integer weights in proportion to 1 / rank: Zipf's law with exponent 1.

    Args:
        count: number of values, the most frequent first.
        scale: weight of the first value.

    Returns:
        int64 of shape (count,).

    Example:
        >>> zipf_weights(4, scale=12).tolist()
        [12, 6, 4, 3]
    """
    return scale // np.arange(1, count + 1, dtype=np.int64)


def draw(rng: np.random.Generator, weights: np.ndarray, shape: int | tuple[int, ...]) -> np.ndarray:
    """Independent categorical draws by inverting the cumulative weights.

    Args:
        rng: where the integers come from.
        weights: non-negative int64 of shape (K,), with a sum below 2**63.
        shape: of the result.

    Returns:
        int64 values in [0, K), value k with probability ``weights[k] / weights.sum()``.

    Example:
        >>> draw(generator(0), np.array([0, 5, 0]), 3).tolist()
        [1, 1, 1]
    """
    cumulative = np.cumsum(weights)
    return np.searchsorted(cumulative, rng.integers(0, cumulative[-1], shape), side="right")
