"""The same AdamW in our API and in AlgoPerf's gives the same curve."""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tiny

from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.engine import Program
from algoperf_lite.submission import OptaxSubmission
from algoperf_lite.window import train_window

POINT = {"learning_rate": 0.01, "weight_decay": 0.01, "beta2": 0.99, "epsilon": 1e-8}


def _adamw(hp, task):
    schedule = optax.cosine_decay_schedule(hp["learning_rate"], task.step_hint)
    decay = hp["weight_decay"]
    return optax.adamw(schedule, b1=0.9, b2=hp["beta2"], eps=hp["epsilon"], weight_decay=decay)


@dataclass(frozen=True, kw_only=True)
class Regularised(OptaxSubmission):
    """Dropout and label smoothing at rates of its own."""

    rates: dict

    def update(self, state, batch, loss_fn, hp, task, key):
        return super().update(state, batch, partial(loss_fn, **self.rates), hp, task, key)


def shift(key, batch):
    """An augmentation: another shift for each row."""
    moved = jax.random.randint(key, batch["targets"].shape, -3, 4, jnp.int8)
    return batch | {"inputs": batch["inputs"] + moved[:, None]}


CASES = {
    "matrices": ({}, {}, {}),
    "batch norm, dropout, label smoothing, augmentation": (
        {"model": tiny.Net(dropout=0.1, batch_norm=True), "augment": shift},
        {"dropout_rate": 0.3, "label_smoothing": 0.1},
        # of a bias before a batch norm, the gradient is nothing but rounding errors, which Adam
        # would make full steps of
        {"epsilon": 1e-4},
    ),
}


def train(program, hp, seed, windows=3):
    """Validation losses after each window, and the parameters at the end."""
    data = program.loaded.data
    order = BatchOrder(data.num_train, program.batch_size, seed)
    carry, losses = program.init(seed, hp), []
    for _ in range(windows):
        carry, evaluated = train_window(Clock(), program, order, carry, 10, hp)
        losses.append(program.loaded.evaluator.evaluate(*evaluated, "validation")["loss"])
    return losses, jax.device_get(evaluated)


@pytest.mark.parametrize(("changes", "rates", "hp"), CASES.values(), ids=CASES)
def test_the_same_adamw_gives_the_same_curve(
    changes, rates, hp, never, style, make_host, load_workload
):
    workload, point = replace(never, **changes), POINT | hp
    submission = Regularised(
        optimizer=_adamw, default=point, static=("beta2", "epsilon"), rates=rates
    )
    static, traced = submission.split_hyperparameters(point)
    ours = Program(load_workload(workload), submission, static, traced)
    theirs = make_host(
        style("adamw/submission"),
        workload,
        warmup_factor=0.0,
        **({"dropout_rate": 0.0} | rates | point),
    )
    expected, parameters = train(ours, ours.hyperparameters(traced), seed=3)
    losses, final = train(theirs, {}, seed=3)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert jax.tree.structure(final) == jax.tree.structure(parameters)
    for got, wanted in zip(jax.tree.leaves(final), jax.tree.leaves(parameters), strict=True):
        np.testing.assert_allclose(got, wanted, atol=3e-5)
    assert expected[-1] < expected[0]
