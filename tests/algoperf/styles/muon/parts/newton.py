"""Momentum, orthogonalised by Newton-Schulz iterations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

COEFFICIENTS = (3.4445, -4.775, 2.0315)


class OrthogonalState(NamedTuple):
    momentum: Any


def orthogonalize(matrix, steps=5):
    """The nearest matrix with orthonormal rows or columns, about."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = matrix if wide else matrix.T
    x = x / (jnp.linalg.norm(x) + 1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.T


def scale_by_orthogonalization(decay):
    """An `optax.GradientTransformation` for matrices."""

    def init(params):
        return OrthogonalState(jax.tree.map(jnp.zeros_like, params))

    def update(updates, state, params=None):
        momentum = jax.tree.map(lambda m, g: decay * m + g, state.momentum, updates)
        return jax.tree.map(orthogonalize, momentum), OrthogonalState(momentum)

    return optax.GradientTransformation(init, update)
