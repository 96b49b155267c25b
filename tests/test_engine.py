from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import tiny
import toys

from algoperf_lite.batches import BatchOrder
from algoperf_lite.compiles import CompileCounter
from algoperf_lite.engine import SubmissionError, _runs_many_steps
from algoperf_lite.errors import UsageError
from algoperf_lite.submission import OptaxSubmission


def train(program, steps, seed=0, window=10, **hp):
    """Parameters and mean losses after `steps` steps in windows of `window`."""
    hp = program.hyperparameters({"learning_rate": 0.3, **hp})
    carry = program.init(seed, hp)
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, seed)
    losses = []
    for start in range(0, steps, window):
        count = min(window, steps - start)
        carry = program.advance(carry, program.place(order.window(start, count)), hp)
        losses.append(float(carry.sums["loss"]) / count)
    return jax.device_get(carry.state), np.array(losses)


def same(a, b):
    return all(
        np.array_equal(x, y) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    )


def numpy_sgd(splits, params, rows, learning_rate):
    """The same training written out in NumPy for the two-layer net."""
    w1, b1 = params["Dense_0"]["kernel"], params["Dense_0"]["bias"]
    w2, b2 = params["Dense_1"]["kernel"], params["Dense_1"]["bias"]
    losses = []
    for row in rows:
        x = splits["train"]["inputs"][row].astype(np.float64) / 10
        y = np.eye(2)[splits["train"]["targets"][row]]
        pre = x @ w1 + b1
        hidden = np.maximum(pre, 0)
        logits = hidden @ w2 + b2
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        losses.append(-(y * np.log(p)).sum(1).mean())
        d = (p - y) / len(x)
        dh = (d @ w2.T) * (pre > 0)
        w1, b1 = w1 - learning_rate * x.T @ dh, b1 - learning_rate * dh.sum(0)
        w2, b2 = w2 - learning_rate * hidden.T @ d, b2 - learning_rate * d.sum(0)
    return w1, np.array(losses)


def test_a_step_is_sgd_as_numpy_has_it(make_program, tiny_splits):
    program = make_program(toys.sgd)
    start, _ = train(program, 0)
    end, losses = train(program, 20)
    rows = BatchOrder(200, 20, seed=0).window(0, 20)
    w1, expected = numpy_sgd(tiny_splits, start.params, rows, 0.3)
    assert np.allclose(end.params["Dense_0"]["kernel"], w1, atol=1e-5)
    assert np.allclose(losses, expected.reshape(2, 10).mean(1), atol=1e-5)
    assert end.step == 20


def test_same_seed_same_bits_other_seed_other_bits(make_program):
    program = make_program(toys.sgd)
    first, again, other = (train(program, 15, seed)[0] for seed in (3, 3, 4))
    assert same(first, again)
    assert not same(first, other)


def test_a_short_last_window_takes_just_its_steps(make_program):
    program = make_program(toys.sgd)
    by_ones, _ = train(make_program(toys.sgd, replace(tiny.workload, eval_every=1)), 17, window=1)
    assert all(
        np.allclose(x, y, atol=1e-6)
        for x, y in zip(
            jax.tree.leaves(train(program, 17)[0]), jax.tree.leaves(by_ones), strict=True
        )
    )


def test_one_dispatch_per_step_gives_what_many_steps_give(make_program, monkeypatch):
    many, _ = train(make_program(toys.sgd), 13)
    monkeypatch.setattr("algoperf_lite.engine._runs_many_steps", lambda *_: False)
    program = make_program(toys.sgd)
    assert not program.many_steps
    single, _ = train(program, 13)
    assert all(np.allclose(x, y, atol=1e-6) for x, y in
               zip(jax.tree.leaves(many), jax.tree.leaves(single), strict=True))  # fmt: skip


@pytest.mark.parametrize("convolution", [False, True])
def test_convolutions_are_dispatched_step_by_step_on_cpu_only(make_program, convolution):
    workload = replace(tiny.workload, model=tiny.Net(convolution=convolution))
    program = make_program(toys.sgd, workload)
    assert program.many_steps is not convolution
    with_conv = jax.make_jaxpr(lambda x: tiny.Net(convolution=True).init_with_output(
        jax.random.key(0), x)[0])(jnp.zeros((2, 4), jnp.int8))  # fmt: skip
    assert not _runs_many_steps(with_conv.jaxpr, "cpu")
    assert _runs_many_steps(with_conv.jaxpr, "gpu")


@pytest.mark.parametrize("devices", [2, 4])
def test_data_parallel_training_gives_the_same_curve(make_program, devices):
    workload = replace(tiny.workload, model=tiny.Net(batch_norm=True))
    _, one = train(make_program(toys.sgd, workload), 30)
    _, several = train(make_program(toys.sgd, workload, devices=devices), 30)
    assert np.allclose(one, several, atol=1e-5)


def test_a_batch_that_does_not_divide_is_an_error_with_the_numbers(make_program):
    workload = replace(tiny.workload, batch_size=30)
    with pytest.raises(UsageError, match="batch size 30 does not divide over 4 devices"):
        make_program(toys.sgd, workload, devices=4)


def test_points_and_seeds_share_one_compilation(make_program):
    program = make_program(toys.sgd)
    train(program, 10, learning_rate=0.1)
    with CompileCounter() as seen:
        a, _ = train(program, 10, learning_rate=0.2)
        b, _ = train(program, 10, seed=5, learning_rate=0.4)
    assert seen.count == 0
    assert not same(a, b)


def test_only_declared_transfers_reach_the_device(make_program):
    program = make_program(toys.sgd)
    hp = program.hyperparameters({"learning_rate": 0.3})
    carry = program.init(0, hp)
    order = BatchOrder(200, 20, seed=0)
    with jax.transfer_guard_host_to_device("disallow"):
        (piece,) = program.place(order.window(0, 10))
        carry = program.advance(carry, [piece], hp)
        with pytest.raises(Exception, match="Disallowed host-to-device transfer"):
            on_host = piece._replace(rows=order.window(0, 10))
            program.advance(carry, [on_host], hp)


def test_batch_statistics_are_updated_and_returned(make_program):
    program = make_program(toys.sgd, replace(tiny.workload, model=tiny.Net(batch_norm=True)))
    before, _ = train(program, 0)
    after, _ = train(program, 5)
    assert not same(before.model_state, after.model_state)


def test_dropout_draws_anew_in_every_step(make_program):
    def update(state, batch, loss_fn, hp, task, key):
        loss, _ = loss_fn(state.params, state.model_state, batch, key, dropout_rate=0.5)
        return state, {"loss": loss}

    fixed_batch = toys.plain_sgd(update=update, select=lambda i, *_: jnp.zeros_like(i))
    _, losses = train(make_program(fixed_batch), 3, window=1)
    assert len(set(losses)) == 3


def test_a_submission_selects_its_examples(make_program, tiny_splits):
    seen = {}

    def update(state, batch, loss_fn, hp, task, key):
        seen["shape"] = batch["targets"].shape
        return state, {"loss": batch["targets"].astype(jnp.float32).mean()}

    ones = jnp.asarray(np.flatnonzero(tiny_splits["train"]["targets"] == 1)[:20], jnp.int32)
    program = make_program(toys.plain_sgd(update=update, select=lambda *_: ones))
    assert train(program, 10)[1].tolist() == [1.0]
    assert seen["shape"] == (20,)


def test_every_submission_sees_the_same_batches(make_program):
    def checksum(batch):
        return (batch["inputs"].astype(jnp.float32) @ jnp.arange(4.0)).sum()

    def watching(learning_rate):
        def update(state, batch, loss_fn, hp, task, key):
            new, scalars = toys.PlainSgd.update(
                None, state, batch, loss_fn, {"learning_rate": learning_rate}, task, key
            )
            return new, {"loss": scalars["loss"], "batch": (state.step + 1) * checksum(batch)}

        return toys.plain_sgd(update=update)

    def batches(submission, seed):
        program = make_program(submission)
        hp = program.hyperparameters({"learning_rate": 0.0})
        carry, order = program.init(seed, hp), BatchOrder(200, program.batch_size, seed)
        sums = []
        for step in range(0, 30, 10):
            carry = program.advance(carry, program.place(order.window(step, 10)), hp)
            sums.append(float(carry.sums["batch"]))
        return sums

    assert batches(watching(0.1), 0) == batches(watching(0.3), 0) != batches(watching(0.1), 1)


def test_a_submission_chooses_its_batch_size(make_program):
    program = make_program(toys.plain_sgd(batch_size=lambda task: 2 * task.batch_size))
    assert program.batch_size == 40
    train(program, 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.replace(params={"w": s.params["Dense_0"]["bias"]}), "another structure"),
        (lambda s: s.replace(opt_state={"steps": jnp.zeros(2)}),
         r"differs at .*steps.*: float32\[2\], expected int32\[\]"),
        (lambda s: None, "must return"),
    ],
)  # fmt: skip
def test_a_wrong_state_is_refused_with_the_place(make_program, change, message):
    def update(state, batch, loss_fn, hp, task, key):
        return change(state) and (change(state), {"loss": jnp.float32(0)})

    with pytest.raises(SubmissionError, match=message):
        make_program(toys.plain_sgd(update=update))


def test_wrong_evaluation_parameters_are_refused(make_program):
    broken = toys.plain_sgd(eval_params=lambda state, hp, task: state.params)
    with pytest.raises(SubmissionError, match="eval_params must return"):
        make_program(broken)


def test_weak_types_in_the_state_do_not_recompile_or_fail(make_program):
    def weak(hp, task):
        init = lambda params: {"scale": jnp.asarray(1.0)}  # noqa: E731

        def step(updates, state, params=None):  # fmt: skip
            scaled = jax.tree.map(lambda u: -0.1 * state["scale"] * u, updates)
            return scaled, {"scale": state["scale"] * 0.99}

        return optax.GradientTransformation(init, step)  # fmt: skip

    train(make_program(OptaxSubmission(weak, default={"learning_rate": 0.1})), 20)


def test_static_hyperparameters_arrive_as_python_values(make_program):
    def optimizer(hp, task):
        assert hp["kind"] == "sgd"
        assert hp["depth"] == 2
        return optax.sgd(hp["learning_rate"])

    submission = OptaxSubmission(
        optimizer, default={"learning_rate": 0.1, "kind": "sgd", "depth": 2}, static=("depth",)
    )
    train(make_program(submission), 10)


def test_flops_are_counted(make_program):
    # forward 2*B*(4*8 + 8*2) and about twice that backward
    flops = make_program(toys.sgd).flops_per_step
    assert 2 * 20 * 48 < flops < 10 * 20 * 48
