"""Evaluation: one compiled program over padded, masked batches that sums, then divides."""

from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.device_data import DeviceData
from algoperf_lite.workload import Metric, Workload


class Evaluator:
    """Evaluates parameters of one workload; compiled once, for every submission and split.

    Args:
        workload: whose loss and metrics are computed.
        data: its data on device.
        shapes: ``(params, model_state)`` as pytrees of ``jax.ShapeDtypeStruct``.

    Attributes:
        compile_seconds: time spent compiling.
    """

    def __init__(self, workload: Workload, data: DeviceData, shapes: tuple[Any, Any]):
        self.workload = workload
        self._data = data
        loss = Metric("loss", workload.loss)
        self._metrics = (loss, *workload.metrics)
        start = perf_counter()
        sample = data.eval_batches["validation"][0]
        jitted = jax.jit(
            self._parts, in_shardings=(data.replicated, data.replicated, data.sharded, data.sharded)
        )
        self._compiled = jitted.lower(*shapes, sample.arrays, sample.mask).compile()
        self.compile_seconds = perf_counter() - start

    def evaluate(self, params: Any, model_state: Any, split: str) -> dict[str, float]:
        """Loss and metrics over a whole split, on the host; waits for the device.

        Args:
            params: parameters to evaluate.
            model_state: the model's other collections.
            split: ``validation``, ``test`` or ``train``.

        Returns:
            Metric name to value.
        """
        batches = self._data.eval_batches[split]
        dispatched = [self._compiled(params, model_state, b.arrays, b.mask) for b in batches]
        fetched = jax.device_get(dispatched)
        rows = [b.rows for b in batches]
        return {
            m.name: m.finish(_join(m, [f[m.name] for f in fetched], rows)) for m in self._metrics
        }

    def warm_up(self, params: Any, model_state: Any) -> None:
        """Run one batch and wait for it."""
        batch = self._data.eval_batches["validation"][0]
        jax.block_until_ready(self._compiled(params, model_state, batch.arrays, batch.mask))

    def _parts(self, params: Any, model_state: Any, arrays: Any, mask: Any) -> dict[str, Any]:
        variables = {"params": params, **model_state}
        outputs = self.workload.model.apply(variables, arrays["inputs"], train=False)
        parts = {m.name: m.parts(outputs, arrays["targets"]) for m in self._metrics}
        for m in self._metrics:
            if m.reduce == "sum":
                parts[m.name] = jax.tree.map(lambda p: _masked_sum(p, mask), parts[m.name])
        return parts


def _masked_sum(part: Any, mask: Any) -> Any:
    """Sum over the batch, padding left out even where it is NaN."""
    broadcast = mask.reshape(-1, *([1] * (part.ndim - 1)))
    return jnp.where(broadcast, part, 0).sum(axis=0)


def _join(metric: Metric, parts: list[Any], rows: list[int]) -> Any:
    if metric.reduce == "sum":
        return jax.tree.map(lambda *p: np.sum(np.asarray(p, np.float64), axis=0), *parts)
    cut = [jax.tree.map(lambda p, n=n: p[:n], part) for part, n in zip(parts, rows, strict=True)]
    return jax.tree.map(lambda *p: np.concatenate(p), *cut)
