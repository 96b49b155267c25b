"""Learning-rate schedules that accept traced hyperparameters.

Each is ``schedule(step) -> learning rate`` built from a peak, a horizon in steps and its own
parameters. optax's schedules of the same shape branch on the peak in Python, so they cannot be
built inside a compiled step; these can.
"""

from typing import Any

import jax.numpy as jnp
import optax


def warmup_cosine(
    peak: Any, horizon: Any, warmup_fraction: Any = 0.05, final_fraction: Any = 0.0
) -> optax.Schedule:
    r"""Linear warmup from 0, then half a cosine down to ``final_fraction * peak``.

    With :math:`W = \max(1, \text{warmup\_fraction}\, T)` and
    :math:`u = \text{clip}((t - W) / (T - W), 0, 1)`, the rate at step :math:`t` is
    :math:`\text{peak}\, t / W` for :math:`t < W` and
    :math:`\text{peak}\,(f + (1 - f)(1 + \cos \pi u) / 2)` after.

    Args:
        peak: learning rate at the end of warmup.
        horizon: steps T at which the final rate is reached; constant afterwards.
        warmup_fraction: fraction of T spent warming up; at least one step is.
        final_fraction: final rate f as a fraction of `peak`.

    Returns:
        A function of the step, as optax takes it.

    References:
        Loshchilov and Hutter 2017, SGDR, https://arxiv.org/abs/1608.03983

    Example:
        >>> schedule = warmup_cosine(1.0, 100, warmup_fraction=0.1)
        >>> [round(float(schedule(t)), 3) for t in (0, 5, 10, 55, 100, 200)]
        [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """

    def schedule(step: Any) -> Any:
        warmup = jnp.maximum(1.0, warmup_fraction * horizon)
        progress = jnp.clip((step - warmup) / jnp.maximum(horizon - warmup, 1.0), 0.0, 1.0)
        decay = final_fraction + (1 - final_fraction) * 0.5 * (1 + jnp.cos(jnp.pi * progress))
        return peak * jnp.where(step < warmup, step / warmup, decay)

    return schedule


def warmup_constant(peak: Any, horizon: Any, warmup_fraction: Any = 0.05) -> optax.Schedule:
    """Linear warmup from 0 over ``max(1, warmup_fraction * horizon)`` steps, then `peak`.

    Args:
        peak: learning rate after warmup.
        horizon: steps that `warmup_fraction` is a fraction of.
        warmup_fraction: fraction of the horizon spent warming up; at least one step is.

    Returns:
        A function of the step, as optax takes it.

    Example:
        >>> schedule = warmup_constant(2.0, 100, warmup_fraction=0.1)
        >>> [float(schedule(t)) for t in (0, 5, 10, 99)]
        [0.0, 1.0, 2.0, 2.0]
    """

    def schedule(step: Any) -> Any:
        return peak * jnp.minimum(1.0, step / jnp.maximum(1.0, warmup_fraction * horizon))

    return schedule
