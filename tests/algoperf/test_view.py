"""A workload as AlgoPerf's submissions see it: the same model and loss, and nothing else."""

import gc
import math
from dataclasses import replace
from functools import partial
from types import FunctionType, ModuleType

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from algoperf_lite.algoperf.stand_in import spec, standing_in
from algoperf_lite.algoperf.view import UNLIMITED_SECONDS, WorkloadView
from algoperf_lite.device_data import DeviceData
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.workload import Dataset, Target, Workload
from workloads.ctc import ctc_loss

TRAIN, EVAL = spec.ForwardPassMode.TRAIN, spec.ForwardPassMode.EVAL
RICH = replace(tiny.workload, model=tiny.Net(batch_norm=True, dropout=0.5))


class SetUp(nn.Module):
    """Batch norm from `setup`, with a mask, told what to do when called."""

    def setup(self):
        self.norm = nn.BatchNorm(momentum=0.9)
        self.dense = nn.Dense(2)

    def __call__(self, inputs, train=False, dropout_rate=None):
        x = self.dense(inputs.astype(jnp.float32))
        return self.norm(x, not train, mask=jnp.ones(x.shape, bool))


@pytest.fixture(scope="module")
def load(tiny_splits):
    def load(workload=RICH, devices=1):
        return LoadedWorkload(workload, tiny_splits, jax.devices()[:devices])

    return load


@pytest.fixture(scope="module")
def rich(load):
    """``(loaded, view, params, model_state, batch)`` of a workload with all that a model can do."""
    loaded = load()
    view = WorkloadView.of(loaded, loaded.task(budget_seconds=20.0))
    with standing_in(jax.devices()[:1]):
        params, state = view.init_model_fn(jax.random.key(0))
    return loaded, view, params, moved(state), make_batch()


def moved(model_state):
    return jax.tree.map(lambda a: a + 0.5, model_state)


def make_batch(rows=8):
    inputs = np.arange(rows * 4, dtype=np.int8).reshape(rows, 4)
    return {"inputs": jnp.asarray(inputs), "targets": jnp.asarray(np.arange(rows) % 2)}


def same(found, expected):
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def mean_loss(view, params, state, batch, key, rate=None, smoothing=0.0):
    outputs, state = view.model_fn(params, batch, state, TRAIN, key, True, dropout_rate=rate)
    loss = view.loss_fn(batch["targets"], outputs, None, smoothing)
    return loss["summed"] / loss["n_valid_examples"], state


@pytest.mark.parametrize(("rate", "smoothing"), [(None, 0.0), (0.0, 0.0), (0.25, 0.1)])
def test_training_is_what_our_own_submissions_get(rich, rate, smoothing):
    loaded, view, *args = rich
    key = jax.random.key(3)
    expected = loaded.loss(*args, key, rate, smoothing)
    same(mean_loss(view, *args, key, rate, smoothing), expected)
    old_style = jax.random.key_data(key)
    same(mean_loss(view, *args, old_style, rate, smoothing), expected)


def test_rate_and_smoothing_may_be_traced_and_the_view_static(rich):
    _, view, *args = rich
    key = jax.random.key(3)
    step = jax.jit(mean_loss, static_argnums=0)
    found = step(view, *args, key, jnp.float32(0.25), jnp.float32(0.1))
    expected = mean_loss(view, *args, key, 0.25, 0.1)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-5), found, expected)
    assert float(found[0]) != float(mean_loss(view, *args, key, 0.5, 0.1)[0])


def test_two_views_are_two_static_arguments(rich, load):
    loaded, view = rich[:2]
    other = WorkloadView.of(loaded, view._task)
    assert view != other
    assert len({view, other, view}) == 2


def test_evaluation_is_that_of_a_trial(rich, tiny_splits):
    loaded, view, params, state, _ = rich
    batch = jax.tree.map(jnp.asarray, tiny_splits["validation"])
    outputs, after = view.model_fn(params, batch, state, EVAL, None, False)
    assert after is state
    loss = view.loss_fn(batch["targets"], outputs)
    expected = loaded.evaluator.evaluate(params, state, "validation")["loss"]
    np.testing.assert_allclose(loss["summed"] / loss["n_valid_examples"], expected, rtol=1e-6)


@pytest.mark.parametrize("mode", [TRAIN, EVAL])
def test_the_state_changes_only_if_asked(rich, mode):
    _, view, params, state, batch = rich
    outputs, kept = view.model_fn(params, batch, state, mode, jax.random.key(0), False)
    assert kept is state
    again, changed = view.model_fn(params, batch, state, mode, jax.random.key(0), True)
    before, after = jax.tree.leaves(state), jax.tree.leaves(changed)
    assert not any(np.array_equal(*pair) for pair in zip(before, after, strict=True))
    assert not np.array_equal(outputs, again)  # by running statistics, then by the batch


@pytest.mark.parametrize("model", [RICH.model, SetUp()])
def test_batch_norm_may_be_told_what_to_normalise_by(rich, model):
    _, view, _, _, batch = rich
    key, variables = jax.random.key(0), model.init(jax.random.key(1), batch["inputs"])
    params, state = variables["params"], moved({"batch_stats": variables["batch_stats"]})
    view = WorkloadView(replace(RICH, model=model), view._task, None, state, {})

    def outputs(mode, running, update=False):
        return view.model_fn(params, batch, state, mode, key, update, 0.0, running)[0]

    by_batch, by_running = outputs(TRAIN, None, update=True), outputs(EVAL, None)
    assert not np.allclose(by_batch, by_running)
    same(outputs(TRAIN, False), by_batch)
    same(outputs(EVAL, True), by_running)
    same(outputs(TRAIN, True), by_running)
    same(outputs(EVAL, False), by_batch)
    same(outputs(EVAL, None, update=True), by_batch)
    same(outputs(TRAIN, True, update=True), by_running)
    same(outputs(TRAIN, None), by_running)  # nothing of it lasts


def test_dropout_stays_on_where_batch_norm_uses_running_statistics(rich):
    _, view, params, state, batch = rich
    outputs = [
        view.model_fn(params, batch, state, TRAIN, jax.random.key(i), True, None, True)[0]
        for i in range(2)
    ]
    assert not np.array_equal(*outputs)


@pytest.mark.parametrize("state", [{}, None])
def test_a_model_without_state_returns_what_it_was_given(load, state):
    loaded = load(tiny.workload)
    view = WorkloadView.of(loaded, loaded.task())
    params, fresh = view.init_model_fn(jax.random.key(0))
    assert fresh == {}
    key, batch = jax.random.key(0), make_batch()
    for mode in (TRAIN, EVAL):
        outputs, after = view.model_fn(params, batch, state, mode, key, update_batch_norm=True)
        assert after is state or after == state == {}
        same(outputs, loaded.workload.model.apply({"params": params}, batch["inputs"]))


def test_parameters_start_as_in_a_trial_on_every_device(load):
    loaded = load(devices=2)
    view = WorkloadView.of(loaded, loaded.task())
    with standing_in(jax.devices()[:2]):
        found = view.init_model_fn(jax.random.key(7))
    same(found, jax.jit(loaded.init_model)(jax.random.key(7)))
    assert {leaf.sharding for leaf in jax.tree.leaves(found)} == {loaded.data.replicated}


def test_shapes_and_types_are_those_of_the_parameters(rich):
    _, view, params, *_ = rich
    shapes = jax.tree.map(lambda a: spec.ShapeTuple(a.shape), params)
    assert view.param_shapes == shapes
    assert jax.tree.structure(view.model_params_types) == jax.tree.structure(params)
    assert view.model_params_types["BatchNorm_0"]["scale"].name == "BATCH_NORM_SCALE"
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape_tuple), view.param_shapes)
    assert jax.tree.structure(zeros) == jax.tree.structure(params)


def test_a_batch_norm_of_any_name_is_known_by_its_statistics(rich):
    _, view, *_ = rich
    task = replace(view._task, param_shapes={"norm": {"scale": np.zeros(2), "bias": np.zeros(2)}})
    stats = {"batch_stats": {"norm": {"mean": np.zeros(2), "var": np.ones(2)}}}
    types = {
        name: WorkloadView(RICH, task, None, state, {}).model_params_types["norm"]["bias"].name
        for name, state in (("without", {}), ("with", stats))
    }
    assert types == {"without": "LAYER_NORM_BIAS", "with": "BATCH_NORM_BIAS"}


def test_a_mask_weighs_examples(rich):
    _, view, *_ = rich
    outputs, targets = jnp.arange(8.0).reshape(4, 2), jnp.array([0, 1, 1, 0])
    every = np.asarray(view.loss_fn(targets, outputs)["per_example"])
    assert every.shape == (4,)
    weights = np.array([1, 0, 2, 1], np.float32)
    for mask in (weights, weights[:, None]):
        loss = view.loss_fn(targets, outputs, mask)
        same(loss["per_example"], every * weights)
        np.testing.assert_allclose(loss["summed"], (every * weights).sum(), rtol=1e-6)
        assert float(loss["n_valid_examples"]) == 4
    by_name = view.loss_fn(label_batch=targets, logits_batch=outputs, mask_batch=weights > 0)
    np.testing.assert_allclose(by_name["summed"], every[weights > 0].sum(), rtol=1e-6)
    assert float(by_name["n_valid_examples"]) == 3


@pytest.mark.parametrize("shape", [(4, 3), (3,), (1, 4), ()])
def test_a_mask_of_another_shape_is_refused(rich, shape):
    outputs, targets = jnp.zeros((4, 2)), jnp.zeros(4, int)
    with pytest.raises(ValueError, match="a weight for each of 4 examples"):
        rich[1].loss_fn(targets, outputs, jnp.ones(shape))


def test_terms_are_counted_where_examples_have_many(rich):
    view = WorkloadView(replace(RICH, loss=ctc_loss), rich[1]._task, None, {}, {})
    outputs = {"logits": jnp.zeros((2, 4, 3)), "padding": jnp.zeros((2, 4))}
    targets = {"tokens": jnp.array([[1, 2], [1, 0]]), "padding": jnp.array([[0.0, 0], [0, 1]])}
    loss_fn = jax.jit(view.loss_fn)  # op by op, compiling takes seconds
    loss = loss_fn(targets, outputs, jnp.ones(2))
    assert float(loss["n_valid_examples"]) == 3
    np.testing.assert_allclose(loss["per_example"].sum(), loss["summed"], rtol=1e-6)
    assert float(loss_fn(targets, outputs, jnp.array([0.0, 1.0]))["n_valid_examples"]) == 1


def test_what_it_tells_is_in_the_task(rich):
    loaded, view, *_ = rich
    task = loaded.task(20.0)
    assert view.step_hint == task.step_hint == 100
    assert (view.max_allowed_runtime_sec, view.eval_period_time_sec) == (20.0, 2.0)
    assert (view.target_metric_name, view.validation_target_value) == ("loss", 0.2)
    assert view.test_target_value == 0.2
    counts = (view.num_train_examples, view.num_eval_train_examples)
    assert counts == (200, 50)
    assert (view.num_validation_examples, view.num_test_examples) == (50, 30)
    assert view.eval_batch_size == 20
    assert view.metrics_logger is None
    unlimited = WorkloadView.of(loaded, loaded.task())
    assert int(unlimited.max_allowed_runtime_sec) == UNLIMITED_SECONDS
    assert int(unlimited.eval_period_time_sec) > 10**7


@pytest.mark.parametrize(("direction", "reached"), [("minimize", 0.1), ("maximize", 0.3)])
def test_targets_are_met_from_their_side(rich, direction, reached):
    view = WorkloadView(RICH, replace(rich[1]._task, direction=direction), None, {}, {})
    for value in (0.1, 0.3, math.nan):
        assert view.has_reached_validation_target({"validation/loss": value}) == (value == reached)
        assert view.has_reached_test_target({"test/loss": value}) == (value == reached)


def of_kind(rich, kind):
    return WorkloadView(RICH, replace(rich[1]._task, loss_kind=kind), None, {}, {})


LOSSES = {
    "softmax_cross_entropy": ("SOFTMAX_CROSS_ENTROPY", jax.nn.softmax),
    "sigmoid_cross_entropy": ("SIGMOID_CROSS_ENTROPY", jax.nn.sigmoid),
    "l1": ("MEAN_ABSOLUTE_ERROR", lambda x: x),
    "mean_squared_error": ("MEAN_SQUARED_ERROR", lambda x: x),
    "ctc": ("CTC_LOSS", jax.nn.softmax),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_losses_have_algoperfs_names(rich, kind):
    name, activation = LOSSES[kind]
    view = of_kind(rich, kind)
    assert view.loss_type is spec.LossType[name]
    logits = jnp.arange(3.0)
    same(view.output_activation_fn(logits, "jax"), activation(logits))
    found = view.output_activation_fn({"logits": logits, "padding": logits}, "jax")
    same(found, {"logits": activation(logits), "padding": logits})
    with pytest.raises(ValueError, match="only JAX"):
        view.output_activation_fn(logits, "pytorch")


def test_a_loss_that_algoperf_has_not_is_an_error_when_asked_for(rich):
    view = of_kind(rich, "hinge")
    with pytest.raises(AttributeError, match="no LossType for a workload's loss_kind 'hinge'"):
        _ = view.loss_type
    assert getattr(view, "loss_type", None) is None


def test_every_loss_of_the_tree_has_a_name():
    from algoperf_lite.algoperf.view import LOSS_TYPES
    from algoperf_lite.registry import all_workloads

    assert {w.loss_kind for w in all_workloads()} <= set(LOSS_TYPES)


def test_what_cannot_be_known_says_so(rich):
    view = rich[1]
    for name in ("train_mean", "train_stddev"):
        with pytest.raises(NotImplementedError, match=name):
            getattr(view, name)
    with pytest.raises(NotImplementedError, match="is_output_params is not known"):
        view.is_output_params("Dense_1")


def reachable(root):
    """All that hangs on an object, but for code."""
    seen, todo = {}, [root]
    while todo:
        item = todo.pop()
        if id(item) in seen or isinstance(item, FunctionType | ModuleType | type):
            continue
        seen[id(item)] = item
        todo += gc.get_referents(item)
    return list(seen.values())


def test_neither_data_nor_a_name_hangs_on_it(rich):
    view = rich[1]
    data = (np.ndarray, jax.Array, Dataset, DeviceData, LoadedWorkload, Workload, Target)
    found = reachable(view)
    assert [item for item in found if isinstance(item, data)] == []
    assert "tiny" not in [item for item in found if isinstance(item, str)]
    assert any(item is view._task for item in found)
    assert "tiny" not in repr(view) and "Net" not in repr(view)
