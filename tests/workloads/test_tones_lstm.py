"""The LSTM transcriber reads both ways, stops at the padding and is the variant it says."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import tones_lstm
from workloads.datasets import tones

PARAMETERS = 60_753


@pytest.fixture(scope="module")
def batch():
    return tones.preprocess(tones.sample(16, 7))


@pytest.fixture(scope="module")
def started(batch):
    model = tones_lstm.workload.model
    return model, jax.jit(model.init)(jax.random.key(0), batch["inputs"])


def reference_lstm(x, input_kernel, input_bias, recurrent_kernel):
    """One direction of one example, a step at a time; x has shape (T, D)."""
    hidden = cell = np.zeros(recurrent_kernel.shape[0])
    outputs = []
    for x_t in x:
        gates = x_t @ input_kernel + input_bias + hidden @ recurrent_kernel
        into, keep, out, new = np.split(gates, 4)
        into, keep, out = (1 / (1 + np.exp(-g)) for g in (into, keep + 1, out))
        cell = keep * cell + into * np.tanh(new)
        hidden = out * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs)


def test_bilstm_is_two_lstms_over_the_unpadded_part():
    rng = np.random.Generator(np.random.PCG64(0))
    x, lengths = rng.normal(size=(9, 3, 5)).astype(np.float32), (9, 6, 1)
    mask = (np.arange(9)[:, None] < np.array(lengths)).astype(np.float32)[..., None]
    layer = tones_lstm.BiLSTM(4)
    variables = layer.init(jax.random.key(0), x, mask)
    read = np.asarray(layer.apply(variables, x, mask))
    p = jax.tree.map(np.asarray, variables["params"])
    for i, length in enumerate(lengths):
        for name, start, turn in (("forward", 0, 1), ("backward", 4, -1)):
            dense, recurrent = p[f"{name}_input"], p[f"{name}_recurrent"]
            expected = reference_lstm(
                x[:length, i][::turn], dense["kernel"], dense["bias"], recurrent["kernel"]
            )[::turn]
            got = read[:length, i, start : start + 4]
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
        assert not read[length:, i].any()


def test_windows_are_a_strided_convolution():
    frames = jax.random.normal(jax.random.key(0), (2, 10, 3))
    kernel = jax.random.normal(jax.random.key(1), (4, 3, 5))
    windowed = tones_lstm._windows(frames) @ kernel.reshape(12, 5)
    form = ("NWC", "WIO", "NWC")
    expected = jax.lax.conv_general_dilated(frames, kernel, (2,), [(1, 1)], dimension_numbers=form)
    np.testing.assert_allclose(windowed, jnp.swapaxes(expected, 0, 1), rtol=1e-4, atol=1e-5)


def test_model_has_the_stated_size_and_says_every_label(started, batch):
    model, variables = started
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == PARAMETERS
    outputs = model.apply(variables, batch["inputs"])
    assert outputs["logits"].shape == (16, tones.FRAMES // 2, tones.VOCABULARY + 1)
    frames = (1 - batch["inputs"]["padding"]).sum(axis=1)
    np.testing.assert_array_equal((1 - outputs["padding"]).sum(axis=1), np.ceil(frames / 2))


@pytest.mark.parametrize("train", [False, True])
def test_what_lies_in_the_padding_changes_nothing(started, batch, train):
    model, variables = started
    inputs = batch["inputs"]
    # A window reaches one frame past its second, so the first frame of padding stays as it is.
    late = np.pad(inputs["padding"], ((0, 0), (2, 0)))[:, :-2, None] > 0
    changed = {**inputs, "frames": np.where(late, 5.0, inputs["frames"])}
    logits = [
        model.apply(variables, x, train=train, mutable=["batch_stats"])[0]["logits"]
        for x in (inputs, changed)
    ]
    heard = inputs["padding"][:, ::2] == 0
    np.testing.assert_allclose(logits[0][heard], logits[1][heard], rtol=1e-4, atol=1e-5)


def test_dropout_changes_training_only(started, batch):
    model, variables = started

    def logits(rate, train=True):
        rngs = {"dropout": jax.random.key(0)}
        options = {"train": train, "dropout_rate": rate, "mutable": ["batch_stats"], "rngs": rngs}
        return model.apply(variables, batch["inputs"], **options)[0]["logits"]

    assert not np.array_equal(logits(0.5), logits(0.0))
    np.testing.assert_array_equal(logits(0.5, train=False), logits(0.0, train=False))
    np.testing.assert_allclose(logits(jnp.float32(0.0)), logits(0.0), atol=1e-6)


def test_spec_augment_silences_no_more_than_stated(batch):
    loud = {"inputs": {**batch["inputs"], "frames": np.ones((16, 48, 20), np.float32)}}
    augment = tones_lstm.SpecAugment(masks=2, bands=3, frames=4)
    frames = np.asarray(augment(jax.random.key(0), loud)["inputs"]["frames"])
    heard_bands, heard_frames = frames.max(axis=1).sum(axis=1), frames.max(axis=2).sum(axis=1)
    assert 20 - 2 * 3 <= heard_bands.min() < 20
    assert 48 - 2 * 4 <= heard_frames.min() < 48
    np.testing.assert_array_equal(frames.sum(axis=(1, 2)), heard_bands * heard_frames)


def test_variants_differ_as_they_say():
    bases = tones_lstm.workload
    by_name = {w.name.removeprefix("tones_lstm_"): w for w in tones_lstm.variants}
    assert set(by_name) == {"tanh", "no_resnet", "norm_and_spec_aug"}
    assert by_name["tanh"].model.activation == "tanh"
    assert not by_name["no_resnet"].model.residual
    assert by_name["norm_and_spec_aug"].model.norm == "layer"
    assert by_name["norm_and_spec_aug"].augment and not bases.augment
