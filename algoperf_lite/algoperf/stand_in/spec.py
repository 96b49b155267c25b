"""Stands in for ``algoperf.spec``: the names that submissions write their functions with.

Members of the enumerations have AlgoPerf's names and values.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any, NoReturn


class ForwardPassMode(enum.Enum):
    """Whether `Workload.model_fn` is to train or to evaluate."""

    TRAIN = 0
    EVAL = 1


class LossType(enum.Enum):
    """What kind of loss a workload has."""

    SOFTMAX_CROSS_ENTROPY = 0
    SIGMOID_CROSS_ENTROPY = 1
    MEAN_SQUARED_ERROR = 2
    CTC_LOSS = 3
    MEAN_ABSOLUTE_ERROR = 4


class ParameterType(enum.Enum):
    """What kind of thing a parameter is; `param_utils.jax_param_types` tells."""

    WEIGHT = 0
    BIAS = 1
    CONV_WEIGHT = 2
    BATCH_NORM_SCALE = 3
    BATCH_NORM_BIAS = 4
    LAYER_NORM_SCALE = 5
    LAYER_NORM_BIAS = 6
    EMBEDDING = 7
    ATTENTION_Q = 8
    ATTENTION_K = 9
    ATTENTION_V = 10
    ATTENTION_OUT = 11
    ATTENTION_QKV = 12
    ATTENTION_KV = 13
    ATTENTION_BIAS = 14


class ShapeTuple:
    """A shape that is a leaf of pytrees, as a tuple is not.

    Attributes:
        shape_tuple: the sizes.

    Example:
        >>> import jax
        >>> jax.tree.map(lambda s: len(s.shape_tuple), {"kernel": ShapeTuple((3, 4))})
        {'kernel': 2}
    """

    def __init__(self, shape_tuple: tuple[int, ...]):
        self.shape_tuple = shape_tuple

    def __repr__(self) -> str:
        return f"ShapeTuple({self.shape_tuple})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ShapeTuple):
            return NotImplemented
        return self.shape_tuple == other.shape_tuple

    def __hash__(self) -> int:
        return hash(self.shape_tuple)


class TrainingCompleteError(Exception):
    """Raised by ``update_params`` to end training; a last evaluation follows."""


Tensor = Any
Shape = tuple[int, ...] | ShapeTuple
ParameterKey = str
ParameterShapeTree = dict[str, Any]
ParameterContainer = dict[str, Any]
ParameterTypeTree = dict[str, Any]
RandomState = Any
OptimizerState = Any
Hyperparameters = Any
Timing = int
Steps = int
ModelAuxiliaryState = Any
ModelInitState = tuple[ParameterContainer, ModelAuxiliaryState]
UpdateReturn = tuple[OptimizerState, ParameterContainer, ModelAuxiliaryState]


def _unknown(what: str) -> NoReturn:
    raise NotImplementedError(f"{what} is not known of this workload")


class Workload:
    """What submissions may ask of a workload. `view.WorkloadView` is the one that they are given.

    Attributes:
        metrics_logger: takes scalars by ``append_scalar_metrics(metrics, global_step)``, or None.
    """

    metrics_logger: Any = None

    def attach_metrics_logger(self, metrics_logger: Any) -> None:
        """Have `metrics_logger` be that one."""
        self.metrics_logger = metrics_logger

    @property
    def step_hint(self) -> int:
        """Steps in which a well-tuned submission comfortably reaches the target."""
        _unknown("step_hint")

    @property
    def max_allowed_runtime_sec(self) -> float:
        """Seconds of training allowed."""
        _unknown("max_allowed_runtime_sec")

    @property
    def eval_period_time_sec(self) -> float:
        """Seconds of training between evaluations."""
        _unknown("eval_period_time_sec")

    @property
    def target_metric_name(self) -> str:
        """The metric that decides when training is done."""
        _unknown("target_metric_name")

    @property
    def validation_target_value(self) -> float:
        """Its value to reach on validation data."""
        _unknown("validation_target_value")

    @property
    def test_target_value(self) -> float:
        """Its value to reach on test data."""
        _unknown("test_target_value")

    def has_reached_validation_target(self, eval_result: dict[str, float]) -> bool:
        """Whether an evaluation meets the validation target."""
        _unknown("has_reached_validation_target")

    def has_reached_test_target(self, eval_result: dict[str, float]) -> bool:
        """Whether an evaluation meets the test target."""
        _unknown("has_reached_test_target")

    @property
    def loss_type(self) -> LossType:
        """The kind of loss."""
        _unknown("loss_type")

    @property
    def num_train_examples(self) -> int:
        """Rows of the training split."""
        _unknown("num_train_examples")

    @property
    def num_eval_train_examples(self) -> int:
        """Rows of it that are evaluated."""
        _unknown("num_eval_train_examples")

    @property
    def num_validation_examples(self) -> int:
        """Rows of the validation split."""
        _unknown("num_validation_examples")

    @property
    def num_test_examples(self) -> int:
        """Rows of the test split."""
        _unknown("num_test_examples")

    @property
    def eval_batch_size(self) -> int:
        """Rows of an evaluation batch."""
        _unknown("eval_batch_size")

    @property
    def train_mean(self) -> Any:
        """Mean of the training inputs."""
        _unknown("train_mean")

    @property
    def train_stddev(self) -> Any:
        """Standard deviation of the training inputs."""
        _unknown("train_stddev")

    @property
    def param_shapes(self) -> ParameterShapeTree:
        """The parameters' shapes, a `ShapeTuple` each."""
        _unknown("param_shapes")

    @property
    def model_params_types(self) -> ParameterTypeTree:
        """The parameters' types, a `ParameterType` each."""
        _unknown("model_params_types")

    def is_output_params(self, param_key: ParameterKey) -> bool:
        """Whether a key is that of the output layer."""
        _unknown("is_output_params")

    def init_model_fn(self, rng: RandomState) -> ModelInitState:
        """Fresh ``(params, model_state)``."""
        _unknown("init_model_fn")

    def model_fn(
        self,
        params: ParameterContainer,
        augmented_and_preprocessed_input_batch: dict[str, Tensor],
        model_state: ModelAuxiliaryState,
        mode: ForwardPassMode,
        rng: RandomState,
        update_batch_norm: bool,
        dropout_rate: Any = None,
        use_running_average_bn: bool | None = None,
    ) -> tuple[Tensor, ModelAuxiliaryState]:
        """The model's outputs, and its state after them."""
        _unknown("model_fn")

    def output_activation_fn(self, logits_batch: Tensor, framework: str = "jax") -> Tensor:
        """Probabilities, or what else the outputs stand for."""
        _unknown("output_activation_fn")

    def loss_fn(
        self,
        label_batch: Tensor,
        logits_batch: Tensor,
        mask_batch: Tensor | None = None,
        label_smoothing: Any = 0.0,
    ) -> dict[str, Tensor]:
        """``{"summed", "n_valid_examples", "per_example"}`` of a batch."""
        _unknown("loss_fn")


InitOptimizerFn = Callable[
    [Workload, ParameterContainer, ModelAuxiliaryState, Hyperparameters, RandomState],
    OptimizerState,
]
UpdateParamsFn = Callable[..., UpdateReturn]
PrepareForEvalFn = Callable[..., UpdateReturn]
DataSelectionFn = Callable[
    [
        Workload,
        Iterator[dict[str, Any]],
        OptimizerState,
        ParameterContainer,
        ModelAuxiliaryState,
        Hyperparameters,
        int,
        RandomState,
    ],
    dict[str, Tensor],
]
