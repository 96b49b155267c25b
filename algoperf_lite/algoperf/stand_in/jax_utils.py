"""Stands in for ``algoperf.jax_utils``: dropout at a rate given in the call, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.linen.module import merge_param


class Dropout(nn.Module):
    """Zeroes entries at random and scales up the others (Srivastava et al. 2014, JMLR 15).

    Its rate may be traced, so that another one needs no other program.

    Attributes:
        rate: chance that an entry is zeroed, where a call gives none.
        broadcast_dims: axes along which entries share one draw.
        deterministic: True leaves everything as it is.
        rng_collection: the stream of keys to draw from.
    """

    rate: float | None = None
    broadcast_dims: Sequence[int] = ()
    deterministic: bool | None = None
    rng_collection: str = "dropout"

    @nn.compact
    def __call__(
        self,
        inputs: jax.Array,
        deterministic: bool | None = None,
        rate: Any = None,
        rng: Any = None,
    ) -> jax.Array:
        """Drop entries of `inputs`, of any shape.

        Args:
            inputs: what to drop from.
            deterministic: in place of the attribute; only one of the two may be given.
            rate: in place of the attribute, a number or a traced scalar; 0 draws nothing if it is a
                number.
            rng: key to draw with, in place of one of the stream's.
        """
        deterministic = merge_param("deterministic", self.deterministic, deterministic)
        rate = self.rate if rate is None else rate
        if deterministic or (isinstance(rate, int | float) and rate == 0):
            return inputs
        rng = self.make_rng(self.rng_collection) if rng is None else rng
        shared = {axis % inputs.ndim for axis in self.broadcast_dims}
        shape = [1 if axis in shared else size for axis, size in enumerate(inputs.shape)]
        keep = 1 - jnp.asarray(rate, inputs.dtype)
        scale = 1 / jnp.where(keep > 0, keep, 1)  # at a rate of 1, a division would leave NaN
        return jnp.where(jax.random.bernoulli(rng, keep, shape), inputs * scale, 0)


def print_jax_model_summary(model: nn.Module, fake_inputs: Any) -> None:
    """Print a table of a model's layers, with their shapes and numbers of parameters."""
    tabulate = nn.tabulate(
        model, jax.random.key(0), console_kwargs={"force_terminal": False, "width": 120}
    )
    print(tabulate(fake_inputs, train=False))
