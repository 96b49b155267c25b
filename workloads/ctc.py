"""Loss and error rate of transcription: CTC, greedy decoding and edit distance, all on device.

Shape letters: B examples, T frames of the outputs, L tokens of the longest target, V tokens in the
vocabulary besides the blank, whose id is 0. Padding is 1.0 where there is nothing, else 0.0.

Models return ``{"logits": (B, T, V + 1), "padding": (B, T)}``; targets are
``{"tokens": integers (B, L), "padding": (B, L)}``.
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax

BLANK = 0


def ctc_loss(outputs: Any, targets: Any, label_smoothing: Any = 0.0) -> tuple[jax.Array, jax.Array]:
    """Connectionist temporal classification (Graves et al. 2006, doi:10.1145/1143844.1143891).

    Minus the log-likelihood of the tokens, summed over alignments. An example must have as many
    frames as tokens, plus one between equal neighbours, or no alignment exists.

    Args:
        outputs: ``{"logits": (B, T, V + 1), "padding": (B, T)}``.
        targets: ``{"tokens": (B, L), "padding": (B, L)}``.
        label_smoothing: no matter, as in AlgoPerf's speech workloads: an alignment has no one
            label per frame that could be smoothed.

    Returns:
        Nats and number of tokens of each example, so that their quotient is nats per token; each of
        shape (B,).

    Example:
        >>> outputs = {"logits": jnp.zeros((1, 2, 4)), "padding": jnp.zeros((1, 2))}
        >>> targets = {"tokens": jnp.array([[3]]), "padding": jnp.zeros((1, 1))}
        >>> sums, counts = ctc_loss(outputs, targets)  # 3 of 16 paths read as token 3
        >>> round(float(sums[0]), 4), float(counts[0])
        (1.674, 1.0)
    """
    del label_smoothing
    sums_B = optax.ctc_loss(
        outputs["logits"],
        outputs["padding"],
        targets["tokens"],
        targets["padding"],
        blank_id=BLANK,
    )
    return sums_B, (1.0 - targets["padding"]).sum(axis=1)


def token_errors(outputs: Any, targets: Any) -> tuple[jax.Array, jax.Array]:
    """`algoperf_lite.workload.Metric` parts of the token error rate of greedy decoding.

    The likeliest label of each frame, repeats collapsed and blanks dropped, is compared with the
    tokens by edit distance (Levenshtein 1966): insertions, deletions and substitutions count 1.

    Args:
        outputs: ``{"logits": (B, T, V + 1), "padding": (B, T)}``.
        targets: ``{"tokens": (B, L), "padding": (B, L)}``.

    Returns:
        Errors and number of tokens of each example, float32 of shape (B,).

    Example:
        >>> read = jax.nn.one_hot(jnp.array([[1, 1, 0, 1, 2]]), 3)  # says 1 1 2
        >>> outputs = {"logits": read, "padding": jnp.zeros((1, 5))}
        >>> targets = {"tokens": jnp.array([[2, 1, 2]]), "padding": jnp.zeros((1, 3))}
        >>> errors, counts = token_errors(outputs, targets)
        >>> errors.tolist(), counts.tolist()
        ([1.0], [3.0])
    """
    labels_BxT, kept_BxT = greedy(outputs["logits"], outputs["padding"])
    counts_B = (1.0 - targets["padding"]).sum(axis=1)
    errors_B = edit_distance(labels_BxT, kept_BxT, targets["tokens"], counts_B.astype(jnp.int32))
    return errors_B.astype(jnp.float32), counts_B


def greedy(logits: jax.Array, padding: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The likeliest label of each frame, and which frames start a token of the reading.

    Args:
        logits: shape (B, T, V + 1).
        padding: shape (B, T).

    Returns:
        Labels, int32 (B, T), and bool (B, T): the kept labels, in order, are the transcript.
    """
    labels_BxT = jnp.where(padding > 0, BLANK, logits.argmax(axis=-1)).astype(jnp.int32)
    before_BxT = jnp.pad(labels_BxT[:, :-1], ((0, 0), (1, 0)), constant_values=BLANK)
    return labels_BxT, (labels_BxT != BLANK) & (labels_BxT != before_BxT)


def edit_distance(
    labels: jax.Array, kept: jax.Array, tokens: jax.Array, counts: jax.Array
) -> jax.Array:
    """Levenshtein distance of each example's kept labels to its tokens.

    One row of the usual table is carried over the labels; a label that is not kept leaves it as it
    is. Within a row, ``new[j] = min(candidate[j], new[j - 1] + 1)``, which is a running minimum of
    ``candidate[j] - j``, so a row is computed at once.

    Args:
        labels: integers, shape (B, T).
        kept: bool, shape (B, T).
        tokens: integers, shape (B, L).
        counts: how many of an example's tokens are meant, int32 (B,).

    Returns:
        int32 of shape (B,).
    """
    columns = jnp.arange(tokens.shape[1] + 1, dtype=jnp.int32)

    def read(row: jax.Array, frame: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        label_B, kept_B = frame  # and the row has shape (B, L + 1)
        replaced = row[:, :-1] + (label_B[:, None] != tokens)
        candidate = (row + 1).at[:, 1:].min(replaced)
        new = jax.lax.cummin(candidate - columns, axis=1) + columns
        return jnp.where(kept_B[:, None], new, row), None

    start = jnp.broadcast_to(columns, (tokens.shape[0], columns.size))
    row_BxL1, _ = jax.lax.scan(read, start, (labels.T, kept.T))
    return jnp.take_along_axis(row_BxL1, counts[:, None], axis=1)[:, 0]
