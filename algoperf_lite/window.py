"""A training window: what is on the clock between two evaluations, for trials and calibrations."""

from typing import Any

import jax

from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.engine import Carry, Program


def train_window(
    clock: Clock, program: Program, order: BatchOrder, carry: Carry, steps: int, hp: Any
) -> tuple[Carry, tuple[Any, Any]]:
    """Take `steps` steps and get the parameters to evaluate, on the clock.

    Nothing may be transferred to the device on the way but the batch indices that `Program.place`
    declares; anything else raises.

    Args:
        clock: booked under ``data``, ``update`` (with the reading of streamed data, which goes on
            meanwhile) and ``eval_params``.
        program: the compiled submission.
        order: gives the batches.
        carry: where training stands; donated.
        steps: at most the workload's `eval_every`, from a multiple of it on.
        hp: what `Program.hyperparameters` returned.

    Returns:
        The new carry, and ``(params, model_state)`` to evaluate; both ready.
    """
    step = int(carry.state.step)
    with jax.transfer_guard_host_to_device("disallow"):
        window = clock.measure("data", lambda: program.place(order.window(step, steps)))
        carry = clock.measure("update", program.advance, carry, window, hp, steps=steps)
        return carry, clock.measure("eval_params", program.eval_params, carry, hp)
