"""Drives a submission from AlgoPerf's functions, compiled once per workload.

Every exported submission takes this module along. It imports nothing of AlgoPerf's: what it needs
of `algoperf.spec` and `algoperf.jax_sharding_utils` is handed to it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.parameters import param_kinds
from algoperf_lite.submission import OptaxSubmission, Submission, Task, TrainState
from algoperf_lite.workload import Direction

LOSSES = {"CTC_LOSS": "ctc", "MEAN_ABSOLUTE_ERROR": "l1", "MEAN_SQUARED_ERROR": "l2"}
"""What `Task.loss_kind` calls AlgoPerf's losses where it is not their name in lower case."""


def changes_weights(submission: Submission) -> bool:
    """Whether a submission is evaluated at other weights than those it trains.

    Example:
        >>> import optax
        >>> changes_weights(OptaxSubmission(lambda hp, task: optax.sgd(hp["learning_rate"])))
        False
    """
    method = type(submission).eval_params
    if method is OptaxSubmission.eval_params:
        return submission.evaluate_with is not None
    return method is not Submission.eval_params


class Program:
    """A submission's compiled functions on one workload, for one set of static hyperparameters.

    The optimizer state is a dict: ``inner`` is the submission's own, ``hyperparameters`` its
    numbers as float32 scalars, ``step`` the steps taken, and ``training`` None or, after
    `prepare_for_eval`, the parameters and model state to go on training with.

    Args:
        submission: the training algorithm.
        static: hyperparameters that are baked in.
        workload: AlgoPerf's.
        mode: its ``ForwardPassMode.TRAIN``.
        replicated: the sharding of everything but batches.
        sharded: that of batches.
    """

    def __init__(
        self,
        submission: Submission,
        static: Mapping[str, Any],
        workload: Any,
        mode: Any,
        replicated: Any,
        sharded: Any,
    ):
        self._submission, self._static = submission, dict(static)
        self._workload, self._mode, self._replicated = workload, mode, replicated
        rep = replicated
        self._compiled_init = jax.jit(self._init, in_shardings=(rep, rep, rep), out_shardings=rep)
        self._compiled_update = jax.jit(
            self._update,
            in_shardings=(rep, rep, rep, sharded, rep),
            out_shardings=rep,
            donate_argnums=(0, 1, 2),
        )
        self._compiled_eval_params = jax.jit(
            self._eval_params, in_shardings=(rep, rep, rep), out_shardings=rep
        )

    def init(self, params: Any, traced: Mapping[str, Any], rng: Any) -> dict[str, Any]:
        """The optimizer state of freshly initialised parameters.

        Args:
            params: the model's.
            traced: numeric hyperparameters.
            rng: a key, also in its raw form, uint32 of shape ``[2]``.
        """
        values = {name: np.float32(value) for name, value in traced.items()}
        values = jax.device_put(values, self._replicated)
        return {**self._compiled_init(params, values, rng), "training": None}

    def update(
        self, state: Mapping[str, Any], params: Any, model_state: Any, batch: Any, rng: Any
    ) -> tuple[dict[str, Any], Any, Any, Mapping[str, Any]]:
        """One training step; state, parameters and model state are donated.

        Returns:
            The new state, parameters and model state, and scalars, among them ``"loss"``.
        """
        if (kept := state["training"]) is not None:
            params, model_state = kept["params"], kept["model_state"]
        own = {name: value for name, value in state.items() if name != "training"}
        own, params, model_state, scalars = self._compiled_update(
            own, params, model_state, batch, rng
        )
        return {**own, "training": None}, params, model_state, scalars

    def prepare_for_eval(
        self, state: Mapping[str, Any], params: Any, model_state: Any
    ) -> tuple[dict[str, Any], Any, Any]:
        """The weights to evaluate; the state keeps those in training, to go on with.

        AlgoPerf goes on with what its function of this name returns, so they would be lost.
        """
        own = {name: value for name, value in state.items() if name != "training"}
        kept = state["training"] or {"params": params, "model_state": model_state}
        evaluated = self._compiled_eval_params(own, kept["params"], kept["model_state"])
        return {**own, "training": kept}, *evaluated

    def _init(self, params: Any, traced: Mapping[str, Any], rng: Any) -> dict[str, Any]:
        hp = {**self._static, **traced}
        inner = self._submission.init(params, hp, self._task(params, None), _typed(rng))
        return {"inner": _strong(inner), "hyperparameters": traced, "step": jnp.int32(0)}

    def _update(
        self, own: Mapping[str, Any], params: Any, model_state: Any, batch: Any, rng: Any
    ) -> tuple[Any, Any, Any, Any]:
        hp = {**self._static, **own["hyperparameters"]}
        state = TrainState(own["step"], params, model_state, own["inner"])
        task = self._task(params, len(jax.tree.leaves(batch["targets"])[0]))
        after, scalars = self._submission.update(state, batch, self._loss, hp, task, _typed(rng))
        own = {**own, "inner": after.opt_state, "step": own["step"] + 1}
        return *_strong((own, after.params, after.model_state)), scalars

    def _eval_params(
        self, own: Mapping[str, Any], params: Any, model_state: Any
    ) -> tuple[Any, Any]:
        hp = {**self._static, **own["hyperparameters"]}
        state = TrainState(own["step"], params, model_state, own["inner"])
        return self._submission.eval_params(state, hp, self._task(params, None))

    def _loss(
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
        rate = {} if dropout_rate is None else {"dropout_rate": dropout_rate}
        outputs, model_state = self._workload.model_fn(
            params,
            batch,
            model_state,
            self._mode,
            jax.random.key_data(key),
            update_batch_norm=True,
            **rate,
        )
        losses = self._workload.loss_fn(
            label_batch=batch["targets"],
            logits_batch=outputs,
            mask_batch=batch.get("weights"),
            label_smoothing=label_smoothing,
        )
        count = jnp.maximum(losses["n_valid_examples"], 1)
        if not per_example:
            return losses["summed"] / count, model_state
        each = losses["per_example"]
        sums = each.reshape(len(each), -1).sum(1)
        return sums * (len(sums) / count), model_state  # their mean is the batch's loss

    def _task(self, params: Any, batch_size: int | None) -> Task:
        """What the submission may know; AlgoPerf says the batch size with the first batch only."""
        workload = self._workload
        return Task(
            step_hint=workload.step_hint,
            budget_seconds=_finite(workload.max_allowed_runtime_sec),
            batch_size=batch_size,
            num_train_examples=workload.num_train_examples,
            loss_kind=LOSSES.get(workload.loss_type.name, workload.loss_type.name.lower()),
            metric=workload.target_metric_name,
            direction=_direction(workload),
            target_value=workload.validation_target_value,
            param_shapes=jax.tree.map(lambda p: jax.ShapeDtypeStruct(p.shape, p.dtype), params),
            param_kinds=kinds(params, workload.model_params_types),
        )


def _direction(workload: Any) -> Direction:
    """Whether more is better: whether infinity, whatever it is called there, meets the target."""
    met = workload.has_reached_validation_target(defaultdict(lambda: math.inf))
    return "maximize" if met else "minimize"


def kinds(params: Any, types: Any) -> Any:
    """The kind of each parameter, by Flax's names; tables that those do not tell, by AlgoPerf.

    What AlgoPerf calls other parameters of unknown name is left aside, as it goes by parts of
    names: a bias that attention adds to its logits is a bias to it, and "other" here.

    Args:
        params: pytree of nested dicts.
        types: AlgoPerf's ``ParameterType`` of each; its tree may have names in lower case.

    Returns:
        A pytree of `parameters.KINDS` like `params`.
    """
    leaves = jax.tree_util.tree_leaves_with_path(types)
    tables = {_place(path) for path, kind in leaves if kind.name == "EMBEDDING"}
    return jax.tree_util.tree_map_with_path(
        lambda path, kind: "embedding" if kind == "other" and _place(path) in tables else kind,
        param_kinds(params),
    )


def _place(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/").lower()


def _finite(seconds: float | None) -> float | None:
    return None if seconds is None or not math.isfinite(seconds) else float(seconds)


def _typed(rng: Any) -> Any:
    """A key as `jax.random.key` makes it; AlgoPerf hands out raw ones."""
    typed = jnp.issubdtype(rng.dtype, jax.dtypes.prng_key)
    return rng if typed else jax.random.wrap_key_data(rng)


def _strong(tree: Any) -> Any:
    """Drop weak types, so that the second step is the first one's program."""
    return jax.tree.map(
        lambda x: x if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else jnp.asarray(x, x.dtype),
        tree,
    )
