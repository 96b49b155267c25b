"""Every submission of the tree on the tiny workload, and the numbers of each."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax import contrib

from algoperf_lite import registry
from algoperf_lite.batches import BatchOrder
from algoperf_lite.compiles import CompileCounter
from algoperf_lite.submission import Task
from algoperf_lite.tuning import check_space, draw_points

NAMES = registry.known_names("submission")
TASK = Task(50, None, 8, 100, "l2", "loss", "minimize", 0.0, None, None)


def run(program, hp, steps, seed=0):
    traced = program.hyperparameters(program.submission.split_hyperparameters(hp)[1])
    carry = program.init(seed, traced)
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, seed)
    losses = []
    for start in range(0, steps, 10):
        carry = program.advance(carry, program.place(order.window(start, 10)), 10, traced)
        losses.append(float(carry.sums["loss"]) / 10)
    return carry, traced, losses


@pytest.fixture(scope="module", params=NAMES)
def submission(request):
    return registry.find_submission(request.param)[1]


def test_conforms(submission, make_program):
    """Loss goes down; no recompile over points and seeds; finite; evaluation parameters differ
    from nothing in structure; deterministic."""
    program = make_program(submission)
    carry, hp, losses = run(program, submission.default, 60)
    assert losses[-1] < losses[0]
    with CompileCounter() as seen:
        other = {**submission.default, "learning_rate": submission.default["learning_rate"] / 2}
        again = run(program, submission.default, 60)[2]
        halved = run(program, other, 60)[2]
    assert seen.count == 0
    assert again == losses != halved
    params, _ = program.eval_params(carry, hp)
    assert all(bool(jnp.isfinite(p).all()) for p in jax.tree.leaves(params))


def test_the_search_space_is_valid_and_holds_the_default(submission):
    space, default = submission.search_space, submission.default
    check_space(space, default, "it")
    for name, entry in space.items():
        if "min" in entry:
            assert entry["min"] <= default[name] <= entry["max"], name
        else:
            assert default[name] in entry["feasible_points"], name
    assert draw_points(space, default, 5, "it/0")


def quadratic(optimizer, steps=50):
    """The path of an optimizer on an ill-conditioned quadratic with a rotating gradient noise."""
    scale = jnp.array([1.0, 10.0, 0.1])
    params = {"w": jnp.array([1.0, -2.0, 3.0])}
    state = optimizer.init(params)
    path = []
    for step in range(steps):
        grads = {"w": scale * params["w"] + 0.1 * jnp.sin(step + jnp.arange(3.0))}
        updates, state = optimizer.update(grads, state, params)
        params = optax.apply_updates(params, updates)
        path.append(params["w"])
    return np.stack(path), state, params


def point(name, **changes):
    submission = registry.find_submission(name)[1]
    hp = {**submission.default, **changes}
    return submission, submission.optimizer({k: jnp.float32(v) for k, v in hp.items()}, TASK)


def test_nadamw_is_optaxs_under_its_cosine():
    _, ours = point("nadamw", learning_rate=0.1, weight_decay=0.01, warmup_fraction=0.1)
    schedule = optax.warmup_cosine_decay_schedule(0.0, 0.1, 5, 50)
    theirs = optax.nadamw(schedule, b1=0.9, b2=0.99, weight_decay=0.01)
    assert np.allclose(quadratic(ours)[0], quadratic(theirs)[0], atol=1e-6)


def test_nesterov_is_the_textbook_recursion():
    changes = {
        "learning_rate": 0.05,
        "weight_decay": 0.01,
        "warmup_fraction": 0.1,
        "grad_clip": 1.0,
    }
    _, ours = point("nesterov", **changes)
    schedule = optax.warmup_cosine_decay_schedule(0.0, 0.05, 5, 50)
    w, v, scale = np.array([1.0, -2.0, 3.0]), np.zeros(3), np.array([1.0, 10.0, 0.1])
    path = []
    for step in range(50):
        grad = scale * w + 0.1 * np.sin(step + np.arange(3.0))
        grad /= max(1.0, np.linalg.norm(grad))
        v = 0.9 * v + grad
        w = w - float(schedule(step)) * (grad + 0.9 * v + 0.01 * w)
        path.append(w)
    assert np.allclose(quadratic(ours)[0], path, atol=1e-5)


def test_schedule_free_adamw_is_optaxs_and_is_evaluated_at_its_average():
    submission, ours = point("schedule_free_adamw", learning_rate=0.05, warmup_fraction=0.1)
    theirs = contrib.schedule_free_adamw(0.05, warmup_steps=5, b1=0.9, b2=0.99, weight_decay=0.01)
    path, state, params = quadratic(ours)
    assert np.allclose(path, quadratic(theirs)[0], atol=1e-6)
    evaluated = submission.evaluate_with(state, params)["w"]
    assert not np.allclose(evaluated, params["w"])
    assert np.allclose(params["w"], 0.9 * evaluated + 0.1 * state.z["w"], atol=1e-6)
