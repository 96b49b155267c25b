from dataclasses import fields, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import digits_resnet
from workloads.augment import DIGITS, Distortion
from workloads.datasets.digits import COPIES, IMAGES_PER_SPLIT, Digits
from workloads.digits_resnet import ResNet, workload

CLEAN = Distortion(levels=16, gain=12, noise=0, zoom=0, shift=0, patch=0)
AUGMENT = jax.jit(workload.augment)


@pytest.fixture(scope="module")
def arrays():
    return Digits.arrays(None)


@pytest.fixture(scope="module")
def ink():
    from sklearn.datasets import load_digits

    return load_digits().images.astype(np.int64)


@pytest.fixture(scope="module")
def clean_batch(load_splits):
    train = load_splits(workload)["train"]
    return jax.tree.map(lambda a: jnp.asarray(a[:64]), train)


@pytest.fixture(scope="module")
def variables(subject_of):
    params, model_state = subject_of(workload).variables
    return {"params": params, **model_state}


def test_dataset_is_the_same_when_made_again(arrays):
    jax.tree.map(np.testing.assert_array_equal, arrays, Digits.arrays(None))


def test_split_sizes_and_classes(arrays):
    sizes = {name: len(split["label"]) for name, split in arrays.items()}
    assert sizes == {"train": 599, "validation": 1198, "test": 1198}
    for split in arrays.values():
        share = np.bincount(split["label"], minlength=10) / len(split["label"])
        assert share.min() > 0.06 and share.max() < 0.13


def test_splits_share_no_source_image(ink, monkeypatch):
    """With distortion replaced by plain coding, the splits hold each source image once."""
    monkeypatch.setattr(Distortion, "fixed", lambda self, images, rng: self.coded(images))
    splits = Digits.arrays(None)
    images = [splits["train"]["image"]]
    images += [splits[name]["image"][:IMAGES_PER_SPLIT] for name in ("validation", "test")]
    held = sorted(image.tobytes() for image in np.concatenate(images))
    assert held == sorted(image.tobytes() for image in DIGITS.coded(ink))
    assert len(held) == len(set(held)) == 1797
    first, second = np.split(splits["validation"]["image"], COPIES)
    np.testing.assert_array_equal(first, second)


def test_training_images_are_clean_and_the_others_noisy(arrays):
    assert set(np.unique(arrays["train"]["image"])) == set(range(32, 225, 12))
    for name in ("validation", "test"):
        image = arrays[name]["image"].astype(int)
        assert image.min() >= 1 and image.max() <= 255
        assert image[:IMAGES_PER_SPLIT].tolist() != image[IMAGES_PER_SPLIT:].tolist()


def test_without_distortion_fixed_is_the_coded_image(ink):
    rng = np.random.Generator(np.random.PCG64(0))
    np.testing.assert_array_equal(CLEAN.fixed(ink[:50], rng), CLEAN.coded(ink[:50]))


def test_without_distortion_augment_is_the_identity(ink):
    inputs = CLEAN.model_inputs(CLEAN.coded(ink[:50]))
    out = jax.jit(CLEAN.augment)(jax.random.key(0), {"inputs": inputs})["inputs"]
    np.testing.assert_allclose(out, inputs, atol=0.5 / 64 + 1e-6)  # noise of +-0 is half a byte


def test_both_forms_of_a_distortion_have_the_same_moments(ink):
    fixed = DIGITS.model_inputs(DIGITS.fixed(ink, np.random.Generator(np.random.PCG64(3))))
    clean = {"inputs": DIGITS.model_inputs(DIGITS.coded(ink))}
    traced = np.asarray(AUGMENT(jax.random.key(3), clean)["inputs"])
    np.testing.assert_allclose(traced.mean(axis=0), fixed.mean(axis=0), atol=0.12)
    np.testing.assert_allclose(traced.std(axis=0), fixed.std(axis=0), atol=0.12)
    assert abs(traced.mean() - fixed.mean()) < 0.02


def test_augmentation_keeps_range_and_labels(clean_batch):
    out = AUGMENT(jax.random.key(0), clean_batch)
    assert out["inputs"].shape == clean_batch["inputs"].shape
    assert out["inputs"].dtype == jnp.float32
    assert np.abs(out["inputs"]).max() <= 2
    np.testing.assert_array_equal(out["targets"], clean_batch["targets"])
    other = AUGMENT(jax.random.key(1), clean_batch)
    assert np.abs(out["inputs"] - other["inputs"]).mean() > 0.1


def test_the_examples_of_a_batch_are_distorted_differently():
    batch = {"inputs": jnp.full((2, 8, 8, 1), 1.5)}
    first, second = AUGMENT(jax.random.key(0), batch)["inputs"]
    assert np.abs(first - second).max() > 0.1


def test_a_distortion_must_fit_into_a_byte():
    with pytest.raises(ValueError, match="does not fit"):
        Distortion(levels=16, gain=12, noise=32, zoom=0, shift=0, patch=0)


def test_parameter_count_is_as_stated(variables):
    count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    assert count == 112_106
    assert f"{count:,} parameters" in digits_resnet.__doc__


def apply(model, variables, inputs, train=False):
    run = partial(model.apply, train=train, mutable=["batch_stats"])
    outputs, new = jax.jit(run)(variables, inputs)
    return outputs, new.get("batch_stats", variables["batch_stats"])


def test_batch_statistics_move_in_training_and_are_used_in_evaluation(clean_batch, variables):
    inputs, old = clean_batch["inputs"][:8], variables["batch_stats"]
    before, kept = apply(workload.model, variables, inputs)
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, kept, old)))
    _, new = apply(workload.model, variables, inputs, train=True)
    assert not any(jax.tree.leaves(jax.tree.map(np.array_equal, new, old)))
    after, _ = apply(workload.model, {**variables, "batch_stats": new}, inputs)
    assert np.abs(after - before).max() > 1e-3


@pytest.mark.parametrize("change", [{"activation": "silu"}, {"activation": "gelu"}])
def test_activation_changes_outputs_but_not_parameters(change):
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)
    small = ResNet(widths=(4,))
    variables = jax.jit(small.init)(jax.random.key(0), images)
    outputs, _ = apply(replace(small, **change), variables, images)
    assert np.abs(outputs - apply(small, variables, images)[0]).max() > 1e-3


def test_bn_init_scale_is_that_of_the_last_norm_of_each_branch():
    init = jax.jit(ResNet(widths=(4, 4), bn_init_scale=8.0).init)
    params = init(jax.random.key(0), np.zeros((2, 8, 8, 1), np.float32))["params"]
    scales = [value["scale"][0] for name, value in params.items() if name.startswith("BatchNorm")]
    assert sorted(scales) == [1, 1, 1, 1, 8, 8]


def test_each_variant_changes_one_option_of_the_model():
    changed = {
        variant.name.removeprefix("digits_resnet_"): [
            (field.name, getattr(variant.model, field.name))
            for field in fields(ResNet)
            if field.name not in ("parent", "name")
            and getattr(variant.model, field.name) != getattr(workload.model, field.name)
        ]
        for variant in digits_resnet.variants
    }
    assert changed == {
        "silu": [("activation", "silu")],
        "gelu": [("activation", "gelu")],
        "large_bn_init": [("bn_init_scale", 8.0)],
    }
