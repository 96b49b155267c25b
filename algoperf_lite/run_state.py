"""Where a running trial stands: what a checkpoint keeps beside the train state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from algoperf_lite.clock import Clock
from algoperf_lite.records import Status
from algoperf_lite.submission import Evaluation


@dataclass
class RunState:
    """The mutable state of a running trial, but for the arrays on the devices.

    Attributes:
        hp: hyperparameters; `Submission.on_eval` may change them.
        clock: the trial's.
        history: its evaluations so far.
        evaluation_seconds: off the clock, as the next three.
        final_evaluation_seconds: of the test and training splits, at the end.
        checkpoint_seconds: of keeping checkpoints.
        waited_seconds: for which the process's threads had no processor while it trained.
        kernel_seconds: of the calibration kernel before the trial began.
        began: when this process took the trial up, by `perf_counter`.
        earlier_seconds: of wall time, before that.
        resumed_at: the steps at which it went on from a checkpoint.
        status: how it ended; None while it runs.
        reason: why.
        final: the last row, with the metrics of every split.
    """

    hp: dict[str, Any]
    clock: Clock = field(default_factory=Clock)
    history: list[Evaluation] = field(default_factory=list)
    evaluation_seconds: float = 0.0
    final_evaluation_seconds: float = 0.0
    checkpoint_seconds: float = 0.0
    waited_seconds: float = 0.0
    kernel_seconds: float | None = None
    began: float = field(default_factory=perf_counter)
    earlier_seconds: float = 0.0
    resumed_at: list[int] = field(default_factory=list)
    status: Status | None = None
    reason: str | None = None
    final: dict[str, float] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """Steps taken at the last evaluation."""
        return self.history[-1].step if self.history else 0

    @property
    def wall_seconds(self) -> float:
        """Since the trial began, without the time between an interruption and its resumption."""
        return self.earlier_seconds + perf_counter() - self.began

    def stop(self, status: Status, reason: str | None = None) -> None:
        """End the trial after this evaluation; an error that came before is told too."""
        if self.status == "error" and self.reason:
            reason = f"{reason}; it had ended in an error: {self.reason}"
        self.status, self.reason = status, reason

    def to_json(self) -> dict[str, Any]:
        """What is needed to go on, JSON-ready; a trial that has ended is not gone on with."""
        return {
            "hp": self.hp,
            "clock": self.clock.to_json(),
            "history": [evaluation._asdict() for evaluation in self.history],
            "evaluation_seconds": self.evaluation_seconds,
            "checkpoint_seconds": self.checkpoint_seconds,
            "waited_seconds": self.waited_seconds,
            "kernel_seconds": self.kernel_seconds,
            "earlier_seconds": self.wall_seconds,
            "resumed_at": self.resumed_at,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Stand where `to_json` was called."""
        kept = dict(kept)
        self.clock.restore(kept.pop("clock"))
        self.history[:] = [Evaluation(**evaluation) for evaluation in kept.pop("history")]
        for name, value in kept.items():
            setattr(self, name, value)
