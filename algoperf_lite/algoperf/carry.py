"""What a host loop hands from step to step, where the engine has its carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from algoperf_lite.algoperf.queue import InputQueue
from algoperf_lite.algoperf.training_log import TrainingLog
from algoperf_lite.batches import BatchOrder
from algoperf_lite.engine import SubmissionError


class Draw(NamedTuple):
    """The steps of a window: how many, and the order of their batches."""

    order: BatchOrder
    steps: int


@dataclass
class HostCarry:
    """Where training stands: what AlgoPerf's functions hand on, of any Python type.

    Attributes:
        step: steps taken.
        params: the model's parameters.
        model_state: its other collections.
        opt_state: whatever the submission keeps.
        key: the trial's.
        queue: what batches are drawn from.
        batches: the same, as the submission gets it.
        log: what the submission logs.
    """

    step: int
    params: Any
    model_state: Any
    opt_state: Any
    key: Any
    queue: InputQueue
    batches: Iterator[dict[str, Any]]
    log: TrainingLog

    @property
    def state(self) -> HostCarry:
        """Itself, where the engine's carry has its train state."""
        return self

    @property
    def sums(self) -> dict[str, float]:
        """Of the scalars that were logged in the last window; see `engine.Carry`."""
        return self.log.sums()

    def take(self, function: str, returned: Any) -> None:
        """Go on with what one of the submission's functions returned."""
        if not (isinstance(returned, tuple | list) and len(returned) == 3):
            told = f"{len(returned)} values" if isinstance(returned, tuple | list) else returned
            raise SubmissionError(
                f"{function} must return (optimizer_state, parameters, model_state), not {told!r}"
            )
        self.opt_state, self.params, self.model_state = returned
