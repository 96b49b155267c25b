"""Tones: made utterances, token sequences sung as noisy spectrograms.

A token is sung as two formants, bands of energy that each glide for the token's duration. Four
binary features name the token: the level (low or high) and the glide (falling or rising) of each
formant; 16 tokens in all, with ids from 1, since 0 is CTC's blank. What makes them hard to read:

* the speaker: one shift of all formants, about as large as the distance between levels, one gain,
  and one pace, drawn for each utterance, so that a level must be judged against the utterance;
* coarticulation: the tracks of the formants are smoothed across the borders of tokens;
* noise in every band of every frame.

Which token follows which obeys a grammar: the k-th likeliest successor of a token has weight 1 / k,
in an order that is each token's own; no token follows itself. Silence of varied length comes first
and last. A token lasts at least `SHORTEST` frames, so that half of the frames are at least 2 n + 1
for n tokens: room for every alignment.

All of it is integer arithmetic, with positions in quarters of a band.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from workloads.datasets.blocks import BlockBuilder
from workloads.datasets.draws import draw, generator, zipf_weights

VOCABULARY = 16  # tokens 1 to 16; 0 is the blank
FRAMES = 48  # frames of the longest utterance, T
BANDS = 20  # frequency bands of a frame, F
TOKENS = (5, 11)  # fewest and most tokens of an utterance
SHORTEST = 4  # frames of the shortest token
LEAD = (2, 4)  # frames of silence before the first token
TAIL = 2  # most frames of silence after the last token

MIDDLES = np.array([[20, 28], [48, 56]])  # (formant, level) to its middle, in quarters of a band
GLIDE = 6  # quarters of a band between the ends of a glide and its middle
SHIFT = 6  # quarters of a band that a speaker's formants are shifted by, at most
BUMP = 64  # energy in the middle of a formant, falling with the squared distance
GAINS = (12, 20)  # of a speaker, in 16ths
NOISE = 40  # in 64ths of a sum of four uniform draws from 0 to 63: standard deviation 23

ROWS = {"train": 16_384, "validation": 256, "test": 1_024}
SEEDS = {"language": 1, "train": 2, "validation": 3, "test": 4}


class Utterances(NamedTuple):
    """What is said and when, of N utterances.

    Attributes:
        tokens: ids from 1, 0 after the last, int64 (N, L).
        count: tokens of each utterance, int64 (N,).
        starts: first frame of each token, int64 (N, L).
        durations: frames of each token, int64 (N, L).
        length: frames of the utterance, int64 (N,).
    """

    tokens: np.ndarray
    count: np.ndarray
    starts: np.ndarray
    durations: np.ndarray
    length: np.ndarray


def successors() -> np.ndarray:
    """For each token but the blank, the 15 others, likeliest first; int64 (16, 15), ids from 1."""
    rng = generator(SEEDS["language"])
    order = rng.integers(0, 1 << 40, (VOCABULARY, VOCABULARY)).argsort(axis=1, kind="stable")
    return np.stack([row[row != token] + 1 for token, row in enumerate(order)])


def script(rng: np.random.Generator, rows: int) -> Utterances:
    """Draws what N = `rows` speakers say, and the times of its tokens."""
    table, ranks = successors(), zipf_weights(VOCABULARY - 1)
    longest = TOKENS[1]
    tokens = np.empty((longest, rows), np.int64)
    tokens[0] = rng.integers(1, VOCABULARY + 1, rows)
    for i in range(1, longest):
        tokens[i] = table[tokens[i - 1] - 1, draw(rng, ranks, rows)]
    pace = rng.integers(0, 3, (rows, 1))
    durations = SHORTEST + pace // 2 + rng.integers(0, 2 + pace, (rows, longest))
    lead = rng.integers(LEAD[0], LEAD[1] + 1, rows)
    ends = lead[:, None] + durations.cumsum(axis=1)
    wanted = rng.integers(TOKENS[0], TOKENS[1] + 1, rows)
    count = np.minimum(wanted, (ends <= FRAMES).sum(axis=1))
    last = ends[np.arange(rows), count - 1]
    length = np.minimum(last + rng.integers(0, TAIL + 1, rows), FRAMES)
    said = np.arange(longest) < count[:, None]
    return Utterances(np.where(said, tokens.T, 0), count, ends - durations, durations, length)


def tracks(said: Utterances) -> tuple[np.ndarray, np.ndarray]:
    """Where the two formants of each frame lie, before the speaker's shift.

    Args:
        said: N utterances.

    Returns:
        Positions in quarters of a band, int64 (N, T, 2), and whether there is sound, bool (N, T).
    """
    frames = np.arange(FRAMES)
    index = (frames[None, :, None] >= said.starts[:, None, :]).sum(axis=2) - 1
    index = np.clip(index, 0, said.count[:, None] - 1)
    token, start, duration = (
        np.take_along_axis(a, index, axis=1) for a in (said.tokens, said.starts, said.durations)
    )
    inside = np.clip(frames - start, 0, duration - 1)
    sound = (frames >= said.starts[:, :1]) & (frames - start < duration)
    glide = (GLIDE * (2 * inside + 1 - duration)) // duration  # from -GLIDE to GLIDE
    bits = (token[..., None] - 1) >> np.arange(4) & 1
    middle = np.stack([MIDDLES[f, bits[..., f]] for f in range(2)], axis=2)
    track = middle + np.where(bits[..., 2:] == 1, glide[..., None], -glide[..., None])
    before, after = track[:, :-2], track[:, 2:]
    track[:, 1:-1] = (before + 2 * track[:, 1:-1] + after) // 4
    return track, sound


def render(rng: np.random.Generator, said: Utterances) -> np.ndarray:
    """Spectrograms of utterances, each by a speaker of its own; int8 (N, T, F), 0 past the end."""
    rows = len(said.tokens)
    track, sound = tracks(said)
    track = track + rng.integers(-SHIFT, SHIFT + 1, (rows, 1, 1))
    distance = 4 * np.arange(BANDS) - track[..., None]  # (N, T, 2, F)
    energy = np.maximum(BUMP - distance * distance, 0).sum(axis=2) * sound[..., None]
    energy = energy * rng.integers(GAINS[0], GAINS[1] + 1, (rows, 1, 1)) // 16
    bits = rng.integers(0, 1 << 24, energy.shape)
    noise = sum((bits >> shift) & 63 for shift in (0, 6, 12, 18)) - 126
    frames = np.clip(energy + noise * NOISE // 64, -128, 127)
    heard = np.arange(FRAMES) < said.length[:, None]
    return np.where(heard[..., None], frames, 0).astype(np.int8)


def sample(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Utterances with their spectrograms.

    Args:
        rows: number of utterances N.
        seed: of the stream they are drawn from.

    Returns:
        ``frames`` int8 (N, T, F), ``frame_count`` int32 (N,), ``tokens`` uint8 (N, L) followed by
        zeros, ``token_count`` int32 (N,).
    """
    rng = generator(seed)
    said = script(rng, rows)
    blocks = [
        render(rng, Utterances(*(a[i : i + 1_000] for a in said))) for i in range(0, rows, 1_000)
    ]
    return {
        "frames": np.concatenate(blocks),
        "frame_count": said.length.astype(np.int32),
        "tokens": said.tokens.astype(np.uint8),
        "token_count": said.count.astype(np.int32),
    }


def preprocess(rows: Mapping[str, Any]) -> dict[str, dict[str, np.ndarray]]:
    """Inputs and targets of transcription.

    Args:
        rows: the features of `Tones`.

    Returns:
        Inputs ``{"frames": float32 (N, T, F) of about unit scale, "padding": float32 (N, T)}`` and
        targets ``{"tokens": int32 (N, L), "padding": float32 (N, L)}``; padding is 1 past the end.
    """

    def padding(counts: np.ndarray, length: int) -> np.ndarray:
        return (np.arange(length) >= counts[:, None]).astype(np.float32)

    frames, tokens = rows["frames"], rows["tokens"]
    return {
        "inputs": {
            "frames": frames.astype(np.float32) / 32,
            "padding": padding(rows["frame_count"], frames.shape[1]),
        },
        "targets": {
            "tokens": tokens.astype(np.int32),
            "padding": padding(rows["token_count"], tokens.shape[1]),
        },
    }


class Tones(BlockBuilder):
    """Made utterances: spectrograms of `FRAMES` frames by `BANDS` bands and the tokens sung."""

    VERSION = "1.0.0"
    FEATURES: ClassVar = {
        "frames": ((FRAMES, BANDS), np.int8),
        "frame_count": ((), np.int32),
        "tokens": ((TOKENS[1],), np.uint8),
        "token_count": ((), np.int32),
    }
    ROWS_PER_RECORD = 256

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """See `BlockBuilder.arrays`."""
        return {split: sample(rows, SEEDS[split]) for split, rows in ROWS.items()}
