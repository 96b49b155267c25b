"""A training window: what is on the clock between two evaluations, for trials and calibrations."""

from time import perf_counter
from typing import Any

from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.engine import Carry, Program


def train_window(
    clock: Clock, program: Program, order: BatchOrder, carry: Carry, steps: int, hp: Any
) -> tuple[Carry, tuple[Any, Any]]:
    """Take `steps` steps and get the parameters to evaluate, on the clock.

    Nothing may be transferred to the device on the way but the batch indices that `Program.place`
    declares; anything else raises (but on a host loop, which passes what it likes).

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
    with program.transfers():
        batches = clock.measure("data", program.batches, order, step, steps)
        carry = clock.measure("update", program.advance, carry, batches, hp, steps=steps)
        evaluated = clock.measure("eval_params", program.eval_params, carry, hp)
    if clock.windows and (taken := int(carry.state.step) - step) != steps:  # ended by itself
        clock.windows[-1] = (taken, clock.windows[-1][1])
    return carry, evaluated


def warm_up(program: Program, order: BatchOrder, seed: int, hp: Any) -> None:
    """Run everything once, and compile what still has to be, on a state that is thrown away."""
    began = perf_counter()
    carry = program.init(seed, hp)
    most = program.loaded.workload.eval_every
    for steps in program.warm_up_windows:
        carry, evaluated = train_window(Clock(), program, order, carry, min(steps, most), hp)
        program.pretend_evaluation(int(carry.state.step))
    program.warmed_up(perf_counter() - began)
    program.loaded.evaluator.warm_up(*evaluated)
