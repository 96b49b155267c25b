from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
import toys

from algoperf_lite.batches import BatchOrder
from algoperf_lite.compiles import CompileCounter
from algoperf_lite.engine import Program
from algoperf_lite.errors import UsageError
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.registry import find_submission
from algoperf_lite.vectorized import VectorizedProgram, refuse_streamed

RATES = (0.01, 0.3)


@pytest.fixture
def load(tiny_splits):
    def load(workload=tiny.workload, devices=1):
        return LoadedWorkload(workload, tiny_splits, jax.devices()[:devices])

    return load


def train(program, hp, steps=20):
    """The parameters to evaluate, and the mean loss over the last ten steps."""
    carry = program.init(0, hp)
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, 0)
    for start in range(0, steps, 10):
        carry = program.advance(carry, program.place(order.window(start, 10)), hp)
    return program.eval_params(carry, hp), carry.sums["loss"] / 10


def together_and_alone(loaded, submission, points):
    """For each point what `train` returns, in one program and in one of its own."""
    points = [{**submission.default, **point} for point in points]
    static, traced = submission.split_hyperparameters(points[0])
    many = VectorizedProgram(loaded, submission, static, traced, len(points))
    evaluated = train(many, many.stacked(points))
    one = Program(loaded, submission, static, traced)
    for index, point in enumerate(points):
        hp = one.hyperparameters(submission.split_hyperparameters(point)[1])
        yield many.pick(evaluated, index), train(one, hp)


def agree(a, b):
    return all(
        np.allclose(x, y, rtol=1e-4, atol=1e-5)
        for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def test_points_train_as_they_do_alone_and_one_that_diverges_disturbs_no_other(load):
    loaded = load(replace(tiny.workload, model=tiny.Net(batch_norm=True, dropout=0.3)))
    points = [{"learning_rate": r} for r in (0.01, 1e30, 0.3)]
    first, second, third = together_and_alone(loaded, toys.sgd, points)
    assert not np.isfinite(second[0][1])
    assert agree(*first)
    assert agree(*third)
    assert not agree(first[0], third[0])


def test_a_whole_submission_with_schedule_and_averages(load):
    _, submission, _ = find_submission("schedule_free_adamw")
    points = [{"learning_rate": 0.01}, {"learning_rate": 0.1, "one_minus_b1": 0.2}]
    assert all(agree(a, b) for a, b in together_and_alone(load(), submission, points))


def test_several_devices_and_convolutions_give_the_same(load):
    points = [{"learning_rate": r} for r in RATES]
    loaded = load(replace(tiny.workload, model=tiny.Net(convolution=True)), devices=4)
    for together, alone in together_and_alone(loaded, toys.sgd, points):
        assert agree(together, alone)


def test_selection_may_depend_on_the_point(load):
    def select(indices, state, hp, task, key):
        return jnp.where(hp["learning_rate"] > 0.1, indices, 0)

    submission = toys.plain_sgd(select=select)
    points = [{"learning_rate": r} for r in RATES]
    assert all(agree(a, b) for a, b in together_and_alone(load(), submission, points))


def test_other_points_need_no_other_compilation(load):
    program = VectorizedProgram(load(), toys.sgd, {}, {"learning_rate": 0.0}, 2)
    train(program, program.stacked([{"learning_rate": 0.1}, {"learning_rate": 0.2}]), 10)
    with CompileCounter() as seen:
        train(program, program.stacked([{"learning_rate": 0.3}, {"learning_rate": 0.4}]), 10)
    assert seen.count == 0


def test_a_streamed_workload_is_refused(load, monkeypatch):
    loaded = load()
    monkeypatch.setattr(loaded.data, "streamed", True)
    with pytest.raises(UsageError, match="tiny is streamed; raise ALGOPERF_LITE_DEVICE_DATA"):
        VectorizedProgram(loaded, toys.sgd, {}, {"learning_rate": 0.0}, 2)
    with pytest.raises(UsageError, match="leave out --vectorize"):
        refuse_streamed(loaded)
