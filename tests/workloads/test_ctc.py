"""CTC against a sum over all paths, edit distance against the textbook's table."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import ctc


def collapsed(path):
    """The tokens that a path of labels reads as."""
    return [label for label, _ in itertools.groupby(path) if label != ctc.BLANK]


def levenshtein(a, b):
    """Edit distance of two lists, by the usual table."""
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    table[:, 0], table[0] = np.arange(len(a) + 1), np.arange(len(b) + 1)
    for i, j in np.ndindex(len(a), len(b)):
        replaced = table[i, j] + (a[i] != b[j])
        table[i + 1, j + 1] = min(table[i, j + 1] + 1, table[i + 1, j] + 1, replaced)
    return table[-1, -1]


def padding(counts, length):
    return (np.arange(length) >= np.asarray(counts)[:, None]).astype(np.float32)


@pytest.fixture(scope="module")
def case():
    """Random outputs of 40 examples, 12 frames and 4 labels, and targets of up to 5 tokens."""
    rng = np.random.Generator(np.random.PCG64(0))
    frames, counts = rng.integers(0, 13, 40), rng.integers(0, 6, 40)
    tokens = rng.integers(1, 4, (40, 5)) * (np.arange(5) < counts[:, None])
    outputs = {
        "logits": jnp.asarray(rng.normal(size=(40, 12, 4)), jnp.float32),
        "padding": jnp.asarray(padding(frames, 12)),
    }
    return outputs, {"tokens": tokens.astype(np.int32), "padding": padding(counts, 5)}, frames


def test_token_errors_are_levenshtein_of_the_greedy_reading(case):
    outputs, targets, frames = case
    errors, counts = jax.jit(ctc.token_errors)(outputs, targets)
    assert errors.dtype == counts.dtype == jnp.float32
    paths = np.asarray(outputs["logits"].argmax(axis=-1))
    for i, row in enumerate(targets["tokens"]):
        tokens = [t for t in row.tolist() if t]
        assert counts[i] == len(tokens)
        assert errors[i] == levenshtein(collapsed(paths[i, : frames[i]].tolist()), tokens)


def test_what_lies_in_the_padding_changes_nothing(case):
    outputs, targets, _ = case
    logits = jnp.where(outputs["padding"][..., None] > 0, 9.0, outputs["logits"])
    tokens = np.where(targets["padding"] > 0, 2, targets["tokens"])
    changed = ({**outputs, "logits": logits}, {**targets, "tokens": tokens})
    for function in (ctc.token_errors, ctc.ctc_loss):
        for a, b in zip(function(outputs, targets), function(*changed), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4)


def test_loss_is_the_sum_over_all_paths():
    rng = np.random.Generator(np.random.PCG64(1))
    logits = jnp.asarray(rng.normal(size=(2, 5, 3)), jnp.float32)
    tokens, frames = np.array([[1, 1, 2], [2, 1, 0]]), (5, 4)
    outputs = {"logits": logits, "padding": padding(frames, 5)}
    targets = {"tokens": tokens, "padding": padding((3, 2), 3)}
    sums, counts = ctc.ctc_loss(outputs, targets)
    chances = np.asarray(jax.nn.softmax(logits), np.float64)
    for i in range(2):
        said = [t for t in tokens[i].tolist() if t]
        likelihood = sum(
            np.prod(chances[i, np.arange(frames[i]), path])
            for path in itertools.product(range(3), repeat=frames[i])
            if collapsed(path) == said
        )
        assert sums[i] == pytest.approx(-np.log(likelihood), rel=1e-4)
    assert counts.tolist() == [3.0, 2.0]


def test_label_smoothing_is_ignored(case):
    outputs, targets, _ = case
    plain, smoothed = (ctc.ctc_loss(outputs, targets, s)[0] for s in (0.0, 0.3))
    np.testing.assert_array_equal(plain, smoothed)
