"""The input queue: the batches, order and keys that the engine's steps see."""

import jax
import numpy as np
import pytest

from algoperf_lite.algoperf.queue import Gather, InputQueue
from algoperf_lite.batches import BatchOrder
from algoperf_lite.loaded import LoadedWorkload
from tests import tiny

SIZE = 20


@pytest.fixture(scope="module")
def loaded():
    splits = {name: tiny.preprocess(arrays) for name, arrays in tiny.make_arrays().items()}
    return LoadedWorkload(tiny.workload, splits, jax.devices()[:1])


@pytest.fixture(scope="module")
def gather(loaded):
    return Gather(loaded, SIZE)


@pytest.fixture
def order(loaded):
    return BatchOrder(loaded.data.num_train, SIZE, seed=3)


def test_batches_come_in_the_order_of_every_submission_whatever_the_windows(gather, order):
    inputs = tiny.preprocess(tiny.make_arrays()["train"])["inputs"]
    queue = InputQueue(gather, jax.random.key(0))
    found = []
    for steps in (3, 10, 2):
        queue.open(order, steps)
        found += [np.asarray(next(queue)["inputs"]) for _ in range(steps)]
    expected = [inputs[rows] for rows in order.window(0, 15)]
    np.testing.assert_array_equal(found, expected)
    assert queue.drawn == 15


def test_a_batch_has_inputs_targets_and_weights_of_one(gather, order):
    queue = InputQueue(gather, jax.random.key(0))
    queue.open(order, 10)
    batch = next(queue)
    assert sorted(batch) == ["inputs", "targets", "weights"]
    np.testing.assert_array_equal(batch["weights"], np.ones(SIZE, np.float32))
    assert batch["inputs"].sharding == gather.data.sharded


def test_who_draws_more_than_a_batch_per_step_goes_on_in_the_same_order(gather, order):
    queue = InputQueue(gather, jax.random.key(0))
    queue.open(order, 4)
    drawn = [np.asarray(next(queue)["targets"]) for _ in range(10)]
    targets = tiny.preprocess(tiny.make_arrays()["train"])["targets"]
    np.testing.assert_array_equal(drawn, [targets[rows] for rows in order.window(0, 10)])


def test_keys_are_those_of_the_engines_steps_in_the_raw_form(gather):
    key = jax.random.key(7)
    keys = gather.keys(key, 30)
    assert len(keys) == tiny.workload.eval_every
    for step in (30, 33):
        _, select, update = jax.random.split(jax.random.fold_in(key, step), 3)
        np.testing.assert_array_equal(keys[step - 30][0], jax.random.key_data(select))
        np.testing.assert_array_equal(keys[step - 30][1], jax.random.key_data(update))
