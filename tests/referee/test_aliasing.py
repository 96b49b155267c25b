"""Arrays returned twice, or as they came: the bits are those of copies, and nothing is lost."""

from dataclasses import replace

import jax
import numpy as np
import pytest
import toys

from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.submission import TrainState
from algoperf_lite.window import train_window


def copied(tree):
    return jax.tree.map(lambda a: a + 0, tree)


def same(a, b):
    return all(map(np.array_equal, jax.tree.leaves(a), jax.tree.leaves(b)))


def shared(copy):
    """Keeps the parameters three times; `copy` says whether as the same arrays."""

    def init(params, hp, task, key):
        return {"first": copy(params), "now": copy(params)}

    def update(state, batch, loss_fn, hp, task, key):
        moved, scalars = toys.PlainSgd.update(
            None, TrainState(state.step, state.params, state.model_state, {"steps": state.step}),
            batch, loss_fn, hp, task, key,
        )  # fmt: skip
        kept = {"first": state.opt_state["first"], "now": copy(moved.params)}
        return replace(moved, opt_state=kept), scalars

    def eval_params(state, hp, task):
        return copy(state.opt_state["now"]), copy(state.model_state)

    return toys.plain_sgd(init=init, update=update, eval_params=eval_params)


@pytest.fixture(scope="module")
def trained(make_program):
    """By whether arrays are shared: what was handed out after each window, as it is at the end."""
    found = {}
    for name, copy in {"shared": lambda tree: tree, "copied": copied}.items():
        program = make_program(shared(copy))
        hp = program.hyperparameters({"learning_rate": 0.3})
        carry, order = program.init(0, hp), BatchOrder(200, program.batch_size, 0)
        first = jax.device_get(carry.state.params)
        handed, at_once = [], []
        for _ in range(3):
            carry, evaluated = train_window(Clock(), program, order, carry, 10, hp)
            handed.append(evaluated)
            at_once.append(jax.tree.map(np.array, evaluated))
        found[name] = first, carry.state, handed, at_once
    return found


def test_shared_arrays_train_to_the_bits_of_copies(trained):
    (first, state, *_), (_, other, *_) = trained["shared"], trained["copied"]
    assert same(state, other)
    assert same(state.opt_state["first"], first)
    assert same(state.opt_state["now"], state.params)


def test_what_is_handed_to_evaluation_is_not_overwritten_by_later_steps(trained):
    _, _, handed, at_once = trained["shared"]
    assert same(handed, at_once)
    assert not same(at_once[0], at_once[1])
