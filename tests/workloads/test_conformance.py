"""What `algoperf_lite.workload` asks of every workload, held against all that are in the tree."""

import math
import re
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np
import pytest


@pytest.fixture
def workload(found):
    return found.workload


@pytest.fixture
def sample(found, make_sample):
    if found.workload.tier != "lite":
        pytest.skip("its data is not made here")
    return make_sample(found.workload)


def rows(tree):
    return {leaf.shape[0] for leaf in jax.tree.leaves(tree)}


def assert_finite(tree):
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        assert np.isfinite(leaf).all(), jax.tree_util.keystr(path)


def test_names_are_unique_and_variants_name_their_base(found, request):
    siblings = (found.module.workload, *found.module.variants)
    assert found.module.workload.base is None
    if found.workload.base is not None:
        assert found.workload.base == found.module.workload.name
        assert found.workload.name.startswith(found.workload.base + "_")
    assert Counter(w.name for w in siblings)[found.workload.name] == 1
    assert found.module.__name__ == f"workloads.{found.module.workload.name}"


def test_target_and_sizes_make_sense(workload):
    assert math.isfinite(workload.target.value)
    assert workload.target.direction in ("minimize", "maximize")
    assert workload.step_hint % workload.eval_every == 0
    assert 12 <= workload.step_hint // workload.eval_every <= 30


def test_docstring_names_parameters_source_and_command(found):
    text = " ".join(found.module.__doc__.split())
    assert re.search(r"\d[\d,.]*\d?M? parameters", text)
    assert re.search(r"\bsource\b", text, re.IGNORECASE)
    assert f"algoperf-lite run -w {found.module.workload.name} -s " in text


def test_fingerprint_is_a_digest_of_its_own(found):
    siblings = (found.module.workload, *found.module.variants)
    digests = [w.fingerprint for w in siblings]
    assert re.fullmatch("[0-9a-f]{64}", found.workload.fingerprint)
    assert digests.count(found.workload.fingerprint) == 1


def test_splits_are_inputs_and_targets_with_one_row_each(workload, sample, load_splits):
    splits = load_splits(workload)  # which compares the fingerprint with the stated one
    assert set(splits) == {"train", "validation", "test"}
    for split in splits.values():
        assert set(split) == {"inputs", "targets"}
        assert len(rows(split)) == 1
        assert_finite(split)
    assert rows(splits["train"]).pop() >= workload.batch_size
    shapes = [jax.tree.map(lambda a: (a.shape[1:], a.dtype.str), s) for s in splits.values()]
    assert shapes[0] == shapes[1] == shapes[2]


def test_parameters_and_state_are_float32(sample):
    leaves = jax.tree.leaves((sample.params, sample.model_state))
    assert {leaf.dtype for leaf in leaves} == {np.dtype(np.float32)}


@pytest.mark.parametrize("dropout_rate", [None, 0.0, 0.5])
def test_model_trains_at_any_dropout_rate(sample, dropout_rate):
    variables = {"params": sample.params, **sample.model_state}
    outputs, state = jax.jit(sample.train, static_argnames="dropout_rate")(
        variables, sample.batch["inputs"], dropout_rate=dropout_rate
    )
    assert_finite(outputs)
    assert jax.tree.map(jnp.shape, dict(state)) == jax.tree.map(jnp.shape, sample.model_state)


def test_outputs_are_float32_and_finite(sample):
    outputs = sample.evaluate(sample.batch["inputs"])
    assert {leaf.dtype for leaf in jax.tree.leaves(outputs)} == {np.dtype(np.float32)}
    assert rows(outputs) == rows(sample.batch)
    assert_finite(outputs)


def test_loss_is_sums_and_counts_per_example(sample):
    outputs = sample.evaluate(sample.batch["inputs"])
    loss = jax.jit(sample.workload.loss)
    sums, counts = loss(outputs, sample.batch["targets"])
    assert {sums.shape, counts.shape} == {(rows(sample.batch).pop(),)}
    assert {sums.dtype, counts.dtype} == {np.dtype(np.float32)}
    assert_finite(sums)
    assert (counts >= 0).all() and counts.sum() > 0
    unsmoothed, _ = loss(outputs, sample.batch["targets"], label_smoothing=0.0)
    np.testing.assert_allclose(unsmoothed, sums, rtol=1e-5, atol=1e-6)
    smoothed, same_counts = loss(outputs, sample.batch["targets"], label_smoothing=0.1)
    assert_finite(smoothed)
    np.testing.assert_array_equal(same_counts, counts)


def test_every_parameter_has_a_gradient_at_initialisation(sample):
    loss, grads = jax.jit(jax.value_and_grad(sample.loss))(sample.params)
    assert math.isfinite(loss)
    assert_finite(grads)
    zero = [
        jax.tree_util.keystr(path)
        for path, grad in jax.tree_util.tree_leaves_with_path(grads)
        if not np.any(grad)
    ]
    assert not zero


def test_evaluation_of_an_example_ignores_the_rest_of_the_batch(sample, load_splits):
    half = rows(sample.batch).pop() // 2
    others = load_splits(sample.workload)["validation"]["inputs"]
    mixed = jax.tree.map(
        lambda a, b: np.concatenate([a[:half], b[:half]]), sample.batch["inputs"], others
    )
    alone, among_others = sample.evaluate(sample.batch["inputs"]), sample.evaluate(mixed)
    for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(among_others), strict=True):
        np.testing.assert_allclose(a[:half], b[:half], rtol=1e-4, atol=1e-5)


def test_metrics_count_examples_and_finish_as_floats(sample):
    outputs = sample.evaluate(sample.batch["inputs"])
    for metric in sample.workload.metrics:
        parts = jax.device_get(jax.jit(metric.parts)(outputs, sample.batch["targets"]))
        assert rows(parts) == rows(sample.batch), metric.name
        if metric.reduce == "sum":
            parts = jax.tree.map(lambda a: a.sum(axis=0), parts)
        assert isinstance(metric.finish(parts), float), metric.name


def test_augmentation_is_a_function_of_the_key_and_keeps_the_form(sample):
    if sample.workload.augment is None:
        pytest.skip("it has none")
    batch = jax.tree.map(jnp.asarray, sample.batch)
    augment = jax.jit(sample.workload.augment)
    first, again, other = (augment(jax.random.key(k), batch) for k in (0, 0, 1))
    form = [jax.tree.map(lambda a: (a.shape, a.dtype), tree) for tree in (first, batch)]
    assert form[0] == form[1]
    assert_finite(first)
    same = [jax.tree.map(np.array_equal, first, tree) for tree in (again, other)]
    assert all(jax.tree.leaves(same[0]))
    assert not all(jax.tree.leaves(same[1]))
