"""What a submission logs while it trains, kept until the clock has stopped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class TrainingLog:
    """The ``metrics_logger`` that an AlgoPerf submission finds on its workload.

    Values are averaged over a window of steps and recorded in measurements.csv. They may still be
    on their way on a device: nothing is waited for before the window ends, and what is logged is a
    copy, as the next step may donate the original. What is no number is not recorded.

    Example:
        >>> log = TrainingLog()
        >>> log.append_scalar_metrics({"loss": 3.0}, global_step=0)
        >>> log.append_scalar_metrics({"loss": 1.0}, global_step=100)
        >>> log.close(steps=200)
        >>> log.sums()
        {'loss': 400.0}
    """

    def __init__(self):
        self._open: defaultdict[str, list[Any]] = defaultdict(list)
        self._closed: dict[str, list[Any]] = {}
        self._steps = 0

    def append_scalar_metrics(
        self,
        metrics: Mapping[str, Any],
        global_step: int,
        preemption_count: int | None = None,
        is_eval: bool = False,
    ) -> None:
        """Log values by name, of a step of training."""
        del global_step, preemption_count, is_eval
        for name, value in metrics.items():
            if _is_number(value):
                self._open[name].append(jnp.copy(value) if isinstance(value, jax.Array) else value)

    def finish(self) -> None:
        """Nothing is left to do; AlgoPerf's logger has it."""

    def close(self, steps: int) -> None:
        """End a window of `steps` steps."""
        self._closed, self._steps = dict(self._open), steps
        self._open = defaultdict(list)

    def sums(self) -> dict[str, float]:
        """The last window's means, times its steps; waits for what is on its way."""
        means = {n: np.mean([float(v) for v in vs]) for n, vs in self._closed.items()}
        return {name: float(mean) * self._steps for name, mean in means.items()}


def _is_number(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return isinstance(value, int | float)
    return np.ndim(value) == 0 and jnp.issubdtype(dtype, jnp.number)
