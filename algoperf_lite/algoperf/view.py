"""What a submission written for AlgoPerf gets as its workload."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax

from algoperf_lite.algoperf.stand_in import jax_sharding_utils, param_utils, spec
from algoperf_lite.loaded import LoadedWorkload, init_model
from algoperf_lite.submission import Task
from algoperf_lite.workload import Target, Workload

LOSS_TYPES = {
    "softmax_cross_entropy": spec.LossType.SOFTMAX_CROSS_ENTROPY,
    "sigmoid_cross_entropy": spec.LossType.SIGMOID_CROSS_ENTROPY,
    "mean_squared_error": spec.LossType.MEAN_SQUARED_ERROR,
    "l2": spec.LossType.MEAN_SQUARED_ERROR,
    "mean_absolute_error": spec.LossType.MEAN_ABSOLUTE_ERROR,
    "l1": spec.LossType.MEAN_ABSOLUTE_ERROR,
    "ctc": spec.LossType.CTC_LOSS,
}
"""`Workload.loss_kind`, and what AlgoPerf calls it."""
UNLIMITED_SECONDS = 10**9
"""Thirty years, in the place of no budget: AlgoPerf's is an int, and may be made one."""
ACTIVATIONS = {
    spec.LossType.SOFTMAX_CROSS_ENTROPY: jax.nn.softmax,
    spec.LossType.SIGMOID_CROSS_ENTROPY: jax.nn.sigmoid,
    spec.LossType.CTC_LOSS: jax.nn.softmax,
}


class WorkloadView(spec.Workload):
    """A workload as AlgoPerf's submissions know one. Neither its name nor any data is in it.

    It stands for itself as a static argument of ``jax.jit``: two views are never equal. How inputs
    were shifted and scaled, and which layer is the last, nobody tells: `train_mean`, `train_stddev`
    and `is_output_params` raise ``NotImplementedError``.

    Args:
        workload: whose model and loss are called.
        task: what a submission may know of it.
        row_shapes: of one training row's inputs, a pytree of ``jax.ShapeDtypeStruct``.
        model_state_shapes: of the model's other collections, likewise.
        counts: rows of the splits ``validation`` and ``test``, and of the part of ``train`` that is
            evaluated.
    """

    def __init__(
        self,
        workload: Workload,
        task: Task,
        row_shapes: Any,
        model_state_shapes: Any,
        counts: Mapping[str, int],
    ):
        self._model, self._loss = workload.model, workload.loss
        self._eval_every, self._eval_batch_size = workload.eval_every, workload.eval_batch_size
        self._task, self._row_shapes, self._counts = task, row_shapes, dict(counts)
        self._param_shapes = param_utils.jax_param_shapes(task.param_shapes)
        self._param_types = param_utils.jax_param_types(
            self._param_shapes, batch_norms=param_utils.batch_norm_paths(model_state_shapes)
        )
        self._jitted_init = jax.jit(self._init)
        self.metrics_logger = None

    @classmethod
    def of(cls, loaded: LoadedWorkload, task: Task) -> WorkloadView:
        """The view of a loaded workload; it keeps no hold of the data."""
        batches = loaded.data.eval_batches
        counts = {split: sum(b.rows for b in batches[split]) for split in batches}
        rows = loaded.data.row_shapes["inputs"]
        return cls(loaded.workload, task, rows, loaded.shapes[1], counts)

    def __repr__(self) -> str:
        return f"<a workload of {self.step_hint} steps>"

    @property
    def step_hint(self) -> int:
        """See `Workload.step_hint`."""
        return self._task.step_hint

    @property
    def max_allowed_runtime_sec(self) -> float:
        """The budget on the clock; `UNLIMITED_SECONDS` where only steps are limited."""
        budget = self._task.budget_seconds
        return UNLIMITED_SECONDS if budget is None else budget

    @property
    def eval_period_time_sec(self) -> float:
        """Evaluations come after steps here: their time, if `step_hint` steps use the budget up."""
        return self.max_allowed_runtime_sec * self._eval_every / self.step_hint

    @property
    def target_metric_name(self) -> str:
        """``loss`` or the name of a metric, as records have it after ``validation/``."""
        return self._task.metric

    @property
    def validation_target_value(self) -> float:
        """The value that ends a trial."""
        return self._task.target_value

    @property
    def test_target_value(self) -> float:
        """The same: there are no targets on test data here."""
        return self._task.target_value

    def has_reached_validation_target(self, eval_result: Mapping[str, float]) -> bool:
        """Whether ``validation/<metric>`` of an evaluation meets the target."""
        return self._met(eval_result, "validation")

    def has_reached_test_target(self, eval_result: Mapping[str, float]) -> bool:
        """Whether ``test/<metric>`` does. Submissions are not shown it, so they need not ask."""
        return self._met(eval_result, "test")

    @property
    def loss_type(self) -> spec.LossType:
        """AlgoPerf's word for the kind of loss.

        Raises:
            AttributeError: AlgoPerf has none.
        """
        kind = self._task.loss_kind
        if kind not in LOSS_TYPES:
            raise AttributeError(
                f"AlgoPerf has no LossType for a workload's loss_kind {kind!r}; it has them for"
                f" {', '.join(LOSS_TYPES)}"
            )
        return LOSS_TYPES[kind]

    @property
    def num_train_examples(self) -> int:
        """Rows of the training split."""
        return self._task.num_train_examples

    @property
    def num_eval_train_examples(self) -> int:
        """Rows of the training split that are evaluated."""
        return self._counts["train"]

    @property
    def num_validation_examples(self) -> int:
        """Rows of the validation split."""
        return self._counts["validation"]

    @property
    def num_test_examples(self) -> int:
        """Rows of the test split."""
        return self._counts["test"]

    @property
    def eval_batch_size(self) -> int:
        """Rows of an evaluation batch."""
        return self._eval_batch_size

    @property
    def param_shapes(self) -> Any:
        """A pytree like the parameters, of `ShapeTuple`."""
        return self._param_shapes

    @property
    def model_params_types(self) -> Any:
        """A pytree like the parameters, of `ParameterType`; see `param_utils.jax_param_types`."""
        return self._param_types

    def init_model_fn(self, rng: Any) -> tuple[Any, Any]:
        """Fresh ``(params, model_state)``, whole on every device."""
        return jax_sharding_utils.replicate(self._jitted_init(rng))

    def model_fn(
        self,
        params: Any,
        augmented_and_preprocessed_input_batch: Mapping[str, Any],
        model_state: Any,
        mode: spec.ForwardPassMode,
        rng: Any,
        update_batch_norm: bool,
        dropout_rate: Any = None,
        use_running_average_bn: bool | None = None,
    ) -> tuple[Any, Any]:
        """The model's outputs on a batch.

        Args:
            params: parameters.
            augmented_and_preprocessed_input_batch: ``{"inputs": ..., ...}``, first axis B.
            model_state: the model's other collections; None where there are none.
            mode: whether to train, with dropout, or to evaluate.
            rng: of dropout; a key, new or old style.
            update_batch_norm: whether to return the new batch statistics. False returns the state
                as it was given. True normalises by the batch in evaluation, too.
            dropout_rate: in training, a number or a traced scalar; None is the model's own.
            use_running_average_bn: whether batch norms normalise by their running statistics rather
                than by the batch; None is: unless they are updated, as in AlgoPerf's ResNet.

        Returns:
            Outputs, as the workload's loss takes them, and the model's state.
        """
        train = mode == spec.ForwardPassMode.TRAIN
        running = use_running_average_bn
        if running is None:
            running = not update_batch_norm
        own = running == (not train)  # what the model does without being made to
        with contextlib.nullcontext() if own else nn.intercept_methods(_normalising(running)):
            outputs, new_state = self._model.apply(
                {"params": params, **(model_state or {})},
                augmented_and_preprocessed_input_batch["inputs"],
                train=train,
                dropout_rate=dropout_rate if train else None,
                rngs={"dropout": rng} if train else None,
                mutable=list(model_state or ()),
            )
        return outputs, new_state if update_batch_norm and model_state else model_state

    def output_activation_fn(self, logits_batch: Any, framework: str = "jax") -> Any:
        """Probabilities where the loss is a cross-entropy or CTC, else the outputs as they are.

        Raises:
            ValueError: it is asked for another framework than ``"jax"``.
        """
        if framework != "jax":
            raise ValueError(f"framework {framework!r}: only JAX submissions run here")
        activation = ACTIVATIONS.get(self.loss_type, lambda x: x)
        if isinstance(logits_batch, Mapping):  # as speech models return them, padding beside them
            return {**logits_batch, "logits": activation(logits_batch["logits"])}
        return activation(logits_batch)

    def loss_fn(
        self,
        label_batch: Any,
        logits_batch: Any,
        mask_batch: Any = None,
        label_smoothing: Any = 0.0,
    ) -> dict[str, Any]:
        """The workload's loss on a batch of B examples.

        Args:
            label_batch: ``batch["targets"]``.
            logits_batch: what `model_fn` returned.
            mask_batch: a weight for each example, of shape ``[B]`` or ``[B, 1]``; None is 1. What
                is padding within an example the loss leaves out by itself.
            label_smoothing: in [0, 1], a number or a traced scalar.

        Returns:
            ``summed``, a scalar; ``n_valid_examples``, by which to divide it for the mean: how many
            terms were summed, one for each example or for each of its positions; ``per_example``,
            ``[B]``, which sums up to `summed`.

        Raises:
            ValueError: the mask has another shape.
        """
        sums_B, counts_B = self._loss(logits_batch, label_batch, label_smoothing=label_smoothing)
        if mask_batch is not None:
            mask_B = _per_example(mask_batch, sums_B.shape[0])
            sums_B, counts_B = sums_B * mask_B, counts_B * mask_B
        return {"summed": sums_B.sum(), "n_valid_examples": counts_B.sum(), "per_example": sums_B}

    def _init(self, key: Any) -> tuple[Any, Any]:
        return init_model(self._model, self._row_shapes, key)

    def _met(self, eval_result: Mapping[str, float], split: str) -> bool:
        task = self._task
        target = Target(task.metric, task.target_value, task.direction)
        return target.met(float(eval_result[f"{split}/{task.metric}"]))


def _normalising(running: bool) -> Any:
    """Has batch norms use their running statistics, or the batch's, whatever their model says."""

    def intercept(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        module = context.module
        if not (isinstance(module, nn.BatchNorm) and context.method_name == "__call__"):
            return call(*args, **kwargs)
        kwargs = {name: value for name, value in kwargs.items() if name != "use_running_average"}
        object.__setattr__(module, "use_running_average", running)  # Flax copied it for this call
        return call(args[0], **kwargs)

    return intercept


def _per_example(mask: Any, examples: int) -> jax.Array:
    if mask.size != examples or mask.shape[0] != examples:
        raise ValueError(
            f"mask_batch has shape {tuple(mask.shape)}; loss_fn takes a weight for each of"
            f" {examples} examples, and the workload's loss leaves out padding within them"
        )
    return mask.reshape(examples)
