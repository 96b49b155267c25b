"""The trials of several points, trained in one program, each with a record of its own.

A record says ``"timed": false`` and has no seconds: the points shared the clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax

from algoperf_lite import environment
from algoperf_lite.batches import BatchOrder
from algoperf_lite.blame import describe_error, of_submission
from algoperf_lite.clock import Clock, Untimed
from algoperf_lite.errors import InvalidTrialError, MachineError
from algoperf_lite.records import Status, TrialRecorder
from algoperf_lite.referee import Referee
from algoperf_lite.run_state import RunState
from algoperf_lite.submission import Hyperparameters
from algoperf_lite.trial import GiveUp, Limits, Trial
from algoperf_lite.trial_summary import summarize
from algoperf_lite.vectorized import VectorizedProgram
from algoperf_lite.window import train_window


class VectorizedTrials:
    """Training runs of a submission at several points, with one seed and the same batches.

    Each point has its own evaluations, stopping rules and `Submission.on_eval`; the run ends when
    all have ended. A point that has ended trains on unseen until then.

    Args:
        compile_program: gives the `VectorizedProgram`; what it raises is recorded.
        points: the hyperparameter points; they share their static values.
        seed: of all of them.
        limits: steps, no time.
        recorders: one for each point; they are finished by the caller with what `run` returns.
        notify: called with a point's index and a progress report after each of its evaluations.
        give_up: as for `Trial`, for each point.
        referee: as for `Trial`; what it finds is every point's.
    """

    def __init__(
        self,
        compile_program: Callable[[], VectorizedProgram],
        points: Sequence[Hyperparameters],
        seed: int,
        limits: Limits,
        recorders: Sequence[TrialRecorder],
        notify: Callable[[int, dict[str, Any]], None] = lambda point, event: None,
        give_up: GiveUp | None = None,
        referee: Referee | None = None,
    ):
        self._compile = compile_program
        self._seed = seed
        self._limits = limits
        self._referee = referee
        self._runs = [RunState(hp=dict(point), clock=Untimed()) for point in points]
        given = {"give_up": give_up, "referee": referee}
        self._trials = [
            Trial(compile_program, point, seed, limits, recorder, partial(notify, index), **given)
            for index, (point, recorder) in enumerate(zip(points, recorders, strict=True))
        ]

    def run(self) -> list[dict[str, Any]]:
        """Train until every point has ended.

        Returns:
            What trial.json says of each run. An exception in training is every unended point's.
        """
        environment.reset_peak_memory()
        before = environment.time_calibration_kernel()
        program = None
        clock = Clock()
        if self._referee is not None:
            for index, (trial, run) in enumerate(zip(self._trials, self._runs, strict=True)):
                self._referee.watch(run, trial, trial.recorder, f"point {index}: ")
        try:
            with of_submission():
                program = self._compile()
            self._train(program, clock)
        except MachineError:
            raise
        except InvalidTrialError as error:
            self._stop_all("invalid", str(error))
        except Exception as error:
            for run in self._runs:
                if run.status is None:
                    run.stop("error", describe_error(error))
        if self._referee is not None and (reason := self._referee.verdict()):
            self._stop_all("invalid", reason)
        kernel = (before, environment.time_calibration_kernel())
        wall = self._runs[0].wall_seconds
        shared = {
            "flops_per_step": None,
            "batch": {"points": len(self._runs), "seconds": clock.seconds, "wall": wall},
        }
        return [summarize(program, run, kernel) | shared for run in self._runs]

    def _stop_all(self, status: Status, reason: str) -> None:
        for run in self._runs:
            run.stop(status, reason)

    def _train(self, program: VectorizedProgram, clock: Clock) -> None:
        every, most = program.loaded.workload.eval_every, self._limits.steps or math.inf
        order = BatchOrder(program.loaded.data.num_train, program.batch_size, self._seed)
        with of_submission():
            carry = program.init(self._seed, self._hyperparameters(program))
        for trial, run in zip(self._trials, self._runs, strict=True):
            trial.compiled(program, run)
        step = 0
        while not all(run.status for run in self._runs):
            steps = min(every, most - step)
            hp = self._hyperparameters(program)  # `on_eval` may have changed a point's
            carry, evaluated = train_window(clock, program, order, carry, steps, hp)
            step += steps
            for index, (trial, run) in enumerate(zip(self._trials, self._runs, strict=True)):
                if run.status is None:
                    sums, params = program.pick((carry.sums, evaluated), index)
                    trial.assess(program, run, (step, steps), sums, params, hp)

    def _hyperparameters(self, program: VectorizedProgram) -> Any:
        return jax.block_until_ready(program.stacked([run.hp for run in self._runs]))
