"""The transformer starts out sane, sees only what it may, and decodes what it would predict."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import rewrite_transformer
from workloads.datasets import rewrite

PARAMETERS = 215_552
MODELS = {w.name: w.model for w in (rewrite_transformer.workload, *rewrite_transformer.variants)}


@pytest.fixture(scope="module")
def batch():
    return rewrite_transformer.teacher_forcing(rewrite.sample(8, rewrite.SEEDS["train"]))


@functools.cache
def start(model):
    inputs = rewrite_transformer.teacher_forcing(rewrite.sample(8, 0))["inputs"]
    return jax.jit(model.init)(jax.random.key(0), inputs)


@functools.partial(jax.jit, static_argnames=("model", "train"))
def call(model, variables, inputs, train=False):
    return model.apply(variables, inputs, train=train)


def shake(name):
    """A model with parameters far from their start, so that nothing is near a tie."""
    model, rng = MODELS[name], np.random.default_rng(0)
    variables = jax.tree.map(lambda x: x + 0.1 * rng.normal(size=x.shape), start(model))
    return model, jax.tree.map(lambda x: x.astype(np.float32), variables)


@pytest.fixture(scope="module")
def shaken():
    return shake("rewrite_transformer")


def apply(shaken, inputs, **options):
    return call(*shaken, inputs, **options)


def test_inputs_and_targets_are_the_translation_shifted(batch):
    assert (batch["inputs"]["decoder_in"][:, 0] == rewrite.BOS).all()
    np.testing.assert_array_equal(batch["inputs"]["decoder_in"][:, 1:], batch["targets"][:, :-1])
    assert batch["targets"].shape == (8, rewrite.TARGET_LENGTH - 1)


def test_model_has_the_stated_size():
    variables = start(rewrite_transformer.workload.model)
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == PARAMETERS


def test_loss_starts_at_a_uniform_guess(batch):
    workload = rewrite_transformer.workload
    outputs = call(workload.model, start(workload.model), batch["inputs"], train=True)
    sums, counts = workload.loss(outputs, batch["targets"])
    expected = np.log(rewrite.TARGET_VOCABULARY)
    assert float(sums.sum() / counts.sum()) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("name", ["rewrite_transformer", "rewrite_transformer_post_ln"])
def test_decoding_feeds_on_its_own_tokens_as_teacher_forcing_would(name, batch):
    """The cached scan and one uncached pass over what it decoded agree on every token."""
    shaken = shake(name)
    outputs = apply(shaken, batch["inputs"])
    decoded = outputs["decoded"].astype(int)
    first = np.full((8, 1), rewrite.BOS)
    fed = {**batch["inputs"], "decoder_in": np.concatenate([first, decoded[:, :-1]], axis=1)}
    again = apply(shaken, fed, train=True)["logits"].argmax(axis=-1)
    ended = np.cumsum(decoded == rewrite.EOS, axis=1) - (decoded == rewrite.EOS) > 0
    np.testing.assert_array_equal(decoded, np.where(ended, 0, again))
    assert len(np.unique(decoded)) > 5


def test_decoding_does_not_see_the_reference(shaken, batch):
    other = {**batch["inputs"], "decoder_in": batch["inputs"]["decoder_in"][::-1].copy()}
    both = [apply(shaken, inputs)["decoded"] for inputs in (batch["inputs"], other)]
    np.testing.assert_array_equal(*both)


def test_training_does_not_decode(shaken, batch):
    assert set(apply(shaken, batch["inputs"], train=True)) == {"logits"}


def test_later_tokens_do_not_change_earlier_logits(shaken, batch):
    changed = batch["inputs"]["decoder_in"].copy()
    changed[:, 6] = 5
    before = apply(shaken, batch["inputs"], train=True)["logits"]
    after = apply(shaken, {**batch["inputs"], "decoder_in": changed}, train=True)["logits"]
    np.testing.assert_allclose(before[:, :6], after[:, :6], rtol=1e-4, atol=1e-4)
    assert (jnp.abs(before - after)[:, 6:].max(axis=(0, 2)) > 1e-3).all()


def test_padding_of_the_source_is_not_seen(shaken, batch):
    longer = {**batch["inputs"], "source": np.pad(batch["inputs"]["source"], ((0, 0), (0, 2)))}
    both = [apply(shaken, i, train=True)["logits"] for i in (batch["inputs"], longer)]
    np.testing.assert_allclose(*both, rtol=1e-4, atol=1e-4)


def test_dropout_drops_at_a_traced_rate_in_training_only(batch):
    model = rewrite_transformer.workload.model
    variables = start(model)

    @jax.jit
    def logits(rate):
        rngs = {"dropout": jax.random.key(0)}
        outputs = model.apply(variables, batch["inputs"], train=True, dropout_rate=rate, rngs=rngs)
        return outputs["logits"]

    without = call(model, variables, batch["inputs"], train=True)["logits"]
    np.testing.assert_allclose(logits(0.0), without, rtol=1e-4, atol=1e-5)
    assert np.abs(logits(0.3) - without).max() > 1e-3


def test_attention_temperature_multiplies_scores(batch):
    base = rewrite_transformer.workload.model
    variables = start(base)
    warm = MODELS["rewrite_transformer_attention_temp"]
    scaled = jax.tree_util.tree_map_with_path(
        lambda path, x: 4 * x if "query" in jax.tree_util.keystr(path) else x, variables
    )
    both = [call(m, v, batch["inputs"], train=True) for m, v in ((warm, variables), (base, scaled))]
    np.testing.assert_allclose(both[0]["logits"], both[1]["logits"], rtol=1e-4, atol=1e-5)
