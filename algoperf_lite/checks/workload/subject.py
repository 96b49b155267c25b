"""A workload made ready to be checked: its data, a few examples, programs compiled once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from algoperf_lite import dataset, environment
from algoperf_lite.checks import CheckFailedError
from algoperf_lite.checks.made import made_once
from algoperf_lite.evaluation import Evaluator
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.workload import Dataset, Workload

PyTree = Any
Load = Callable[[Dataset], dict[str, PyTree]]
EXAMPLES = 8  # B of all programs here
SAMPLE = 8 * EXAMPLES  # rows that a loss is averaged over, as labels may be skewed
QUICKLY = {"xla_backend_optimization_level": 0}  # three times faster to compile on CPU, for init


class Trained(NamedTuple):
    """What a training step computes before the optimizer.

    Attributes:
        loss: mean over the terms of the batch.
        outputs: of the model.
        model_state: the model's collections after the step.
        grads: of the loss in each parameter.
    """

    loss: Any
    outputs: PyTree
    model_state: PyTree
    grads: PyTree


class Subject:
    """A workload and, made when first asked for, what its checks look at.

    Args:
        workload: under check.
        load: gives the splits of a dataset; by default from the user's data directory.
    """

    def __init__(self, workload: Workload, load: Load | None = None):
        self.workload = workload
        self._load = load or (
            lambda d: dataset.load(d, environment.data_directory(), workload.name)
        )
        self._made: dict[str, Any] = {}

    @made_once
    def splits(self) -> dict[str, PyTree]:
        """All splits, loaded, their fingerprint compared with the stated one."""
        return self._load(self.workload.dataset)

    @made_once
    def batch(self) -> PyTree:
        """The first `EXAMPLES` training examples."""
        return head(self.splits["train"])

    @made_once
    def initialise(self) -> Callable[[int], tuple[PyTree, PyTree]]:
        """``initialise(seed) -> (params, model_state)``."""
        model, inputs = self.workload.model, self.batch["inputs"]

        def init(key: Any) -> tuple[PyTree, PyTree]:
            variables = dict(model.init({"params": key}, inputs, train=False))
            return variables.pop("params"), variables

        compiled = compile_quickly(init, jax.random.key(0))
        return lambda seed: compiled(jax.random.key(seed))

    @made_once
    def variables(self) -> tuple[PyTree, PyTree]:
        """``(params, model_state)`` at initialisation."""
        return self.initialise(0)

    @made_once
    def evaluation(self) -> Callable[..., tuple[PyTree, PyTree]]:
        """``evaluation(params, model_state, inputs) -> (outputs, model_state afterwards)``."""

        def evaluate(params: PyTree, state: PyTree, inputs: PyTree) -> tuple[PyTree, PyTree]:
            return self.workload.model.apply(
                {"params": params, **state}, inputs, train=False, mutable=list(state)
            )

        return compile_quickly(evaluate, *self.variables, self.batch["inputs"])

    def evaluate(self, inputs: PyTree) -> PyTree:
        """Outputs of the model in evaluation mode, at initialisation."""
        return self.evaluation(*self.variables, inputs)[0]

    @made_once
    def outputs(self) -> PyTree:
        """Outputs of the model for the batch in evaluation mode, at initialisation."""
        return self.evaluate(self.batch["inputs"])

    @made_once
    def training(self) -> Callable[..., Trained]:
        """``training(params, model_state, batch, key, dropout_rate) -> Trained``."""

        def loss(params: PyTree, state: PyTree, batch: PyTree, key: Any, rate: Any) -> Any:
            outputs, state = self._apply_training(params, state, batch["inputs"], key, rate)
            sums, counts = self.workload.loss(outputs, batch["targets"])
            return sums.sum() / counts.sum(), (outputs, state)

        def train(*arguments: Any) -> Trained:
            (value, aux), grads = jax.value_and_grad(loss, has_aux=True)(*arguments)
            return Trained(value, *aux, grads)

        try:
            form = (*self.variables, self.batch, jax.random.key(0), np.float32(0))
            return compile_quickly(train, *form)
        except jax.errors.ConcretizationTypeError as error:
            raise CheckFailedError(
                "the model does not train with a traced dropout_rate, as a tuned one is: branch on"
                " no value of it; flax's Dropout does, workloads.dropout.dropout(self, x, rate)"
                " does not"
            ) from error

    def train(self, seed: int = 0, dropout_rate: float = 0.0, batch: PyTree = None) -> Trained:
        """A training step of a batch, by default of `batch`, at initialisation."""
        batch = self.batch if batch is None else batch
        key, rate = jax.random.key(seed), np.float32(dropout_rate)
        return self.training(*self.variables, batch, key, rate)

    @made_once
    def trained(self) -> Trained:
        """A training step of the batch without dropout, at initialisation."""
        return self.train()

    def draws(self, train: bool, dropout_rate: float | None) -> bool:
        """Whether the model draws random numbers when called like this, by its traced program."""
        inputs = self.batch["inputs"]

        def apply(params: PyTree, state: PyTree, key: Any) -> Any:
            if train:
                return self._apply_training(params, state, inputs, key, dropout_rate)
            return self.workload.model.apply(
                {"params": params, **state},
                inputs,
                train=False,
                dropout_rate=dropout_rate,
                rngs={"dropout": key},
            )

        return "random_bits" in str(jax.make_jaxpr(apply)(*self.variables, jax.random.key(0)))

    def _apply_training(
        self, params: PyTree, state: PyTree, inputs: PyTree, key: Any, rate: Any
    ) -> Any:
        return self.workload.model.apply(
            {"params": params, **state},
            inputs,
            train=True,
            dropout_rate=rate,
            rngs={"dropout": key},
            mutable=list(state),
        )

    @made_once
    def measure(self) -> Callable[[PyTree, PyTree], dict[str, Any]]:
        """``measure(outputs, targets) -> {name: parts}`` of the loss and each metric, unreduced."""
        workload = self.workload

        def parts(outputs: PyTree, targets: PyTree) -> dict[str, Any]:
            found = {m.name: m.parts(outputs, targets) for m in workload.metrics}
            return found | {"loss": tuple(workload.loss(outputs, targets))}

        return compile_quickly(parts, self.outputs, self.batch["targets"])

    def batches(self, rows: int) -> list[PyTree]:
        """The first rows of the validation split, `EXAMPLES` at a time, less a remainder."""
        rows = min(rows, len(jax.tree.leaves(self.splits["validation"])[0]))
        starts = range(0, rows - EXAMPLES + 1, EXAMPLES)
        return [
            jax.tree.map(lambda a, s=start: a[s : s + EXAMPLES], self.splits["validation"])
            for start in starts
        ]

    def by_hand(self, rows: int) -> dict[str, float]:
        """Loss and metrics of the first rows of the validation split."""
        found = [self.measure(self.evaluate(b["inputs"]), b["targets"]) for b in self.batches(rows)]
        return self.finish(jax.tree.map(lambda *a: np.concatenate(a), *found))

    def finish(self, parts: dict[str, Any]) -> dict[str, float]:
        """Loss and metrics from the parts of each example."""
        sums, counts = parts["loss"]
        values = {"loss": float(sums.sum()) / float(counts.sum())}
        for m in self.workload.metrics:
            rows = parts[m.name]
            if m.reduce == "sum":
                rows = jax.tree.map(lambda a: a.sum(axis=0), rows)
            values[m.name] = m.finish(rows)
        return values

    @made_once
    def evaluator(self) -> Evaluator:
        """`evaluator_on` the first device."""
        return self.evaluator_on(jax.local_devices()[:1])

    def evaluator_on(self, devices: list[Any]) -> Evaluator:
        """The benchmark's own evaluation, compiled for batches of two times `EXAMPLES`.

        Its validation split is the first two times `EXAMPLES` rows, its test split half of those,
        which leaves half of a batch to padding.
        """
        few = replace(self.workload, eval_batch_size=2 * EXAMPLES)
        rows = head(self.splits["validation"], 2 * EXAMPLES)
        splits = {"train": rows, "validation": rows, "test": head(rows)}
        return LoadedWorkload(few, splits, devices).evaluator


def head(tree: PyTree, rows: int = EXAMPLES) -> PyTree:
    """The first rows of every array."""
    return jax.tree.map(lambda a: a[:rows], tree)


def compile_quickly(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """`function` compiled for the form of `arguments`; what it returns is on the host.

    On CPU with little optimisation, since it runs a few times only.
    """
    options = QUICKLY if jax.default_backend() == "cpu" else None
    compiled = jax.jit(function).lower(*arguments).compile(compiler_options=options)
    return lambda *values: jax.device_get(compiled(*values))
