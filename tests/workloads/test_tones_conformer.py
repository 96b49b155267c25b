"""The conformer hears what is there and nothing of the padding, and each part does its share."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from algoperf_lite.parameters import param_kinds
from workloads import ctc, tones_conformer
from workloads.datasets import tones
from workloads.tones_conformer import Attention, DepthwiseConv

PARAMETERS = 114_209
LENGTHS = (48, 41, 30, 23)
FULL = tones_conformer.workload.model
MODEL = replace(FULL, depth=1)  # compiles in half the time


def made_inputs(lengths=LENGTHS, seed=0):
    """Noise of the form that `tones.preprocess` gives, zero past each end."""
    frames = np.random.default_rng(seed).normal(size=(len(lengths), tones.FRAMES, tones.BANDS))
    padding = (np.arange(tones.FRAMES) >= np.array(lengths)[:, None]).astype(np.float32)
    return {"frames": (frames * (1 - padding[..., None])).astype(np.float32), "padding": padding}


@pytest.fixture(scope="module")
def variables():
    return jax.jit(MODEL.init)(jax.random.key(0), made_inputs())


@pytest.fixture(scope="module")
def evaluate():
    return jax.jit(lambda variables, inputs: MODEL.apply(variables, inputs, train=False))


@pytest.fixture(scope="module")
def train():
    def apply(variables, inputs, dropout_rate=0.0, seed=0):
        return MODEL.apply(
            variables,
            inputs,
            train=True,
            dropout_rate=dropout_rate,
            rngs={"dropout": jax.random.key(seed)},
            mutable=["batch_stats"],
        )

    return jax.jit(apply)


def test_model_has_the_stated_size_and_fits_the_data():
    variables = jax.eval_shape(FULL.init, jax.random.key(0), made_inputs())
    assert sum(leaf.size for leaf in jax.tree.leaves(variables["params"])) == PARAMETERS
    assert f"{PARAMETERS:,} parameters" in " ".join(tones_conformer.__doc__.split())
    assert FULL.vocabulary == tones.VOCABULARY
    assert tones.FRAMES % FULL.stack == 0


def test_logits_come_for_every_second_frame_with_its_padding(variables, evaluate):
    outputs = evaluate(variables, made_inputs())
    assert outputs["logits"].shape == (4, tones.FRAMES // 2, tones.VOCABULARY + 1)
    assert (1 - outputs["padding"]).sum(axis=1).tolist() == [24, 21, 15, 12]


def test_every_utterance_leaves_room_for_its_tokens():
    data = tones.preprocess(tones.sample(500, tones.SEEDS["train"]))
    heard = (1 - data["inputs"]["padding"][:, :: MODEL.stack]).sum(axis=1)
    assert (heard >= (1 - data["targets"]["padding"]).sum(axis=1)).all()


def test_what_lies_in_the_padding_changes_nothing(variables, evaluate, train):
    clean = made_inputs()
    junk = np.where(clean["padding"][..., None] > 0, 7.0, clean["frames"]).astype(np.float32)
    dirty = {**clean, "frames": junk}
    np.testing.assert_array_equal(
        evaluate(variables, clean)["logits"], evaluate(variables, dirty)["logits"]
    )
    for a, b in zip(
        jax.tree.leaves(train(variables, clean)),
        jax.tree.leaves(train(variables, dirty)),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_more_padding_changes_neither_logits_nor_statistics(variables, train):
    """An utterance says the same in a longer window, to the model and to its batch norm."""
    short = jax.tree.map(lambda a: a[:, :32], made_inputs((32, 26, 20)))
    long = made_inputs((32, 26, 20))
    (a, a_state), (b, b_state) = train(variables, short), train(variables, long)
    for row, frames in enumerate((16, 13, 10)):
        np.testing.assert_allclose(
            a["logits"][row, :frames], b["logits"][row, :frames], rtol=1e-3, atol=1e-4
        )
    for x, y in zip(jax.tree.leaves(a_state), jax.tree.leaves(b_state), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-3, atol=1e-5)


def test_batch_norm_averages_statistics_in_training_for_evaluation(variables, evaluate, train):
    _, state = train(variables, made_inputs())
    for before, after in zip(
        jax.tree.leaves(variables["batch_stats"]), jax.tree.leaves(state), strict=True
    ):
        assert (before != after).all()
    moved = evaluate({**variables, **state}, made_inputs())["logits"]
    assert (moved != evaluate(variables, made_inputs())["logits"]).any()


def test_depthwise_convolution_is_that_of_flax():
    x = np.random.default_rng(1).normal(size=(2, 9, 6)).astype(np.float32)
    variables = DepthwiseConv(taps=5).init(jax.random.key(0), x)
    kernel = variables["params"]["kernel"]
    assert kernel.shape == (5, 1, 6)
    expected = jax.lax.conv_general_dilated(
        x, kernel, (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC"), feature_group_count=6
    )
    np.testing.assert_allclose(
        DepthwiseConv(taps=5).apply(variables, x), expected, rtol=1e-5, atol=1e-5
    )


def test_no_convolution_primitive_is_in_the_program(variables):
    """One would make the engine dispatch step by step."""
    traced = jax.make_jaxpr(MODEL.apply)(variables, made_inputs())
    assert "conv_general_dilated" not in str(traced)


def test_kinds_of_parameters_are_told_by_their_names(variables):
    block = param_kinds(variables["params"])["block_0"]
    assert block["mixing"]["depthwise_conv"] == {"kernel": "conv_weight"}
    assert block["mixing"]["batch_norm"] == {"scale": "norm_scale", "bias": "norm_bias"}
    assert block["mixing"]["in"]["kernel"] == block["attention"]["qkv"]["kernel"] == "weight"
    kinds = set(jax.tree.leaves(param_kinds(variables["params"])))
    assert kinds == {"weight", "conv_weight", "bias", "norm_scale", "norm_bias"}


def test_temperature_sharpens_attention():
    x = np.random.default_rng(2).normal(size=(1, 12, 8)).astype(np.float32)
    heard = np.ones((1, 12), bool)
    variables = Attention(heads=2).init(jax.random.key(0), x, heard)
    flat, plain, sharp = (
        Attention(heads=2, temperature=t).apply(variables, x, heard) for t in (1e-4, 1.0, 4.0)
    )
    # With no weight on the scores, all frames get the same mean; sharper weights tell them apart.
    assert jnp.ptp(flat, axis=1).max() < 1e-2
    assert jnp.ptp(flat, axis=1).sum() < jnp.ptp(plain, axis=1).sum() < jnp.ptp(sharp, axis=1).sum()


def test_dropout_acts_in_training_only(variables, evaluate, train):
    inputs = made_inputs()
    quiet, loud, other = (
        train(variables, inputs, jnp.float32(rate), seed)[0]["logits"]
        for rate, seed in ((0.0, 0), (0.5, 0), (0.5, 1))
    )
    assert (quiet != loud).any() and (loud != other).any()
    at_rest = jax.jit(lambda v, x: MODEL.apply(v, x, train=False, dropout_rate=0.5))
    np.testing.assert_array_equal(
        at_rest(variables, inputs)["logits"], evaluate(variables, inputs)["logits"]
    )


def test_loss_starts_near_that_of_a_uniform_guess(variables, evaluate):
    data = tones.preprocess(tones.sample(32, tones.SEEDS["validation"]))
    outputs = evaluate(variables, data["inputs"])
    uniform = {**outputs, "logits": jnp.zeros_like(outputs["logits"])}
    losses = []
    for o in (outputs, uniform):
        sums, counts = ctc.ctc_loss(o, data["targets"])
        losses.append(float(sums.sum() / counts.sum()))
    assert losses[0] == pytest.approx(losses[1], rel=0.35)


def test_variants_change_what_their_names_say():
    named = {w.name.removeprefix("tones_conformer_"): w.model for w in tones_conformer.variants}
    assert named == {
        "attention_temperature": replace(FULL, attention_temperature=1.6),
        "layernorm": replace(FULL, post_norm=False),
        "gelu": replace(FULL, activation="gelu"),
    }


def test_layernorm_variant_has_no_norm_at_the_end_of_its_blocks(variables):
    params = jax.eval_shape(replace(MODEL, post_norm=False).init, jax.random.key(0), made_inputs())
    assert "norm_post" in variables["params"]["block_0"]
    assert "norm_post" not in params["params"]["block_0"]
