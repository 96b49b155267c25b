"""Tones are what they state: whole utterances with room to align, a grammar, audible formants."""

import numpy as np
import pytest

from workloads.datasets import tones

ROWS = 1_500


@pytest.fixture(scope="module")
def rows():
    return tones.sample(ROWS, tones.SEEDS["train"])


def test_same_seed_same_bits_other_seed_others(rows):
    again, other = tones.sample(ROWS, tones.SEEDS["train"]), tones.sample(ROWS, 99)
    for name, array in rows.items():
        np.testing.assert_array_equal(array, again[name])
    assert (rows["frames"] != other["frames"]).mean() > 0.5


def test_rows_have_the_form_of_the_builder(rows):
    for name, (shape, dtype) in tones.Tones.FEATURES.items():
        assert rows[name].shape == (ROWS, *shape)
        assert rows[name].dtype == dtype
    assert all(count % tones.Tones.ROWS_PER_RECORD == 0 for count in tones.ROWS.values())


def test_half_the_frames_leave_room_for_every_alignment(rows):
    halved = (rows["frame_count"] + 1) // 2
    assert (halved >= 2 * rows["token_count"] + 1).all()
    assert rows["frame_count"].max() <= tones.FRAMES
    assert rows["token_count"].min() >= tones.TOKENS[0]


def test_nothing_lies_past_the_end(rows):
    heard = np.arange(tones.FRAMES) < rows["frame_count"][:, None]
    assert not rows["frames"][~heard].any()
    assert rows["frames"][heard].any(axis=-1).all()
    said = np.arange(tones.TOKENS[1]) < rows["token_count"][:, None]
    np.testing.assert_array_equal(rows["tokens"] > 0, said)
    assert rows["tokens"].max() == tones.VOCABULARY


def test_grammar_has_likely_successors_and_no_repeats(rows):
    before, after = rows["tokens"][:, :-1].ravel(), rows["tokens"][:, 1:].ravel()
    before, after = before[after > 0].astype(int), after[after > 0].astype(int)
    assert (before != after).all()
    first = tones.successors()[before - 1, 0]
    harmonic = (1 / np.arange(1, tones.VOCABULARY)).sum()
    assert (after == first).mean() == pytest.approx(1 / harmonic, abs=0.02)


def test_sound_begins_and_ends_with_the_tokens():
    said = tones.script(tones.generator(5), 200)
    track, sound = tones.tracks(said)
    spoken = said.durations * (said.tokens > 0)
    np.testing.assert_array_equal(sound.sum(axis=1), spoken.sum(axis=1))
    np.testing.assert_array_equal(sound.argmax(axis=1), said.starts[:, 0])
    reach = tones.SHIFT + tones.GLIDE
    assert track.min() - reach >= 0 and track.max() + reach <= 4 * (tones.BANDS - 1)


def test_preprocess_scales_exactly_and_marks_padding(rows):
    data = tones.preprocess(rows)
    frames, padding = data["inputs"]["frames"], data["inputs"]["padding"]
    np.testing.assert_array_equal(frames * 32, rows["frames"])
    assert frames.dtype == padding.dtype == data["targets"]["padding"].dtype == np.float32
    np.testing.assert_array_equal((1 - padding).sum(axis=1), rows["frame_count"])
    np.testing.assert_array_equal(data["targets"]["padding"] == 0, rows["tokens"] > 0)
