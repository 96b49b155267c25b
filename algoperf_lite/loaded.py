"""A workload as it is trained: with its data on the devices, and its evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp

from algoperf_lite.device_data import DeviceData
from algoperf_lite.evaluation import Evaluator
from algoperf_lite.parameters import param_kinds
from algoperf_lite.submission import Task
from algoperf_lite.workload import Workload


class LoadedWorkload:
    """A workload with its data on the devices and its evaluation compiled.

    Args:
        workload: the workload.
        splits: what `dataset.load` returned.
        devices: devices to run on, data parallel.
    """

    def __init__(self, workload: Workload, splits: Mapping[str, Any], devices: Any):
        self.workload = workload
        self.data = DeviceData(workload, splits, devices)

    def init_model(self, key: Any) -> tuple[Any, Any]:
        """Freshly initialised ``(params, model_state)``; traceable."""
        return init_model(self.workload.model, self.data.row_shapes["inputs"], key)

    def loss(
        self,
        params: Any,
        model_state: Any,
        batch: Any,
        key: Any,
        dropout_rate: Any = None,
        label_smoothing: Any = 0.0,
        per_example: bool = False,
    ) -> tuple[Any, Any]:
        """What `Submission.update` is given as ``loss_fn``; see there."""
        workload = self.workload
        outputs, model_state = workload.model.apply(
            {"params": params, **model_state},
            batch["inputs"],
            train=True,
            dropout_rate=dropout_rate,
            rngs={"dropout": key},
            mutable=list(model_state),
        )
        sums, counts = workload.loss(outputs, batch["targets"], label_smoothing=label_smoothing)
        if per_example:
            return sums / jnp.maximum(counts, 1), model_state
        return sums.sum() / jnp.maximum(counts.sum(), 1), model_state

    @cached_property
    def shapes(self) -> tuple[Any, Any]:
        """``(params, model_state)`` as pytrees of ``jax.ShapeDtypeStruct``."""
        return jax.eval_shape(self.init_model, jax.random.key(0))

    @cached_property
    def evaluator(self) -> Evaluator:
        """The compiled evaluation, shared by all submissions."""
        return Evaluator(self.workload, self.data, self.shapes)

    def compile_evaluation(self) -> None:
        """Compile the evaluation now, before a submission can change how JAX is set."""
        _ = self.evaluator

    def task(self, budget_seconds: float | None = None) -> Task:
        """What a submission may know of this workload."""
        w, params = self.workload, self.shapes[0]
        return Task(
            step_hint=w.step_hint,
            budget_seconds=budget_seconds,
            batch_size=w.batch_size,
            num_train_examples=self.data.num_train,
            loss_kind=w.loss_kind,
            metric=w.target.metric,
            direction=w.target.direction,
            target_value=w.target.value,
            param_shapes=params,
            param_kinds=param_kinds(params),
        )

    def own_programs(self, batch_size: int) -> list[Any]:
        """Initialisation, and a gradient on an augmented batch, as ``ClosedJaxpr``s.

        They hold what a submission's programs get from the workload and not from the submission.
        """

        def gradient(params: Any, model_state: Any, batch: Any, key: Any) -> Any:
            if self.workload.augment is not None:
                batch = self.workload.augment(key, batch)
            return jax.grad(self.loss, has_aux=True)(params, model_state, batch, key)

        batch = jax.tree.map(
            lambda s: jax.ShapeDtypeStruct((batch_size, *s.shape), s.dtype), self.data.row_shapes
        )
        key = jax.eval_shape(lambda: jax.random.key(0))
        init = jax.make_jaxpr(self.init_model)(key)
        return [init, jax.make_jaxpr(gradient)(*self.shapes, batch, key)]


def init_model(model: Any, row_shapes: Any, key: Any) -> tuple[Any, Any]:
    """Freshly initialised ``(params, model_state)`` of a Flax model; traceable.

    Args:
        model: the module.
        row_shapes: of one row of its inputs, a pytree of ``jax.ShapeDtypeStruct``.
        key: a PRNG key.
    """
    inputs = jax.tree.map(lambda s: jnp.zeros((2, *s.shape), s.dtype), row_shapes)
    variables = dict(model.init({"params": key}, inputs, train=False))
    return variables.pop("params"), variables
