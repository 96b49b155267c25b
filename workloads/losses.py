"""The cross-entropies that several workloads share, in the form that the contract asks for.

Each is ``loss(outputs, targets, label_smoothing=0.0) -> (sums_B, counts_B)``: per example a sum of
terms in nats and how many there are. Natural logarithms throughout.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax


def _per_example(terms: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Sums terms of shape (B, ...) over all axes but the first, and counts them."""
    terms_BxK = terms.reshape(terms.shape[0], -1)
    sums_B = terms_BxK.sum(axis=1)
    return sums_B, jnp.full_like(sums_B, terms_BxK.shape[1])


def _is_zero(label_smoothing: Any) -> bool:
    """Whether smoothing is off in a way that is known before tracing, so its cost can be saved."""
    return isinstance(label_smoothing, int | float) and label_smoothing == 0


def softmax_cross_entropy(
    outputs: jax.Array, targets: jax.Array, label_smoothing: Any = 0.0
) -> tuple[jax.Array, jax.Array]:
    """Cross-entropy of one class among C, for one label or one per position.

    With smoothing s the target distribution is ``(1 - s) onehot + s / C``
    (Szegedy et al. 2016, https://arxiv.org/abs/1512.00567).

    Args:
        outputs: logits, shape (B, C) or (B, L, C).
        targets: integer classes, shape (B,) or (B, L).
        label_smoothing: s in [0, 1]; may be traced.

    Returns:
        Sums in nats and counts (1 or L), each of shape (B,).

    Example:
        >>> sums, counts = softmax_cross_entropy(jnp.zeros((1, 4)), jnp.array([2]))
        >>> round(float(sums[0]), 4), float(counts[0])
        (1.3863, 1.0)
    """
    terms = optax.softmax_cross_entropy_with_integer_labels(outputs, targets)
    if not _is_zero(label_smoothing):
        uniform = jax.nn.logsumexp(outputs, axis=-1) - outputs.mean(axis=-1)
        terms = (1 - label_smoothing) * terms + label_smoothing * uniform
    return _per_example(terms)


def sigmoid_cross_entropy(
    outputs: jax.Array, targets: jax.Array, label_smoothing: Any = 0.0
) -> tuple[jax.Array, jax.Array]:
    """Cross-entropy of independent yes-or-no labels.

    With smoothing s a label y becomes ``(1 - s) y + s / 2``.

    Args:
        outputs: logits, shape (B,) or (B, K).
        targets: 0 or 1 of any dtype, same shape.
        label_smoothing: s in [0, 1]; may be traced.

    Returns:
        Sums in nats and counts (1 or K), each of shape (B,).

    Example:
        >>> sums, counts = sigmoid_cross_entropy(jnp.zeros((1, 3)), jnp.array([[0, 1, 1]]))
        >>> round(float(sums[0]), 4), float(counts[0])
        (2.0794, 3.0)
    """
    labels = targets.astype(outputs.dtype)
    if not _is_zero(label_smoothing):
        labels = (1 - label_smoothing) * labels + label_smoothing / 2
    return _per_example(optax.sigmoid_binary_cross_entropy(outputs, labels))


def top1(outputs: jax.Array, targets: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`algoperf_lite.workload.Metric` parts of accuracy: hits and labels of each example.

    Args:
        outputs: logits, shape (B, C) or (B, L, C).
        targets: integer classes, shape (B,) or (B, L).

    Returns:
        Hits and counts, each of shape (B,).

    Example:
        >>> hits, counts = top1(jnp.array([[0.0, 2.0], [3.0, 1.0]]), jnp.array([1, 1]))
        >>> hits.tolist(), counts.tolist()
        ([1.0, 0.0], [1.0, 1.0])
    """
    return _per_example((outputs.argmax(axis=-1) == targets).astype(jnp.float32))
