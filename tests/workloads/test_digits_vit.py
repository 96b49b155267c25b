"""The vision transformer has the parts and sizes it states, and each variant differs in one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import digits_vit
from workloads.digits_vit import MLP, Dense, ViT, sincos_positions, workload

SMALL = ViT(width=8, depth=1, heads=2, hidden=12)
IMAGES = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)


def variables_of(model, inputs=IMAGES):
    return jax.jit(model.init)(jax.random.key(0), inputs)


def count(variables):
    return sum(leaf.size for leaf in jax.tree.leaves(variables))


def test_parameter_count_is_as_stated():
    parameters = count(variables_of(workload.model))
    assert f"{parameters:,} parameters" in digits_vit.__doc__


def test_the_gated_mlp_has_as_many_parameters_to_within_a_percent():
    glu, plain = (count(variables_of(workload.model.clone(glu=glu))) for glu in (True, False))
    assert abs(glu - plain) < 0.01 * plain


def test_loss_starts_at_an_even_guess():
    outputs = workload.model.apply(variables_of(workload.model), IMAGES)
    sums, _ = workload.loss(outputs, np.array([0, 1, 2]))
    assert sums.mean() == pytest.approx(np.log(10), abs=0.1)


def test_positions_tell_all_places_apart():
    positions = sincos_positions(3, 16)
    assert positions.shape == (9, 16)
    assert positions.dtype == np.float32
    distance = np.linalg.norm(positions[:, None] - positions, axis=-1)
    assert distance[~np.eye(9, dtype=bool)].min() > 0.5
    np.testing.assert_array_equal(positions[0], np.repeat([0, 1], 8))


def test_patches_are_squares_two_pixels_apart():
    patches = np.asarray(digits_vit.cut_patches(IMAGES, 4, 2)).reshape(3, 3, 3, 4, 4)
    for row in range(3):
        for column in range(3):
            expected = IMAGES[:, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4, 0]
            np.testing.assert_array_equal(patches[:, row, column], expected)


def test_dense_is_flax_dense():
    x = np.random.default_rng(1).normal(size=(2, 3, 4)).astype(np.float32)
    variables = variables_of(Dense(5), x)
    np.testing.assert_allclose(
        Dense(5).apply(variables, x), digits_vit.nn.Dense(5).apply(variables, x), rtol=1e-5
    )


def test_without_a_gate_of_ones_the_gated_mlp_is_another_function():
    x = np.ones((1, 6), np.float32)
    params = variables_of(MLP(9, glu=True), x)["params"]
    gated = MLP(9, glu=True).apply({"params": params}, x)
    ones = {**params, "gate": {"kernel": jnp.full_like(params["gate"]["kernel"], 1 / 6)}}
    plain = {name: value for name, value in params.items() if name != "gate"}
    ungated = MLP(6).apply({"params": plain}, x)
    np.testing.assert_allclose(MLP(9, glu=True).apply({"params": ones}, x), ungated, rtol=1e-5)
    assert np.abs(gated - ungated).max() > 1e-3


def test_post_ln_normalises_what_the_head_sees():
    model = SMALL.clone(post_ln=True)
    tokens = {}

    def keep(next_call, args, kwargs, context):
        outputs = next_call(*args, **kwargs)
        tokens[context.module.name] = outputs
        return outputs

    with digits_vit.nn.intercept_methods(keep):
        model.apply(variables_of(model), IMAGES)
    last = tokens["norm_0_mlp"]
    np.testing.assert_allclose(last.mean(axis=-1), 0, atol=1e-5)
    np.testing.assert_allclose(last.std(axis=-1), 1, atol=1e-2)
    assert "norm_out" not in tokens


def test_attention_pooling_has_one_probe():
    params = variables_of(SMALL.clone(attention_pool=True))["params"]
    assert params["pool"]["probe"].shape == (1, 8)


@pytest.mark.parametrize("change", [{"glu": True}, {"post_ln": True}, {"attention_pool": True}])
def test_options_change_the_outputs(change):
    model = SMALL.clone(**change)
    outputs = model.apply(variables_of(model), IMAGES)
    assert outputs.shape == (3, 10)
    assert np.abs(outputs - SMALL.apply(variables_of(SMALL), IMAGES)).max() > 1e-3


@pytest.mark.parametrize("rate", [0.5, jnp.float32(0.5)])
def test_dropout_acts_in_training_only_and_may_be_traced(rate):
    variables = variables_of(SMALL)

    def outputs(key, train, rate):
        rngs = {"dropout": jax.random.key(key)}
        return SMALL.apply(variables, IMAGES, train=train, dropout_rate=rate, rngs=rngs)

    assert np.abs(outputs(0, True, rate) - outputs(1, True, rate)).max() > 1e-4
    np.testing.assert_array_equal(outputs(0, False, rate), outputs(1, False, rate))
    np.testing.assert_array_equal(outputs(0, True, None), outputs(0, False, None))
    kept = jax.jit(lambda rate: outputs(0, True, rate))(0.0)
    np.testing.assert_allclose(kept, outputs(0, False, None), rtol=1e-4, atol=1e-5)
