"""What translation workloads share: a loss over padded tokens, greedy decoding, BLEU, accuracies.

Outputs are those of a model that returns ``logits`` (B, T, V), teacher-forced, and in evaluation
also ``decoded`` (B, T), its own greedy translation as float32 tokens. Targets are tokens (B, T)
that end with an end token, then padding 0, which nothing here counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sacrebleu.metrics import BLEU

from algoperf_lite.workload import Metric
from workloads import losses

PAD = 0


def token_cross_entropy(
    outputs: dict[str, jax.Array], targets: jax.Array, label_smoothing: Any = 0.0
) -> tuple[jax.Array, jax.Array]:
    """Cross-entropy of each token that is not padding; see `losses.softmax_cross_entropy`.

    Args:
        outputs: ``logits`` of shape (B, T, V).
        targets: integer tokens of shape (B, T).
        label_smoothing: in [0, 1], over all V tokens; may be traced.

    Returns:
        Sums in nats and numbers of tokens, each of shape (B,).

    Example:
        >>> outputs = {"logits": jnp.zeros((1, 3, 4))}
        >>> sums, counts = token_cross_entropy(outputs, jnp.array([[2, 1, 0]]))
        >>> round(float(sums[0]), 4), float(counts[0])
        (2.7726, 2.0)
    """
    logits_BTxV = outputs["logits"].reshape(-1, outputs["logits"].shape[-1])
    terms, _ = losses.softmax_cross_entropy(logits_BTxV, targets.reshape(-1), label_smoothing)
    real = targets != PAD
    terms = jnp.where(real, terms.reshape(targets.shape), 0)
    return terms.sum(axis=1), real.sum(axis=1, dtype=jnp.float32)


def token_accuracy(
    outputs: dict[str, jax.Array], targets: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """`Metric` parts: teacher-forced tokens that are right, and tokens, each of shape (B,)."""
    return _hits(outputs["logits"].argmax(axis=-1), targets)


def exact_accuracy(
    outputs: dict[str, jax.Array], targets: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """`Metric` parts: tokens right at their place in the greedy translation, and tokens, (B,)."""
    return _hits(outputs["decoded"], targets)


def _hits(tokens: jax.Array, targets: jax.Array) -> tuple[jax.Array, jax.Array]:
    real = targets != PAD
    return tuple(x.sum(axis=1, dtype=jnp.float32) for x in (real & (tokens == targets), real))


def greedy(
    step: Callable[[Any, jax.Array, jax.Array], tuple[Any, jax.Array]],
    cache: Any,
    first: jax.Array,
    length: int,
    eos: int,
) -> jax.Array:
    """Greedy decoding as one scan: each token is the likeliest one after those before it.

    Args:
        step: ``step(cache, token_B, position) -> (cache, logits_BxV)``; pure.
        cache: what `step` keeps of earlier positions; of constant shapes.
        first: the begin tokens, integers of shape (B,).
        length: tokens T to decode.
        eos: the end token; after it comes padding.

    Returns:
        int32 tokens of shape (B, T), without the begin token.

    Example:
        >>> count = lambda cache, token, t: (cache, jax.nn.one_hot(token + 1, 9))
        >>> greedy(count, None, jnp.array([2, 5]), length=4, eos=7).tolist()
        [[3, 4, 5, 6], [6, 7, 0, 0]]
    """

    def body(carry: tuple, position: jax.Array) -> tuple[tuple, jax.Array]:
        cache, token_B, ended_B = carry
        cache, logits_BxV = step(cache, token_B, position)
        token_B = jnp.where(ended_B, PAD, logits_BxV.argmax(axis=-1).astype(jnp.int32))
        return (cache, token_B, ended_B | (token_B == eos)), token_B

    start = (cache, first.astype(jnp.int32), jnp.zeros(first.shape, bool))
    _, tokens_TxB = jax.lax.scan(body, start, jnp.arange(length))
    return tokens_TxB.T


@dataclass(frozen=True)
class CorpusBleu:
    """BLEU of a whole split by sacrebleu (Post 2018, https://arxiv.org/abs/1804.08771), 0 to 100.

    Tokens are rendered as words, one per id, up to the first end token.

    Attributes:
        eos: the end token.
    """

    eos: int

    def __call__(self, parts: tuple[np.ndarray, np.ndarray]) -> float:
        """From decoded tokens and targets, each (N, T)."""
        decoded, targets = (np.asarray(p).astype(np.int32) for p in parts)
        return (
            _bleu(targets.tobytes(), targets.shape, self.eos)
            .corpus_score(_sentences(decoded, self.eos), None)
            .score
        )


@lru_cache(maxsize=4)
def _bleu(targets: bytes, shape: tuple[int, int], eos: int) -> BLEU:
    """A scorer that keeps the n-grams of its references: half of the work, once per split."""
    references = _sentences(np.frombuffer(targets, np.int32).reshape(shape), eos)
    return BLEU(tokenize="none", force=True, references=[references])


def _sentences(tokens: np.ndarray, eos: int) -> list[str]:
    """Each row of tokens, up to its first end token or padding, as words."""
    stop = (tokens == eos) | (tokens == PAD)
    lengths = np.where(stop.any(axis=1), stop.argmax(axis=1), tokens.shape[1])
    rows = zip(tokens.tolist(), lengths.tolist(), strict=True)
    return [" ".join(map(str, row[:length])) for row, length in rows]


def bleu(eos: int) -> Metric:
    """The metric ``bleu`` of the greedy translation."""

    def parts(outputs: dict[str, jax.Array], targets: jax.Array) -> tuple[jax.Array, jax.Array]:
        return outputs["decoded"].astype(jnp.int32), targets.astype(jnp.int32)

    return Metric("bleu", parts, reduce="gather", finish=CorpusBleu(eos))
