"""The Zipf language: a made language whose entropy is known.

Token t of a sequence comes from one of four sources, picked independently with fixed odds:

* `FIRST`: one of a few successors of the previous token, the i-th with weight 1 / i;
* `SECOND`: one of a few successors of a pair of word classes, those of the previous two tokens;
* `COPY`: the token `LAG` positions back; a unigram draw where the sequence is not yet that long;
* `UNIGRAM`: any token, with Zipf's law (the k-th most frequent with weight 1 / k).

Successors are themselves drawn by Zipf's law, so rare tokens stay rare: that imbalance is what
makes methods of Adam's kind win on text (Kunstner et al. 2024, https://arxiv.org/abs/2402.19449).

Given its past, a token has a known distribution, the mixture of those four. The mean entropy of
that distribution over contexts is the floor that no model's expected loss can go below.
`conditional_entropy` computes it exactly for given contexts, and

    python -m workloads.datasets.zipf

averages it over each split and prints it beside the entropy of the token frequencies: 2.673 and
4.590 nats per token on the training split, 2.675 and 4.540 on the validation split.
"""

from typing import ClassVar, NamedTuple

import numpy as np

from workloads.datasets.blocks import BlockBuilder
from workloads.datasets.draws import draw, generator, zipf_weights

VOCABULARY = 512
LENGTH = 33  # tokens of a sequence: 32 inputs, 32 targets
LAG = 12
SUCCESSORS = 4
CLASSES = 8
ODDS = np.array([30, 12, 16, 6])  # of FIRST, SECOND, COPY, UNIGRAM, in 64ths
FIRST, SECOND, COPY, UNIGRAM = range(4)
ROWS = {"train": 45_000, "validation": 200, "test": 1_000}
SEEDS = {"language": 1, "train": 2, "validation": 3, "test": 4}


class Language(NamedTuple):
    """The tables of a language over V tokens, each of C classes, with S successors per context.

    Attributes:
        first: successors of a token, int64 (V, S).
        classes: class of a token, int64 (V,).
        second: successors of the classes of the last but one and the last token, int64 (C, C, S).
    """

    first: np.ndarray
    classes: np.ndarray
    second: np.ndarray


def language() -> Language:
    """The language; always the same."""
    rng = generator(SEEDS["language"])
    unigram = zipf_weights(VOCABULARY)
    return Language(
        first=draw(rng, unigram, (VOCABULARY, SUCCESSORS)),
        classes=rng.integers(0, CLASSES, VOCABULARY),
        second=draw(rng, unigram, (CLASSES, CLASSES, SUCCESSORS)),
    )


def sample(rows: int, seed: int) -> np.ndarray:
    """Sequences of the language.

    Args:
        rows: number of sequences N.
        seed: of the stream they are drawn from.

    Returns:
        uint16 tokens of shape (N, LENGTH).
    """
    rng, tables = generator(seed), language()
    unigram, ranks = zipf_weights(VOCABULARY), zipf_weights(SUCCESSORS)
    tokens = np.empty((LENGTH, rows), np.int64)
    tokens[:2] = draw(rng, unigram, (2, rows))
    for t in range(2, LENGTH):
        source = draw(rng, ODDS, rows)
        successor = draw(rng, ranks, rows)
        last, before = tokens[t - 1], tokens[t - 2]
        candidates = (
            tables.first[last, successor],
            tables.second[tables.classes[before], tables.classes[last], successor],
            tokens[t - LAG] if t >= LAG else draw(rng, unigram, rows),
            draw(rng, unigram, rows),
        )
        tokens[t] = np.choose(source, candidates)
    return np.ascontiguousarray(tokens.T.astype(np.uint16))


def true_chances(tokens: np.ndarray, t: int) -> np.ndarray:
    """The true distribution of token t given all tokens before it.

    Args:
        tokens: sequences, integers of shape (N, LENGTH), of which the first t are read.
        t: position, from 2 on.

    Returns:
        float64 of shape (N, VOCABULARY), each row summing to 1.
    """
    tables, odds = language(), ODDS / ODDS.sum()
    unigram = zipf_weights(VOCABULARY) / zipf_weights(VOCABULARY).sum()
    ranks = zipf_weights(SUCCESSORS) / zipf_weights(SUCCESSORS).sum()
    rows, last, before = np.arange(len(tokens)), tokens[:, t - 1], tokens[:, t - 2]
    share = odds[UNIGRAM] + (odds[COPY] if t < LAG else 0)
    chances = np.tile(share * unigram, (len(tokens), 1))
    for i in range(SUCCESSORS):
        second = tables.second[tables.classes[before], tables.classes[last], i]
        chances[rows, tables.first[last, i]] += odds[FIRST] * ranks[i]
        chances[rows, second] += odds[SECOND] * ranks[i]
    if t >= LAG:
        chances[rows, tokens[:, t - LAG]] += odds[COPY]
    return chances


def conditional_entropy(tokens: np.ndarray) -> np.ndarray:
    """Entropy of the true distribution of each token given all before it.

    Args:
        tokens: sequences, integers of shape (N, LENGTH).

    Returns:
        Nats, float64 of shape (N, LENGTH - 1): one for each token but the first.
    """
    entropy = np.empty((len(tokens), LENGTH - 1))
    unigram = zipf_weights(VOCABULARY) / zipf_weights(VOCABULARY).sum()
    entropy[:, 0] = -(unigram * np.log(unigram)).sum()
    for t in range(2, LENGTH):
        chances = true_chances(tokens, t)
        entropy[:, t - 1] = -(chances * np.log(chances)).sum(axis=1)
    return entropy


def unigram_entropy(tokens: np.ndarray) -> float:
    """Entropy in nats of the token frequencies in `tokens`: what a context-free model can reach."""
    counts = np.bincount(tokens.ravel(), minlength=VOCABULARY)
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


class ZipfLanguage(BlockBuilder):
    """Sequences of the Zipf language: `LENGTH` tokens of a vocabulary of `VOCABULARY`."""

    VERSION = "1.0.0"
    FEATURES: ClassVar = {"tokens": ((LENGTH,), np.uint16)}
    ROWS_PER_RECORD = 200

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """See `BlockBuilder.arrays`."""
        return {split: {"tokens": sample(rows, SEEDS[split])} for split, rows in ROWS.items()}


if __name__ == "__main__":
    for name, count in ROWS.items():
        drawn = sample(count, SEEDS[name])
        floor = conditional_entropy(drawn).mean()
        print(f"{name}: floor {floor:.4f}, unigram {unigram_entropy(drawn):.4f} nats per token")
