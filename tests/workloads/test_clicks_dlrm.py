"""The made clicks have the statistics they state; the DLRM on them starts out sane."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import clicks_dlrm
from workloads.datasets import clicks

ROWS = 20_000
PARAMETERS = 322_769
CLICK_RATE = 0.26
BAYES = 0.4425


@pytest.fixture(scope="module")
def rows():
    return clicks.sample(ROWS, clicks.SEEDS["train"])


@pytest.fixture(scope="module")
def batch(rows):
    return clicks_dlrm.to_inputs({name: array[:64] for name, array in rows.items()})


def parameters(model, batch):
    return jax.jit(model.init)(jax.random.key(0), batch["inputs"])


def test_same_seed_same_rows_other_seed_others(rows):
    again = clicks.sample(ROWS, clicks.SEEDS["train"])
    for name, array in rows.items():
        np.testing.assert_array_equal(array, again[name])
    other = clicks.sample(ROWS, clicks.SEEDS["test"])
    assert (other["categorical"] != rows["categorical"]).mean() > 0.9


def test_rows_have_the_types_that_the_builder_states(rows):
    for name, (shape, dtype) in clicks.Clicks.FEATURES.items():
        assert rows[name].dtype == dtype
        assert rows[name].shape == (ROWS, *shape)


def test_values_follow_zipf_with_exponent_one(rows):
    counts = np.bincount(rows["categorical"].ravel(), minlength=clicks.VALUES)[:100]
    slope = np.polyfit(np.log(np.arange(1, 101)), np.log(counts), 1)[0]
    assert slope == pytest.approx(-1, abs=0.03)


def test_dense_features_are_centred_and_of_the_scale_the_model_divides_by(rows):
    assert np.abs(rows["dense"].mean(axis=0)).max() < 0.6
    np.testing.assert_allclose(rows["dense"].std(axis=0), clicks_dlrm.DENSE_SCALE, rtol=0.1)


def test_click_rate_is_as_stated(rows):
    assert rows["click"].mean() == pytest.approx(CLICK_RATE, abs=0.01)


def test_clicks_are_calibrated_to_the_hidden_log_odds(rows):
    model = clicks.hidden_model()
    logits = clicks.log_odds(model, rows["categorical"], rows["dense"]) / clicks.UNIT
    for low, high in ((-4, -2), (-2, -1), (-1, 0), (0, 2)):
        inside = (logits >= low) & (logits < high)
        expected = (1 / (1 + np.exp(-logits[inside]))).mean()
        assert rows["click"][inside].mean() == pytest.approx(expected, abs=0.03)


def test_no_threshold_hangs_on_the_last_bit_of_exp():
    grid = np.arange(-clicks.LIMIT, clicks.LIMIT + 1) / clicks.UNIT
    exact = 65536 / (1 + np.exp(-grid))
    assert np.abs(exact - np.floor(exact) - 0.5).min() > 1e-6
    assert (np.diff(clicks.chance_table()) >= 0).all()


def test_target_lies_between_bayes_and_the_click_rate():
    validation = clicks.sample(clicks.ROWS["validation"], clicks.SEEDS["validation"])
    bayes = clicks.bayes_loss(validation)
    assert bayes == pytest.approx(BAYES, abs=1e-4)
    assert bayes + 0.02 < clicks_dlrm.workload.target.value < clicks.rate_loss(validation) - 0.05


def test_one_epoch_covers_the_step_hint():
    workload = clicks_dlrm.workload
    assert clicks.ROWS["train"] >= workload.step_hint * workload.batch_size


def test_model_has_the_stated_size_and_fits_the_data(batch):
    model = clicks_dlrm.workload.model
    assert sum(leaf.size for leaf in jax.tree.leaves(parameters(model, batch))) == PARAMETERS
    assert (model.features, model.values) == (clicks.CATEGORICAL, clicks.VALUES)


def test_loss_starts_near_an_even_guess(batch):
    model = clicks_dlrm.workload.model
    outputs = model.apply(parameters(model, batch), batch["inputs"])
    sums, counts = clicks_dlrm.workload.loss(outputs, batch["targets"])
    assert sums.sum() / counts.sum() == pytest.approx(np.log(2), abs=0.15)


@pytest.mark.parametrize(
    "options", [{}, {"layernorm": True}, {"resnet": True, "top": (32, 32)}, {"embed_init": 1.0}]
)
def test_gradients_are_finite_and_options_change_the_outputs(batch, options):
    model = clicks_dlrm.workload.model.clone(**options)
    variables = parameters(model, batch)

    def loss(variables):
        outputs = model.apply(variables, batch["inputs"])
        return clicks_dlrm.workload.loss(outputs, batch["targets"])[0].sum()

    value, gradient = jax.jit(jax.value_and_grad(loss))(variables)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(gradient))
    if options:
        base = clicks_dlrm.workload.model
        plain = base.apply(parameters(base, batch), batch["inputs"])
        plain_value = clicks_dlrm.workload.loss(plain, batch["targets"])[0].sum()
        assert abs(float(value - plain_value)) > 1e-3


def test_variants_turn_on_the_option_they_are_named_after():
    layernorm, embed_init, resnet = (variant.model for variant in clicks_dlrm.variants)
    assert layernorm.layernorm and resnet.resnet
    assert embed_init.embed_init == 5 * clicks_dlrm.workload.model.embed_init


def test_the_residual_sums_of_the_resnet_variant_act(batch):
    """Widths agree, so that taking the sums away changes the outputs."""
    model = clicks_dlrm.variants[2].model
    variables = parameters(model, batch)
    outputs = model.apply(variables, batch["inputs"])
    without = model.clone(resnet=False).apply(variables, batch["inputs"])
    assert np.abs(outputs - without).max() > 1e-2
