"""Losses against sums written out in NumPy, with and without smoothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import losses

RNG = np.random.default_rng(0)


def smoothed_cross_entropy(logits, onehot, smoothing):
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    soft = (1 - smoothing) * onehot + smoothing / logits.shape[-1]
    return -(soft * log_p).sum(-1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("shape", [(3,), (3, 5)])
def test_softmax_matches_its_definition(shape, smoothing):
    logits = RNG.normal(size=(*shape, 7)).astype(np.float32)
    labels = RNG.integers(0, 7, shape)
    sums, counts = losses.softmax_cross_entropy(logits, jnp.asarray(labels), smoothing)
    expected = smoothed_cross_entropy(logits, np.eye(7)[labels], smoothing)
    np.testing.assert_allclose(sums, expected.reshape(3, -1).sum(1), rtol=1e-5)
    np.testing.assert_array_equal(counts, np.full(3, np.prod(shape[1:])))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("shape", [(4,), (4, 3)])
def test_sigmoid_matches_its_definition(shape, smoothing):
    logits = RNG.normal(size=shape).astype(np.float32)
    labels = RNG.integers(0, 2, shape)
    sums, counts = losses.sigmoid_cross_entropy(logits, jnp.asarray(labels, np.uint8), smoothing)
    soft = (1 - smoothing) * labels + smoothing / 2
    p = 1 / (1 + np.exp(-logits))
    expected = -(soft * np.log(p) + (1 - soft) * np.log(1 - p))
    np.testing.assert_allclose(sums, expected.reshape(4, -1).sum(1), rtol=1e-5)
    np.testing.assert_array_equal(counts, np.full(4, np.prod(shape[1:])))


def test_losses_stay_finite_at_large_logits():
    sums, _ = losses.softmax_cross_entropy(jnp.array([[1e4, -1e4]]), jnp.array([1]))
    assert sums[0] == 2e4
    sums, _ = losses.sigmoid_cross_entropy(jnp.array([1e4]), jnp.array([0]))
    assert sums[0] == 1e4


@pytest.mark.parametrize("loss", [losses.softmax_cross_entropy, losses.sigmoid_cross_entropy])
def test_smoothing_may_be_traced(loss):
    outputs = jnp.asarray(RNG.normal(size=(2, 3)), jnp.float32)
    softmax = loss is losses.softmax_cross_entropy
    targets = jnp.array([0, 2]) if softmax else jnp.array([[0, 1, 1]] * 2)
    traced, _ = jax.jit(loss)(outputs, targets, 0.1)
    plain, _ = loss(outputs, targets, 0.1)
    np.testing.assert_allclose(traced, plain, rtol=1e-6)


def test_top1_counts_hits_per_example():
    outputs = jnp.eye(3)[jnp.array([[0, 1], [2, 2]])]
    hits, counts = losses.top1(outputs, jnp.array([[0, 2], [2, 2]]))
    assert hits.tolist() == [1.0, 2.0]
    assert counts.tolist() == [2.0, 2.0]
