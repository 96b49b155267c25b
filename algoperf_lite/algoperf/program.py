"""The host loop: a submission written for AlgoPerf, called once per step from Python.

It stands where `engine.Program` does for our own submissions: `trial.Trial` drives both alike, on
the same clock. AlgoPerf's functions jit for themselves, so nothing here is traced or looked
through; what they compile is compiled while they warm up, off the clock, and what they compile
later is on it.
"""

from __future__ import annotations

import inspect
import math
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from time import perf_counter
from types import MappingProxyType
from typing import Any

import flax
import jax

from algoperf_lite.algoperf.carry import Draw, HostCarry, told_place
from algoperf_lite.algoperf.functions import functions_of, keep_functions
from algoperf_lite.algoperf.loading import SubmissionFile, load
from algoperf_lite.algoperf.queue import Gather, InputQueue
from algoperf_lite.algoperf.stand_in import jax_utils, spec, standing_in  # noqa: F401  (sealed)
from algoperf_lite.algoperf.submission import AlgoperfSubmission
from algoperf_lite.algoperf.told import Told
from algoperf_lite.algoperf.training_log import TrainingLog
from algoperf_lite.algoperf.view import WorkloadView
from algoperf_lite.batches import BatchOrder
from algoperf_lite.blame import STEP_NOTE
from algoperf_lite.engine import SubmissionError, check_same, count_parameters
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.spec import BUDGET_FACTOR
from algoperf_lite.submission import Evaluation, Finished, Hyperparameters, Ruleset, Task


class HostProgram:
    """One AlgoPerf submission on one workload, at one hyperparameter point.

    Its attributes are those of `engine.Program`, as far as a trial asks for them. Its code is
    loaded anew, so nothing that it keeps in its modules meets another workload or point; what is
    plain data there is put back before every trial.

    Args:
        loaded: the workload.
        submission: where the submission's file is.
        hyperparameters: the point.
        budget_seconds: on the clock, or None.

    Attributes:
        functions: the submission's.

    Raises:
        UsageError: the file does not load, or its batch size does not divide over the devices.
    """

    host_loop = True
    many_steps = False
    flops_per_step = None
    warm_up_windows = (3, 2)
    """Steps before and after an evaluation: what only happens at the first step, in later ones, or
    where an evaluation lies behind (`pretend_evaluation`), has happened."""

    def __init__(
        self,
        loaded: LoadedWorkload,
        submission: AlgoperfSubmission,
        hyperparameters: Hyperparameters,
        budget_seconds: float | None = None,
    ):
        self.loaded = loaded
        self.submission = submission
        self.static = dict(hyperparameters)
        self.read = set(self.static)
        self.task = loaded.task(budget_seconds)
        self.compile_seconds = 0.0
        self._devices = tuple(loaded.data.mesh.devices.flat)
        # programs of several steps, each over all devices, would wait for each other's threads
        self._in_turn = len(self._devices) > 1 and self._devices[0].platform == "cpu"
        self.functions = load(submission.source.path, self._devices)
        with self._calling():
            self.batch_size = _batch_size(self.functions, loaded)
        loaded.data.check_divides("batch size", self.batch_size)
        self._point = _point(self.static)
        self._gather = Gather(loaded, self.batch_size)
        self._view = WorkloadView.of(loaded, _with_base_budget(self.task, submission.ruleset))
        rep = loaded.data.replicated
        self._compiled_init = jax.jit(self._init, in_shardings=rep, out_shardings=rep)
        self._takes_train_state = _takes(self.functions.update_params, "train_state")
        self._functions: dict[int, Any] = {}  # in the last optimizer state, by its seed
        self._seen: list[Told] = [Told()]  # of the trial that runs; the referee watches the rest

    @property
    def parameters(self) -> int:
        """How many numbers the model's parameters are."""
        return count_parameters(self.loaded)

    def hyperparameters(self, traced: Hyperparameters) -> dict[str, Any]:
        """None of them is traced."""
        return dict(traced)

    def init(self, seed: int, hp: Mapping[str, Any]) -> HostCarry:
        """The state before the first step; module-level data is as it was when loaded."""
        del hp
        self.functions.restore()
        self._seen[0] = Told()
        key = jax.device_put(jax.random.key(seed), self.loaded.data.replicated)
        params, model_state, submission_key, key = self._compiled_init(key)
        log = TrainingLog()
        self._view.attach_metrics_logger(log)
        with self._calling():
            opt_state = self.functions.init_optimizer_state(
                self._view, params, model_state, self._point, submission_key
            )
        if seed in self._functions:  # of warming up; others would be compiled anew
            opt_state = keep_functions(self._functions[seed], opt_state)
        self._functions = {seed: functions_of(opt_state)}
        jax.block_until_ready((opt_state, key))
        queue = InputQueue(self._gather, key)
        batches = (batch for batch in queue)  # an iterator, and no attributes of ours
        return HostCarry(0, params, model_state, opt_state, key, queue, batches, log)

    def warmed_up(self, seconds: float) -> None:
        """Counts as compiling: tracing, and whatever else the submission did meanwhile."""
        self.compile_seconds += seconds

    def pretend_evaluation(self, step: int) -> None:
        """Tell the submission, as it warms up, of an evaluation that just met the target."""
        made = Evaluation(step, 0.0, math.nan, self.task.target_value, {})
        self._seen[0].evaluated(made, self.task.metric)

    def transfers(self) -> AbstractContextManager[None]:
        """Anything: these submissions pass Python numbers to what they jit."""
        return nullcontext()

    def batches(self, order: BatchOrder, start: int, steps: int) -> Draw:
        """What `advance` draws by; the queue knows where it stands."""
        del start
        return Draw(order, steps)

    def advance(self, carry: HostCarry, draw: Draw, hp: Mapping[str, Any]) -> HostCarry:
        """Call the submission once per step; it dispatches, and nothing is waited for."""
        del hp
        seen, view, point = self._seen[0], self._view, self._point
        select, update = self.functions.data_selection, self.functions.update_params
        told = self._told(seen)
        first, began = carry.step, perf_counter()
        with self._calling():
            carry.queue.open(draw.order, draw.steps)
            keys = self._gather.keys(carry.key, carry.step)
            for select_key, update_key in keys[: draw.steps]:
                batch = select(
                    view, carry.batches, carry.opt_state, carry.params, carry.model_state,
                    point, carry.step, select_key,
                )  # fmt: skip
                try:
                    returned = update(
                        workload=view, current_param_container=carry.params,
                        model_state=carry.model_state, hyperparameters=point, batch=batch,
                        optimizer_state=carry.opt_state, global_step=carry.step, rng=update_key,
                        **told,
                    )  # fmt: skip
                    carry.take(update, returned)
                except spec.TrainingCompleteError:
                    _refuse_deleted(update, carry)
                    seen.complete = True
                except Exception as error:
                    error.add_note(f"{STEP_NOTE}{carry.step}")
                    raise
                carry.step += 1
                if self._takes_train_state:
                    seen.stepped(began)
                if self._in_turn:
                    carry.block_until_ready()
                if seen.complete:
                    break
            carry.queue.close()
        carry.log.close(carry.step - first)
        return carry

    def eval_params(self, carry: HostCarry, hp: Mapping[str, Any]) -> tuple[Any, Any]:
        """``(params, model_state)`` to evaluate; training goes on from them, as in AlgoPerf."""
        del hp
        if self.functions.prepare_for_eval is not None:
            told = self._told(self._seen[0])
            told.pop("train_state", None)
            key = jax.random.fold_in(carry.key, 2**31 + carry.step)  # no step's own
            with self._calling():
                returned = self.functions.prepare_for_eval(
                    workload=self._view, current_param_container=carry.params,
                    model_state=carry.model_state, hyperparameters=self._point,
                    optimizer_state=carry.opt_state, global_step=carry.step,
                    rng=jax.random.key_data(key), **told,
                )  # fmt: skip
            carry.take(self.functions.prepare_for_eval, returned)
        evaluated = flax.core.unfreeze(carry.params), flax.core.unfreeze(carry.model_state)
        check_same(
            f"{told_place(self.functions.update_params)} and prepare_for_eval must return"
            " parameters and model state like those they are given; they returned something",
            self.loaded.shapes,
            evaluated,
        )
        return jax.device_put(evaluated, self.loaded.data.replicated)

    def on_eval(self, history: Sequence[Evaluation], hp: Hyperparameters) -> None:
        """Tell the submission, at its next step, of the evaluations so far.

        Raises:
            Finished: it raised `TrainingCompleteError` before this evaluation.
        """
        del hp
        seen = self._seen[0]
        for made in history[len(seen.eval_results) :]:
            seen.evaluated(made, self.task.metric)
        if seen.complete:
            raise Finished("it raised TrainingCompleteError")

    def _init(self, key: Any) -> tuple[Any, Any, Any, Any]:
        model_key, submission_key, train_key = jax.random.split(key, 3)
        params, model_state = self.loaded.init_model(model_key)
        return params, model_state, jax.random.key_data(submission_key), train_key

    def _told(self, seen: Told) -> dict[str, Any]:
        """Arguments of `update_params` that stay the same over a window."""
        told: dict[str, Any] = {
            "current_params_types": self._view.model_params_types,
            "loss_type": getattr(self._view, "loss_type", None),  # AlgoPerf knows five
            "eval_results": seen.eval_results,
        }
        if self._takes_train_state:
            told["train_state"] = MappingProxyType(seen.train_state)
        return told

    @contextmanager
    def _calling(self) -> Iterator[None]:
        """While the submission's functions run: what they import then is what they mean."""
        with standing_in(self._devices), self.functions.importing():
            yield


def _batch_size(file: SubmissionFile, loaded: LoadedWorkload) -> int:
    """What the submission says of a workload's name, else the workload's own."""
    try:
        size = file.get_batch_size(loaded.workload.name)
    except (NameError, ImportError, AttributeError, TypeError):
        raise  # a mistake in it
    except Exception:  # most raise, of any type, for a name that they do not know
        size = None
    if size is None:
        return loaded.workload.batch_size
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise SubmissionError(f"get_batch_size must return a positive int, not {size!r}")
    return size


def _refuse_deleted(update: Any, carry: HostCarry) -> None:
    """Raise `SubmissionError` if the state that is to be evaluated was donated."""
    kept = jax.tree.leaves((carry.params, carry.model_state))
    if any(isinstance(leaf, jax.Array) and leaf.is_deleted() for leaf in kept):
        raise SubmissionError(
            f"{told_place(update)} raised TrainingCompleteError after it had donated the parameters"
            " or model state that it was given, which are what is evaluated; raise it before"
        )


def _with_base_budget(task: Task, ruleset: Ruleset) -> Task:
    """A task with the workload's budget: AlgoPerf tells self-tuning submissions no other."""
    if task.budget_seconds is None:
        return task
    return replace(task, budget_seconds=task.budget_seconds / BUDGET_FACTOR[ruleset])


def _point(values: Hyperparameters) -> Any:
    """A hyperparameter point as AlgoPerf hands it out; None under the self-tuning rules."""
    return namedtuple("Hyperparameters", values)(**values) if values else None


def _takes(function: Any, name: str) -> bool:
    """Whether a function has a parameter of this name, or takes any."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
