"""Loss and metrics leave padding out; decoding follows its step; BLEU is sacrebleu's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sacrebleu

from workloads import losses, translation

EOS = 2
TARGETS = np.array([[5, 3, 4, EOS, 0], [7, EOS, 0, 0, 0]], np.uint16)
LOGITS = np.random.default_rng(0).normal(size=(2, 5, 9)).astype(np.float32)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_loss_is_that_of_the_sentences_alone(smoothing):
    sums, counts = translation.token_cross_entropy({"logits": LOGITS}, TARGETS, smoothing)
    assert counts.tolist() == [4, 2]
    for row, length in enumerate((4, 2)):
        alone, _ = losses.softmax_cross_entropy(
            LOGITS[row : row + 1, :length], TARGETS[row : row + 1, :length], smoothing
        )
        assert float(sums[row]) == pytest.approx(float(alone[0]), rel=1e-5)


def test_padding_has_no_gradient():
    def loss(logits):
        return translation.token_cross_entropy({"logits": logits}, TARGETS, 0.1)[0].sum()

    grad = jax.grad(loss)(jnp.asarray(LOGITS))
    np.testing.assert_array_equal(np.any(grad, axis=-1), TARGETS != 0)


def test_accuracies_count_tokens_that_are_not_padding():
    tokens = np.array([[5, 9, 4, EOS, 0], [7, 3, 0, 0, 0]])
    for metric, outputs in (
        (translation.token_accuracy, {"logits": jax.nn.one_hot(tokens, 10)}),
        (translation.exact_accuracy, {"decoded": tokens.astype(np.float32)}),
    ):
        hits, counts = metric(outputs, TARGETS)
        assert hits.tolist() == [3, 1]
        assert counts.tolist() == [4, 2]


def test_greedy_follows_the_likeliest_token_and_pads_after_the_end():
    table = np.random.default_rng(1).normal(size=(6, 9, 9)).astype(np.float32)

    def step(cache, token, position):
        return cache + 1, jnp.asarray(table)[cache, token] + 0 * position

    decoded = jax.jit(lambda first: translation.greedy(step, 0, first, 6, EOS))(jnp.arange(9))
    for first in range(9):
        token, expected = first, []
        for position in range(6):
            ended = EOS in expected
            token = 0 if ended else int(table[position, token].argmax())
            expected.append(token)
        assert decoded[first].tolist() == expected


def test_bleu_is_that_of_the_sentences_up_to_their_ends():
    metric = translation.bleu(EOS)
    references = np.array([[5, 3, 4, 6, 8, EOS, 0], [7, 8, 9, 3, EOS, 0, 0]])
    decoded = np.array([[5, 3, 4, 6, 9, EOS, 0], [7, 8, 9, 3, EOS, 5, 5]])
    score = metric.finish(metric.parts({"decoded": decoded.astype(np.float32)}, references))
    expected = sacrebleu.corpus_bleu(
        ["5 3 4 6 9", "7 8 9 3"], [["5 3 4 6 8", "7 8 9 3"]], tokenize="none", force=True
    )
    assert isinstance(score, float)
    assert score == pytest.approx(expected.score)
    assert 0 < score < 100


def test_bleu_of_the_references_is_100_and_of_others_near_0():
    metric = translation.bleu(EOS)
    rows = np.tile(np.array([3, 4, 5, 6, 7, EOS]), (3, 1))
    assert metric.finish((rows, rows)) == pytest.approx(100)
    assert metric.finish((rows + 10, rows)) < 1
    assert metric.finish((np.full_like(rows, EOS), rows)) == 0
