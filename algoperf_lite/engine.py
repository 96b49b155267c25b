"""The hot core: a submission's training step on a workload, compiled ahead of time.

A step gathers its batch on the device, augments it, and hands it to the submission's `update`. Many
steps go into one dispatch where that is faster; which it is follows from the program and the
backend alone (`_runs_many_steps`), never from a timing, so that results are reproducible.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.batches import BatchOrder
from algoperf_lite.device_data import Piece
from algoperf_lite.errors import AlgoperfLiteError
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.noted import Noted
from algoperf_lite.referee import programs
from algoperf_lite.submission import Evaluation, Hyperparameters, Submission, TrainState


class SubmissionError(AlgoperfLiteError):
    """A submission broke its contract; the message says how."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Carry:
    """What a step hands to the next: the train state, the trial's key, running sums of scalars."""

    state: TrainState
    key: Any
    sums: Mapping[str, Any]


class Program:
    """The compiled programs of one submission on one workload, for one set of static values.

    Args:
        loaded: the workload.
        submission: the training algorithm.
        static: hyperparameters baked into the program.
        traced: hyperparameters that enter as float32 scalars; only the names matter here.
        budget_seconds: for the submission's `Task`.

    Attributes:
        compile_seconds: time spent tracing and compiling.
        many_steps: whether one dispatch runs a whole window of steps.
        flops_per_step: by XLA's cost analysis of one step before optimisation, or None.
        batch_size: rows of a training batch.
        read: names of the hyperparameters that the submission looked up so far.

    Raises:
        SubmissionError: the submission's state changes structure, shape or dtype over a step.
        InvalidTrialError: a program asks the host for values, or holds trained parameters.
    """

    host_loop = False
    """Whether steps are called one by one from Python, on code that jits for itself."""
    warm_up_windows: tuple[int, ...] = (1,)
    """Steps between the evaluations after which everything has run once, and is compiled."""

    def __init__(
        self,
        loaded: LoadedWorkload,
        submission: Submission,
        static: Hyperparameters,
        traced: Hyperparameters,
        budget_seconds: float | None = None,
    ):
        self.loaded = loaded
        self.submission = submission
        self.static = dict(static)
        self.read: set[str] = set()
        self.task = loaded.task(budget_seconds)
        self.batch_size = submission.batch_size(self.task)
        loaded.data.check_divides("batch size", self.batch_size)
        if loaded.data.streamed and type(submission).select is not Submission.select:
            raise SubmissionError(
                "it selects its examples, which takes all of them on the device, but"
                f" {loaded.workload.name} is streamed; raise ALGOPERF_LITE_DEVICE_DATA_BYTES"
            )
        start = perf_counter()
        self._compile(self.hyperparameters(dict.fromkeys(traced, 0.0)))
        self.compile_seconds = perf_counter() - start

    @property
    def parameters(self) -> int:
        """How many numbers the model's parameters are."""
        return count_parameters(self.loaded)

    def hyperparameters(self, traced: Hyperparameters) -> dict[str, Any]:
        """Numbers as float32 scalars on the devices."""
        values = {name: np.float32(value) for name, value in traced.items()}
        return jax.device_put(values, self.loaded.data.replicated)

    def init(self, seed: int, hp: Mapping[str, Any]) -> Carry:
        """The state before the first step, a function of `seed` and `hp` only."""
        key = jax.device_put(jax.random.key(seed), self.loaded.data.replicated)
        return self._compiled_init(key, hp)

    def warmed_up(self, seconds: float) -> None:
        """Called when all has run once, with the seconds that took."""
        del seconds  # was compiled ahead of time

    def pretend_evaluation(self, step: int) -> None:
        """Called as it warms up, between its windows: an evaluation after so many steps."""
        del step  # nothing in a compiled step hangs on it

    def transfers(self) -> AbstractContextManager[None]:
        """What guards a training window: nothing but the batch indices goes to the devices."""
        return jax.transfer_guard_host_to_device("disallow")

    def batches(self, order: BatchOrder, start: int, steps: int) -> Iterable[Piece]:
        """The batches of `steps` steps from `start` on, for `advance`."""
        return self.place(order.window(start, steps))

    def place(self, window: np.ndarray) -> Iterable[Piece]:
        """Batches of row indices ``[steps, B]`` on the devices, see `DeviceData.place`."""
        return self.loaded.data.place(window)

    def advance(self, carry: Carry, window: Iterable[Piece], hp: Mapping[str, Any]) -> Carry:
        """Dispatch the steps of a placed window without waiting; `carry` is donated."""
        for piece in window:
            jax.block_until_ready(carry)  # at most two pieces of streamed data are on the device
            if self.many_steps:
                carry = self._compiled_steps(carry, piece.train, piece.rows, piece.count, hp)
            else:
                for _ in range(piece.steps):
                    carry = self._compiled_steps(carry, piece.train, piece.rows, hp)
        return carry

    def eval_params(self, carry: Carry, hp: Mapping[str, Any]) -> tuple[Any, Any]:
        """``(params, model_state)`` that the submission wants evaluated."""
        return self._compiled_eval_params(carry.state, hp)

    def on_eval(self, history: Sequence[Evaluation], hp: Hyperparameters) -> Hyperparameters | None:
        """Let the submission see the evaluations so far; see `Submission.on_eval`.

        Args:
            history: all there are.
            hp: the point as it is now, as plain Python values.
        """
        return self.submission.on_eval(tuple(history), Noted(dict(hp), self.read), self.task)

    def _noted(self, traced: Mapping[str, Any]) -> Noted:
        return Noted({**self.static, **traced}, self.read)

    def _compile(self, hp: Mapping[str, Any]) -> None:
        data, rep = self.loaded.data, self.loaded.data.replicated
        key = jax.device_put(jax.random.key(0), rep)
        init = jax.jit(self._init, in_shardings=rep, out_shardings=rep).trace(key, hp)
        self._check_rules("init", init.jaxpr)
        train, rows = data.piece_shapes(self.batch_size)
        shapes = self._check_step(init.out_info, train, rows, hp)
        self._compiled_init = init.lower().compile()

        step = jax.jit(self._step, donate_argnums=0, in_shardings=rep, out_shardings=rep)
        traced = step.trace(shapes, train, rows, hp)
        self._check_rules("update", traced.jaxpr)
        self.many_steps = _runs_many_steps(traced.jaxpr.jaxpr, jax.default_backend())
        lowered = traced.lower()
        self.flops_per_step = (lowered.cost_analysis() or {}).get("flops")
        if self.many_steps:
            count = jax.ShapeDtypeStruct((), jnp.int32, sharding=rep)
            many = jax.jit(self._steps, donate_argnums=0, in_shardings=rep, out_shardings=rep)
            lowered = many.lower(shapes, train, rows, count, hp)
        self._compiled_steps = lowered.compile()
        evaluate = jax.jit(self._eval_params, in_shardings=rep, out_shardings=rep)
        evaluate = evaluate.trace(shapes.state, hp)
        self._check_rules("eval_params", evaluate.jaxpr)
        self._check_eval_params(evaluate.out_info)
        self._compiled_eval_params = evaluate.lower().compile()

    def _check_rules(self, method: str, program: Any) -> None:
        """Raise `InvalidTrialError` if a traced program breaks a rule of honest timing."""
        own = partial(self.loaded.own_programs, self.batch_size)
        size = sum(s.size * s.dtype.itemsize for s in jax.tree.leaves(self.loaded.shapes[0]))
        programs.check_host_calls(method, program, own)
        programs.check_constants(method, program, size, own)

    def _init(self, key: Any, hp: Mapping[str, Any]) -> Carry:
        model_key, submission_key, train_key = jax.random.split(key, 3)
        params, model_state = self.loaded.init_model(model_key)
        hp = self._noted(hp)
        opt_state = self.submission.init(params, hp, self.task, submission_key)
        state = TrainState(jnp.int32(0), params, model_state, opt_state)
        names = self._scalar_names(state, hp)
        return _strong(Carry(state, train_key, dict.fromkeys(names, jnp.float32(0))))

    def _scalar_names(self, state: TrainState, hp: Mapping[str, Any]) -> list[str]:
        train, _ = self.loaded.data.piece_shapes(self.batch_size)
        indices = jnp.zeros(self.batch_size, jnp.int32)
        key = jax.random.key(0)
        scalars = jax.eval_shape(
            lambda s, rows: self._update(s, rows, indices, hp, key)[1], state, train
        )
        return sorted(scalars)

    def _update(
        self, state: TrainState, train: Any, indices: Any, hp: Hyperparameters, key: Any
    ) -> tuple[TrainState, Mapping[str, Any]]:
        augment_key, select_key, update_key = jax.random.split(key, 3)
        with jax.named_scope("select"):
            indices = self.submission.select(indices, state, hp, self.task, select_key)
        batch = jax.tree.map(lambda a: a[indices], train)
        batch = jax.lax.with_sharding_constraint(batch, self.loaded.data.sharded)
        if self.loaded.workload.augment is not None:
            batch = self.loaded.workload.augment(augment_key, batch)
        result = self.submission.update(state, batch, self.loaded.loss, hp, self.task, update_key)
        if not (isinstance(result, tuple) and len(result) == 2 and "loss" in result[1]):
            raise SubmissionError(
                "update must return (TrainState, {'loss': scalar, ...}),"
                f" not {type(result).__name__}"
            )
        return result

    def _step(self, carry: Carry, train: Any, window: Any, hp: Mapping[str, Any]) -> Carry:
        row = carry.state.step % self.loaded.workload.eval_every
        indices = window[row % len(window)]
        key = jax.random.fold_in(carry.key, carry.state.step)
        hp = self._noted(hp)
        state, scalars = self._update(carry.state, train, indices, hp, key)
        state = state.replace(step=carry.state.step + 1)
        sums = {
            name: jnp.where(row == 0, 0, total) + scalars[name].astype(jnp.float32)
            for name, total in carry.sums.items()
        }
        return _strong(Carry(state, carry.key, sums))

    def _steps(
        self, carry: Carry, train: Any, window: Any, count: Any, hp: Mapping[str, Any]
    ) -> Carry:
        return jax.lax.fori_loop(0, count, lambda _, c: self._step(c, train, window, hp), carry)

    def _eval_params(self, state: TrainState, hp: Mapping[str, Any]) -> tuple[Any, Any]:
        return self.submission.eval_params(state, self._noted(hp), self.task)

    def _check_step(self, before: Carry, train: Any, rows: Any, hp: Mapping[str, Any]) -> Carry:
        after = jax.eval_shape(self._step, before, train, rows, hp)
        check_same("update returned a state", before.state, after.state)
        return jax.tree.map(
            lambda s: jax.ShapeDtypeStruct(s.shape, s.dtype, sharding=self.loaded.data.replicated),
            before,
        )

    def _check_eval_params(self, returned: Any) -> None:
        check_same(
            "eval_params must return (params, model_state); it returned something",
            self.loaded.shapes,
            returned,
        )


def count_parameters(loaded: LoadedWorkload) -> int:
    """How many numbers the parameters of a workload's model are."""
    return sum(math.prod(s.shape) for s in jax.tree.leaves(loaded.shapes[0]))


def _runs_many_steps(jaxpr: Any, backend: str) -> bool:
    """Whether to loop inside the program: always, but for convolutions on CPU.

    XLA's CPU backend runs a convolution in a loop body on one slow code path (jax issue 12868).
    """
    return not (backend == "cpu" and _has_convolution(jaxpr))


def _has_convolution(jaxpr: Any) -> bool:
    return any(o.primitive.name == "conv_general_dilated" for o in programs.operations(jaxpr))


def _strong(tree: Any) -> Any:
    """Drop weak types, so that every step sees the types that the first one saw."""
    return jax.tree.map(
        lambda x: x if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else jnp.asarray(x, x.dtype),
        tree,
    )


def check_same(what: str, before: Any, after: Any) -> None:
    """Raise `SubmissionError` unless two pytrees agree in structure, shapes and dtypes."""
    if jax.tree.structure(before) != jax.tree.structure(after):
        raise SubmissionError(
            f"{what} of another structure: {jax.tree.structure(after)},"
            f" expected {jax.tree.structure(before)}"
        )
    leaves = zip(jax.tree_util.tree_leaves_with_path(before), jax.tree.leaves(after), strict=True)
    for (path, old), new in leaves:
        if (old.shape, old.dtype) != (new.shape, new.dtype):
            raise SubmissionError(
                f"{what} that differs at {jax.tree_util.keystr(path)}:"
                f" {new.dtype}{list(new.shape)}, expected {old.dtype}{list(old.shape)}"
            )
