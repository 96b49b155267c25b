"""What a host loop hands from step to step, where the engine has its carry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax

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

    def block_until_ready(self) -> None:
        """Wait for its arrays; the clock asks for it."""
        jax.block_until_ready((self.params, self.model_state, self.opt_state))

    def take(self, function: Callable[..., Any], returned: Any) -> None:
        """Go on with what one of the submission's functions returned.

        Raises:
            SubmissionError: that is not what it must return.
        """
        if not (isinstance(returned, tuple | list) and len(returned) == 3):
            is_row = isinstance(returned, tuple | list)
            told = f"{len(returned)} values" if is_row else type(returned).__name__
            raise SubmissionError(
                f"{told_place(function)} must return (optimizer_state, parameters, model_state),"
                f" not {told}"
            )
        self.opt_state, self.params, self.model_state = returned
        if self.model_state is None:  # AlgoPerf's word where there is none
            self.model_state = {}


def told_place(function: Callable[..., Any]) -> str:
    """A function's name, and where it is written."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    name = getattr(function, "__name__", str(function))
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name
