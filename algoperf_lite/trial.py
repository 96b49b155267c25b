"""One trial: train, evaluate, decide whether to stop, record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import jax

from algoperf_lite import environment
from algoperf_lite.batches import BatchOrder
from algoperf_lite.blame import describe_error, of_submission
from algoperf_lite.checkpoints import Checkpoints
from algoperf_lite.clock import Clock, Untimed
from algoperf_lite.engine import Carry, Program, SubmissionError
from algoperf_lite.errors import InvalidTrialError, MachineError
from algoperf_lite.records import TrialRecorder
from algoperf_lite.referee import Referee
from algoperf_lite.referee.readings import Phase
from algoperf_lite.run_state import RunState
from algoperf_lite.submission import Evaluation, Finished
from algoperf_lite.trial_summary import summarize
from algoperf_lite.window import train_window, warm_up
from algoperf_lite.workload import Target

GiveUp = Callable[[Sequence[Evaluation]], str | None]


@dataclass(frozen=True)
class Limits:
    """When a trial ends short of its target.

    Attributes:
        seconds: on-clock budget, or None for none.
        steps: most steps, or None for none. One of the two is given.
    """

    seconds: float | None = None
    steps: int | None = None


class Trial:
    """One training run of a submission on a workload.

    Args:
        compile_program: gives the submission's `Program`; what it raises is recorded.
        hp: the hyperparameter point.
        seed: of initialisation, batch order and every random draw.
        limits: budget.
        recorder: where its rows go; it is finished by the caller with what `run` returns.
        notify: called after each evaluation with a JSON-ready progress report.
        give_up: called with the history after an evaluation that ends nothing; a reason that it
            returns ends the trial as stopped, which voids its time. For explorations alone.
        timed: whether it has a clock; without, its record has no seconds.
        checkpoints: where it goes on from, and what it leaves after evaluations; None for neither.
            They are removed by the caller, once the trial is recorded.
        referee: sees to it that its time is honest; None where nothing hangs on that.
    """

    def __init__(
        self,
        compile_program: Callable[[], Program],
        hp: Mapping[str, Any],
        seed: int,
        limits: Limits,
        recorder: TrialRecorder,
        notify: Callable[[dict[str, Any]], None] = lambda event: None,
        give_up: GiveUp | None = None,
        timed: bool = True,
        checkpoints: Checkpoints | None = None,
        referee: Referee | None = None,
    ):
        self._compile = compile_program
        self._hp = dict(hp)
        self._seed = seed
        self._limits = limits
        self.recorder = recorder
        self._notify = notify
        self._give_up = give_up
        self._timed = timed
        self._checkpoints = checkpoints
        self._referee = referee

    def run(self) -> dict[str, Any]:
        """Train until a stopping rule holds.

        Returns:
            What trial.json says of the run: status, reason, steps, clock, compiles, memory. An
            exception raised by the submission becomes the status ``error``; KeyboardInterrupt is
            recorded by the caller.
        """
        environment.reset_peak_memory()
        run = RunState(dict(self._hp), Clock() if self._timed else Untimed())
        run.kernel_seconds = environment.time_calibration_kernel()
        program = None
        if self._referee is not None:
            self._referee.watch(run, self, self.recorder)
        try:
            with of_submission():
                program = self._compile()
            self._train(program, run)
        except MachineError:
            raise  # a full disk is not the submission's fault
        except InvalidTrialError as error:
            run.stop("invalid", str(error))
        except Exception as error:
            run.stop("error", describe_error(error))
        if self._referee is not None and (reason := self._referee.verdict()):
            run.stop("invalid", reason)
        after = environment.time_calibration_kernel()
        return summarize(program, run, (run.kernel_seconds, after))

    def _train(self, program: Program, run: RunState) -> None:
        workload = program.loaded.workload
        with of_submission():
            hp = program.hyperparameters(program.submission.split_hyperparameters(run.hp)[1])
        order = BatchOrder(program.loaded.data.num_train, program.batch_size, self._seed)
        carry = self._warmed_up(program, order, hp)
        self.compiled(program, run)
        carry, hp = self._resumed(program, run, carry, hp)
        self._look(run, "resuming")
        self._notify({"doing": "training"})
        while run.status is None:
            steps = min(workload.eval_every, (self._limits.steps or math.inf) - run.step)
            waited = environment.waited_for_processor(program.host_loop)
            carry, evaluated = train_window(run.clock, program, order, carry, steps, hp)
            after = environment.waited_for_processor(program.host_loop)
            run.waited_seconds += (after or 0.0) - (waited or 0.0)
            step = int(carry.state.step)
            taken = step, step - run.step
            hp = self.assess(program, run, taken, carry.sums, evaluated, hp)
            self._keep(program, run, carry)

    def assess(
        self,
        program: Program,
        run: RunState,
        steps: tuple[int, int],
        sums: Mapping[str, Any],
        evaluated: tuple[Any, Any],
        hp: Any,
    ) -> Any:
        """Evaluate after a window, apply the stopping rules, let the submission see it, record.

        Args:
            program: the compiled submission.
            run: where the trial stands; updated.
            steps: taken so far, and of them in this window.
            sums: of the scalars over this window.
            evaluated: ``(params, model_state)`` to evaluate.
            hp: hyperparameters as the program takes them.

        Returns:
            `hp` to go on with.
        """
        self._look(run, "training")
        start = perf_counter()
        evaluate = partial(program.loaded.evaluator.evaluate, *evaluated)
        row = {f"validation/{name}": value for name, value in evaluate("validation").items()}
        scalars = {name: float(total) / steps[1] for name, total in sums.items()}
        run.evaluation_seconds += perf_counter() - start
        made = self._decide(run, steps[0], scalars, row, program.loaded.workload.target)
        if run.status is None:
            self._look(run, "evaluation")
            try:
                hp = run.clock.measure("on_eval", self._feedback, program, run, hp)
            except Exception as error:  # what was trained until here is recorded
                run.stop("error", describe_error(error))
            self._look(run, "on_eval")
        if run.status is not None:
            start = perf_counter()
            for split in ("test", "train"):
                row |= {f"{split}/{name}": value for name, value in evaluate(split).items()}
            run.final = dict(row)
            run.final_evaluation_seconds = perf_counter() - start
        self._record(program, run, made, row, scalars)
        return hp

    def compiled(self, program: Program, run: RunState) -> None:
        """Let the referee look at what became of the trial so far, and watch its program."""
        self._look(run, "compiling")
        if self._referee is not None:
            self._referee.watch_program(program)

    def _look(self, run: RunState, since: Phase) -> None:
        """Let the referee look around, now that the clock has stopped."""
        if self._referee is not None:
            self._referee.look(run, since)

    def _warmed_up(self, program: Program, order: BatchOrder, hp: Any) -> Carry:
        """The state from the seed, after everything has run once on another."""
        warm_up(program, order, self._seed, hp)
        return jax.block_until_ready(program.init(self._seed, hp))

    def _resumed(self, program: Program, run: RunState, carry: Carry, hp: Any) -> tuple[Carry, Any]:
        """State and hyperparameters to go on from: those of a checkpoint, else the given ones."""
        kept = self._checkpoints.restore(carry) if self._checkpoints is not None else None
        if kept is None:
            return carry, hp
        carry, content = kept
        self.recorder.restore(content["rows"])
        program.read.update(content["read"])
        run.restore(content["run"])
        run.resumed_at.append(run.step)
        traced = program.submission.split_hyperparameters(run.hp)[1]
        return carry, jax.block_until_ready(program.hyperparameters(traced))

    def _keep(self, program: Program, run: RunState, carry: Carry) -> None:
        """Leave a checkpoint, off the clock, unless the trial has ended or will be invalid."""
        found = self._referee is not None and self._referee.reasons
        if self._checkpoints is None or run.status is not None or found:
            return
        start = perf_counter()
        rows, read = self.recorder.rows(), sorted(program.read)
        content = {"run": run.to_json(), "rows": rows, "read": read}
        self._checkpoints.save(run.step, carry, content)
        run.checkpoint_seconds += perf_counter() - start

    def _decide(
        self,
        run: RunState,
        step: int,
        scalars: Mapping[str, float],
        row: Mapping[str, float],
        target: Target,
    ) -> Evaluation:
        """Append to the history and apply the stopping rules, in the protocol's order."""
        value, loss = float(row[f"validation/{target.metric}"]), row["validation/loss"]
        seconds, limits = run.clock.seconds, self._limits
        train_loss = scalars.get("loss", math.nan)  # a host loop need not tell it
        made = Evaluation(step, seconds, train_loss, value, scalars)
        run.history.append(made)
        in_time = limits.seconds is None or seconds <= limits.seconds
        if in_time and target.met(value):
            run.stop("target_reached")
        elif not (math.isfinite(loss) and math.isfinite(scalars.get("loss", 0.0))):
            run.stop("diverged", f"validation loss {loss}, training loss {train_loss}, step {step}")
        elif not in_time:
            run.stop("budget_exhausted", f"{seconds:.2f} s of {limits.seconds:.2f} s used")
        elif limits.steps is not None and step >= limits.steps:
            run.stop("budget_exhausted", f"{step} of {limits.steps} steps taken")
        elif self._give_up is not None and (reason := self._give_up(run.history)) is not None:
            run.stop("stopped", reason)
        return made

    def _feedback(self, program: Program, run: RunState, hp: Any) -> Any:
        """Let the submission see the history; it may change hyperparameters or end the trial."""
        submission = program.submission
        try:
            changed = program.on_eval(run.history, run.hp)
        except Finished as finished:
            run.stop("budget_exhausted", f"ended by the submission: {finished}")
            return hp
        if not changed:
            return hp
        changed = {name: _as_python(value) for name, value in changed.items()}
        static, traced = submission.split_hyperparameters({**run.hp, **changed})
        if static != program.static or set(traced) != set(hp):
            raise SubmissionError(
                f"on_eval changed {sorted(changed)}: only numeric hyperparameters that are not"
                " static can change within a trial"
            )
        run.hp.update(changed)
        return program.hyperparameters(traced)

    def _record(
        self, program: Program, run: RunState, last: Evaluation, row: dict, scalars: dict
    ) -> None:
        data = program.loaded.data
        timed = {} if math.isnan(last.seconds) else {"accumulated_submission_time": last.seconds}
        common = {**timed, "global_step": last.step}
        counts = {
            f"{split}/num_examples": sum(b.rows for b in data.eval_batches[split])
            for split in ("test", "validation")
        }
        self.recorder.evaluation(
            {
                **common,
                **counts,
                **row,
                "accumulated_eval_time": run.evaluation_seconds + run.final_evaluation_seconds,
                "accumulated_logging_time": run.checkpoint_seconds,
                "preemption_count": len(run.resumed_at),
                "score": timed.get("accumulated_submission_time", ""),
                "total_duration": run.wall_seconds,
            }
        )
        self.recorder.measurement(
            {**common, **{f"train_step/{name}": value for name, value in scalars.items()}}
        )
        self._notify(
            {
                "step": last.step,
                "seconds": last.seconds if timed else None,
                "value": last.value,
                "train_loss": last.train_loss,
            }
        )


def _as_python(value: Any) -> Any:
    """A number as a checkpoint gives it back: of Python, not of NumPy or JAX."""
    return value.item() if hasattr(value, "item") else value
