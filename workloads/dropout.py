"""Dropout whose rate may be traced, as submissions may ask for it; flax's takes known ones only."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp


def dropout(
    module: nn.Module, x: jax.Array, rate: Any, shape: tuple[int, ...] | None = None
) -> jax.Array:
    """Zeroes entries of x with chance `rate` and scales up the others.

    Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.

    Args:
        module: draws from its stream "dropout".
        x: of any shape.
        rate: in [0, 1); a Python number 0 draws nothing and needs no stream.
        shape: of the draws, broadcast to that of x: entries that share a draw fall together.

    Returns:
        The same shape as x.
    """
    if isinstance(rate, int | float) and rate == 0:
        return x
    kept = jax.random.bernoulli(module.make_rng("dropout"), 1 - rate, shape or x.shape)
    return jnp.where(kept, x / (1 - rate), 0)
