"""The Workload contract: what is trained, on what, and when it is good enough.

A workload is a value, not a class to subclass. It fixes dataset, model, loss, metrics, batch size
and target, so that only the training algorithm is left to vary. Shape letters used below: B is the
batch, N the examples of a split.

Conventions every workload keeps (`algoperf_lite.checks.workload` holds them to it):

* a dataset split, and so a batch, is ``{"inputs": pytree, "targets": pytree}`` of arrays whose
  first axis counts examples;
* the model is a Flax linen module called as ``model(inputs, train=..., dropout_rate=...)``, where
  ``dropout_rate=None`` means the model's own rate and models without dropout ignore it;
* the loss is ``loss(outputs, targets, label_smoothing=0.0) -> (sums_B, counts_B)``: per example a
  sum and the number of its terms, so that a mean over examples of unequal length is right.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import math
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import CodeType
from typing import TYPE_CHECKING, Any, Literal

from algoperf_lite.fingerprint import fingerprint_code, modules_used

if TYPE_CHECKING:
    import flax.linen as nn

PyTree = Any
DECLARATIONS = ("workload", "variants")
"""What a workload module declares: no code that runs in a trial, but values of `Workload`'s fields,
so that a new variant, or a sibling's new target, does not make recorded trials void."""
Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Dataset:
    """A TFDS builder plus deterministic preprocessing.

    Attributes:
        name: the dataset's name, for messages.
        builder: the TFDS builder class, or ``"module:Class"`` to import it when data is needed.
        fingerprint: sha256 over all arrays after preprocessing, as `dataset.fingerprint_arrays`
            computes it. Loading anything else is an error that names both. None, in the catalog
            tier only, where nobody stated it yet: the first load writes down what it found (beside
            the prepared files, whose download TFDS checked), and later loads are held to that.
        splits: our split name to the TFDS split expression.
        preprocess: maps ``{feature: array of N rows}`` to ``{"inputs": ..., "targets": ...}``.
    """

    name: str
    builder: str | type
    fingerprint: str | None
    preprocess: Callable[[Mapping[str, Any]], Mapping[str, PyTree]]
    splits: Mapping[str, str] = field(
        default_factory=lambda: {"train": "train", "validation": "validation", "test": "test"}
    )

    @property
    def identity(self) -> str:
        """The stated fingerprint; where there is none, what is known without having the data."""
        if self.fingerprint is not None:
            return self.fingerprint
        builder = self.builder
        if not isinstance(builder, str):
            builder = f"{builder.__module__}:{builder.__qualname__}"
        return f"unstated: {builder} {sorted(self.splits.items())}"


def _ratio(parts: PyTree) -> float:
    """The default `Metric.finish`: ``sum / count``, NaN where nothing was counted."""
    total, count = parts
    return float(total) / float(count) if float(count) else math.nan


@dataclass(frozen=True)
class Metric:
    """A number over a whole split, built from parts that each example contributes.

    Attributes:
        name: as it appears in records after ``validation/``, for example ``accuracy``.
        parts: ``parts(outputs, targets) -> pytree`` of arrays with first axis B, traced on device.
        reduce: ``"sum"`` adds the parts over all examples; ``"gather"`` hands `finish` the parts of
            every example, padding removed (for average precision, BLEU and the like).
        finish: host function from the reduced parts (NumPy) to a float.
    """

    name: str
    parts: Callable[[PyTree, PyTree], PyTree]
    reduce: Literal["sum", "gather"] = "sum"
    finish: Callable[[PyTree], float] = _ratio


@dataclass(frozen=True)
class Target:
    """The validation value that ends a trial.

    Attributes:
        metric: ``"loss"`` or the name of one of the workload's metrics.
        value: the value to reach.
        direction: whether it is reached from above or from below.
        provisional: for a value that was not measured with this workload, why not and where it is
            from. It is shown with the target and is no part of the workload's fingerprint.

    Example:
        >>> Target("loss", 4.2, "minimize").met(4.19)
        True
    """

    metric: str
    value: float
    direction: Direction
    provisional: str = ""

    def met(self, value: float) -> bool:
        """Whether `value` is at or past the target; NaN never is."""
        return value <= self.value if self.direction == "minimize" else value >= self.value


@dataclass(frozen=True)
class Workload:
    """A fixed training task and the validation target that a submission is timed to.

    Attributes:
        name: unique; a variant is called ``<base>_<variant>``.
        dataset: where the examples come from.
        model: a Flax linen module (see the module docstring for how it is called).
        loss: ``(outputs, targets, label_smoothing) -> (sums_B, counts_B)``.
        loss_kind: what a submission may know of the loss, for example ``softmax_cross_entropy``.
        target: metric, value and direction; the metric is ``"loss"`` or one of `metrics`.
        batch_size: training batch that the step hint is stated for.
        step_hint: steps in which a well-tuned submission comfortably reaches the target.
        eval_every: steps between evaluations; the same on every machine.
        eval_batch_size: examples per evaluation batch.
        metrics: reported beside the loss.
        augment: ``augment(key, batch) -> batch``, traced in the training step, or None.
        reference: selector of the submission that budgets are calibrated with.
        base: name of the workload this is a variant of, or None.
        tier: ``"lite"`` (data made or shipped here) or ``"catalog"`` (real TFDS datasets).
    """

    name: str
    dataset: Dataset
    model: nn.Module
    loss: Callable[..., tuple[Any, Any]]
    loss_kind: str
    target: Target
    batch_size: int
    step_hint: int
    eval_every: int
    eval_batch_size: int
    metrics: tuple[Metric, ...] = ()
    augment: Callable[[Any, PyTree], PyTree] | None = None
    reference: str = "nadamw"
    base: str | None = None
    tier: Literal["lite", "catalog"] = "lite"

    def __post_init__(self):
        for name in ("batch_size", "step_hint", "eval_every", "eval_batch_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f"workload {self.name}: {name} must be a positive int, not {value!r}"
                )
        if self.eval_every > self.step_hint:
            raise ValueError(
                f"workload {self.name}: eval_every={self.eval_every} exceeds"
                f" step_hint={self.step_hint}, so it would never be evaluated"
            )
        if self.dataset.fingerprint is None and self.tier != "catalog":
            raise ValueError(
                f"workload {self.name}: its dataset states no fingerprint, which only the catalog"
                " tier may do"
            )
        known = [m.name for m in self.metrics]
        if "loss" in known or len(set(known)) != len(known):
            raise ValueError(
                f"workload {self.name}: metrics {known} repeat a name ('loss' is given)"
            )
        if self.target.metric not in ("loss", *known):
            raise ValueError(
                f"workload {self.name}: target metric {self.target.metric!r} is not in"
                f" {['loss', *known]}"
            )

    def with_variant(self, variant: str, **changes: Any) -> Workload:
        """A workload derived from this one by a small named change.

        Args:
            variant: short name, for example ``"gelu"``.
            **changes: fields to replace, usually ``model`` and ``target``.

        Returns:
            A workload named ``<base>_<variant>`` whose `base` is this one.

        Example:
            ``base.with_variant("gelu", model=replace(base.model, activation="gelu"), target=...)``
        """
        if self.base is not None:
            raise ValueError(f"{self.name} is itself a variant, of {self.base}; derive from that")
        return replace(self, name=f"{self.name}_{variant}", base=self.name, **changes)

    @property
    def fingerprint(self) -> str:
        """Sha256 of everything that makes two times on this workload comparable.

        Covers the data's identity, the model's configuration, target, sizes, and the code (not
        comments, docstrings or the declaration of workloads) of the modules that define model,
        loss, metrics and augmentation, and of those that they use from their own package.
        """
        target = (self.target.metric, self.target.value, self.target.direction)
        parts = [self.dataset.identity, repr(self.model), repr(target)]
        parts += [f"{self.batch_size} {self.step_hint} {self.eval_every} {self.loss_kind}"]
        code = [*_model_types(self.model), self.loss, self.dataset.preprocess, self.augment]
        code += [f for m in self.metrics for f in (m.parts, m.finish)]
        parts += [repr(f) for f in code if is_dataclass(f) and not isinstance(f, type)]
        parts += [text for f in code if (text := _declared_code(f))]
        modules = {inspect.unwrap(f).__module__ for f in code if hasattr(f, "__module__")}
        modules = {m for m in modules if not m.startswith("algoperf_lite.")}  # that is the harness
        loaded = [sys.modules[m] for m in sorted(_with_imports(modules)) if m in sys.modules]
        parts += [fingerprint_code(m, leave_out=DECLARATIONS) for m in loaded]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _declared_code(function: Any) -> str:
    """What a function written in the declaration of a workload does; "" of any other."""
    if isinstance(function, functools.partial):
        bound = sorted(function.keywords.items())
        return f"{getattr(function.func, '__qualname__', function.func)} {function.args} {bound}"
    return _of_code(function.__code__) if _is_lambda(function) else ""


def _is_lambda(function: Any) -> bool:
    return getattr(function, "__name__", "") == "<lambda>"


def _of_code(code: CodeType) -> str:
    constants = [_of_code(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {constants} {code.co_names}"


def _with_imports(modules: Collection[str]) -> set[str]:
    """Modules, and what they use of their packages, such as layers that several models share.

    Datasets are left out: their content has a fingerprint of its own.
    """
    found = set(modules)
    for name in modules:
        package, _, inside = name.partition(".")
        if inside and name in sys.modules:
            used = modules_used(sys.modules[name], f"{package}.", without=f"{package}.datasets")
            found |= {module.__name__ for module in used}
    return found


def _model_types(model: Any) -> list[type]:
    """The classes of a model and of the models that it has as fields."""
    held = [getattr(model, f.name) for f in fields(model) if f.name != "parent"]
    return [type(model), *(t for part in held if is_dataclass(part) for t in _model_types(part))]
