"""What a submission is told of its trial while it runs, and what it tells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from time import perf_counter, time
from typing import Any

from algoperf_lite.submission import Evaluation

TRAIN_STATE = {
    "accumulated_submission_time": 0.0,
    "accumulated_eval_time": 0.0,
    "accumulated_logging_time": 0.0,
    "last_eval_time": 0.0,
    "last_step_end_time": 0.0,
    "is_time_remaining": True,
    "training_complete": False,
    "validation_goal_reached": False,
    "test_goal_reached": False,
}
"""What AlgoPerf's runner keeps of a trial, at its beginning; a trial that has ended asks nobody."""


@dataclass
class Told:
    """Of one trial.

    Attributes:
        eval_results: ``(step, metrics)`` of each evaluation.
        seconds: on the clock, at the last of them.
        complete: whether the submission raised `TrainingCompleteError`.
        train_state: what `update_params` is given under that name.
    """

    eval_results: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    seconds: float = 0.0
    complete: bool = False
    train_state: dict[str, Any] = field(
        default_factory=lambda: {**TRAIN_STATE, "last_step_end_time": time()}
    )

    def evaluated(self, made: Evaluation, metric: str) -> None:
        """Tell of an evaluation: the target metric on validation data, and the time."""
        self.seconds = 0.0 if math.isnan(made.seconds) else made.seconds
        row = {f"validation/{metric}": made.value, "score": self.seconds}
        row["accumulated_submission_time"] = self.seconds
        self.eval_results.append((made.step, row))
        self.train_state["last_eval_time"] = time()

    def stepped(self, began: float) -> None:
        """Have the train state tell the time after a step; nothing is waited for.

        Args:
            began: when the window of steps did, by `perf_counter`.
        """
        self.train_state["accumulated_submission_time"] = self.seconds + perf_counter() - began
        self.train_state["last_step_end_time"] = time()
