"""The Zipf language has the statistics it states; the transformer on it starts out sane."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import losses, zipf_lm
from workloads.datasets import zipf

ROWS = 2_000
PARAMETERS = 165_376


@pytest.fixture(scope="module")
def tokens():
    return zipf.sample(ROWS, zipf.SEEDS["train"])


@pytest.fixture(scope="module")
def started(tokens):
    batch = {"inputs": tokens[:8, :-1], "targets": tokens[:8, 1:].astype(np.int32)}
    model = zipf_lm.workload.model
    return model, jax.jit(model.init)(jax.random.key(0), batch["inputs"]), batch


def test_same_seed_same_tokens_other_seed_others(tokens):
    assert tokens.dtype == np.uint16
    assert tokens.shape == (ROWS, zipf.LENGTH)
    np.testing.assert_array_equal(tokens, zipf.sample(ROWS, zipf.SEEDS["train"]))
    assert (tokens != zipf.sample(ROWS, zipf.SEEDS["test"])).mean() > 0.9


def test_first_tokens_follow_zipf_with_exponent_one(tokens):
    counts = np.bincount(tokens[:, :2].ravel(), minlength=zipf.VOCABULARY)[:30]
    slope = np.polyfit(np.log(np.arange(1, 31)), np.log(counts), 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)


def test_rare_tokens_stay_rare_but_occur(tokens):
    counts = np.bincount(tokens.ravel(), minlength=zipf.VOCABULARY)
    common = np.sort(counts)[::-1]
    assert common[:10].sum() > 0.3 * counts.sum()
    assert common[256:].sum() > 0.01 * counts.sum()


def test_tokens_are_copied_from_the_stated_distance_only(tokens):
    repeats = {
        lag: (tokens[:, zipf.LAG :] == tokens[:, zipf.LAG - lag : -lag]).mean()
        for lag in (zipf.LAG - 1, zipf.LAG, 7)
    }
    share = zipf.ODDS[zipf.COPY] / zipf.ODDS.sum()
    assert repeats[zipf.LAG] - repeats[7] == pytest.approx(share, abs=0.03)
    assert repeats[zipf.LAG - 1] == pytest.approx(repeats[7], abs=0.02)


def test_entropy_floor_is_that_of_what_is_drawn(tokens):
    """The true chances must give the drawn tokens, on average, the loss of their own entropy."""
    entropy = zipf.conditional_entropy(tokens)
    assert entropy.shape == (ROWS, zipf.LENGTH - 1)
    for t in (2, zipf.LAG - 1, zipf.LAG, zipf.LENGTH - 1):
        chances = zipf.true_chances(tokens, t)
        np.testing.assert_allclose(chances.sum(axis=1), 1)
        losses_N = -np.log(chances[np.arange(ROWS), tokens[:, t]])
        error = losses_N.std() / np.sqrt(ROWS)
        assert losses_N.mean() == pytest.approx(entropy[:, t - 1].mean(), abs=4 * error)


def test_target_lies_between_the_floor_and_what_frequencies_give():
    validation = zipf.sample(zipf.ROWS["validation"], zipf.SEEDS["validation"])
    floor = zipf.conditional_entropy(validation).mean()
    assert floor == pytest.approx(2.675, abs=1e-3)
    target = zipf_lm.workload.target.value
    assert floor + 0.1 < target < zipf.unigram_entropy(validation) - 0.5


def test_no_example_comes_twice_within_twice_the_step_hint():
    workload = zipf_lm.workload
    assert zipf.ROWS["train"] >= 2 * workload.step_hint * workload.batch_size


def test_model_has_the_stated_size_and_fits_the_data(started):
    model, variables, _ = started
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == PARAMETERS
    assert model.vocabulary == zipf.VOCABULARY


def test_loss_starts_at_a_uniform_guess(started):
    model, variables, batch = started
    sums, counts = zipf_lm.workload.loss(model.apply(variables, batch["inputs"]), batch["targets"])
    assert sums.sum() / counts.sum() == pytest.approx(np.log(zipf.VOCABULARY), abs=0.05)


def test_later_tokens_do_not_change_earlier_logits(started):
    model, variables, batch = started
    shaken = jax.tree.map(lambda x: x + 0.1 * np.sin(np.arange(x.size)).reshape(x.shape), variables)
    before = model.apply(shaken, batch["inputs"])
    changed = batch["inputs"].copy()
    changed[:, 20] = (changed[:, 20] + 1) % zipf.VOCABULARY
    after = model.apply(shaken, changed)
    np.testing.assert_allclose(before[:, :20], after[:, :20], rtol=1e-4, atol=1e-4)
    assert (jnp.abs(before - after)[:, 20:].max(axis=(0, 2)) > 1e-3).all()


@pytest.mark.parametrize("qk_norm", [False, True])
def test_gradients_are_finite(started, qk_norm):
    _, _, batch = started
    model = zipf_lm.workload.model.clone(qk_norm=qk_norm)
    variables = jax.jit(model.init)(jax.random.key(1), batch["inputs"])

    def loss(variables):
        outputs = model.apply(variables, batch["inputs"])
        return zipf_lm.TokenLoss(z_loss=1e-4)(outputs, batch["targets"])[0].sum()

    leaves = jax.tree.leaves(jax.jit(jax.grad(loss))(variables))
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in leaves)


def test_z_loss_adds_the_squared_log_partition():
    outputs, targets = jnp.zeros((1, 2, 4)), jnp.zeros((1, 2), jnp.int32)
    plain, _ = losses.softmax_cross_entropy(outputs, targets)
    with_z, counts = zipf_lm.TokenLoss(0.5)(outputs, targets)
    assert with_z[0] - plain[0] == pytest.approx(2 * 0.5 * np.log(4) ** 2, rel=1e-5)
    assert counts.tolist() == [2.0]


def test_variants_turn_on_the_option_they_are_named_after():
    qk_norm, z_loss = zipf_lm.variants
    assert (qk_norm.name, qk_norm.model.qk_norm) == ("zipf_lm_qk_norm", True)
    assert z_loss.name == "zipf_lm_z_loss"
    assert (z_loss.model, z_loss.loss.z_loss) == (zipf_lm.workload.model, 1e-3)
