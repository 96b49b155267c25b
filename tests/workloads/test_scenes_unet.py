"""The patches, their undersampled transforms, SSIM, and the U-Net that is trained on them."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import scenes_unet
from workloads.datasets import scenes
from workloads.scenes_unet import UNet, flips, l1, normalised, ssim, workload

SIDE = scenes.SIDE
PARAMETERS = 102_148


@pytest.fixture(scope="module")
def arrays():
    return scenes.Scenes.arrays(None)


@pytest.fixture(scope="module")
def batch(arrays):
    rows = {name: array[:8] for name, array in arrays["validation"].items()}
    return normalised(rows)


def test_dataset_is_the_same_when_made_again_and_its_sizes_are_as_stated(arrays):
    jax.tree.map(np.testing.assert_array_equal, arrays, scenes.Scenes.arrays(None))
    assert {split: len(rows["image"]) for split, rows in arrays.items()} == scenes.ROWS


def test_no_pixel_is_in_two_splits():
    owners = np.zeros((427, 640), int)
    for split in scenes.ROWS:
        covered = np.zeros_like(owners)
        for top, left in scenes.corners(split, *owners.shape):
            covered[top : top + SIDE, left : left + SIDE] = 1
        owners += covered
    assert owners.max() == 1
    assert owners.mean() > 0.95


def test_patches_are_pieces_of_the_photographs_with_contrast(arrays):
    photographs = scenes.photographs()
    assert {image.shape for image in photographs} == {(427, 640)}
    assert {image.dtype for image in photographs} == {np.dtype(np.uint8)}
    windows = [np.lib.stride_tricks.sliding_window_view(i, (SIDE, SIDE)) for i in photographs]
    for patch in arrays["test"]["image"][:10]:
        assert any((w[:, :, 5] == patch[5]).all((1, 2)).any() for w in map(_rows, windows))
    assert min(rows["image"].std((1, 2)).min() for rows in arrays.values()) >= scenes.CONTRAST


def _rows(windows):
    """Windows of shape (h, w, H, W) as (h * w, 1, H, W)."""
    return windows.reshape(-1, 1, SIDE, SIDE)


def test_masks_keep_the_centre_and_as_many_random_columns():
    kept = scenes.masks(4000, scenes.generator(0))
    half = scenes.CENTRE // 2
    assert kept[:, :half].all() and kept[:, -half:].all()
    assert set(kept.sum(axis=1)) == {scenes.CENTRE + scenes.RANDOM}
    share = kept[:, half:-half].mean(axis=0)
    np.testing.assert_allclose(share, scenes.RANDOM / (SIDE - scenes.CENTRE), atol=0.03)


def test_integer_transform_is_the_fourier_transform_but_for_rounding(arrays):
    images = arrays["train"]["image"][:100]
    kept = scenes.masks(100, scenes.generator(1))
    spectrum = np.fft.fft(images.astype(float), axis=2) * kept[:, None, :]
    magnitude = np.abs(np.fft.ifft(spectrum, axis=2))
    filled = scenes.zero_filled(images, kept)
    assert filled.dtype == np.uint16
    np.testing.assert_allclose(filled / scenes.UNIT, magnitude, atol=0.1)


def test_with_all_columns_kept_nothing_is_lost(arrays):
    images = arrays["train"]["image"][:10]
    filled = scenes.zero_filled(images, np.ones((10, SIDE), bool))
    np.testing.assert_array_equal(filled, images.astype(int) * scenes.UNIT)


def test_rounding_of_the_cosine_table_is_far_from_ties():
    scaled = scenes.ONE * np.cos(2 * np.pi * np.arange(SIDE) / SIDE)
    assert np.abs(scaled - np.floor(scaled) - 0.5).min() > 0.01


def test_normalised_inputs_have_no_mean_and_unit_variance_and_can_be_undone(arrays):
    rows = {name: array[:20] for name, array in arrays["train"].items()}
    made = normalised(rows)
    np.testing.assert_allclose(made["inputs"].mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(made["inputs"].std((1, 2, 3)), 1, rtol=1e-5)
    mean, scale = (made["targets"][name][:, None, None] for name in ("mean", "scale"))
    grey = made["targets"]["image"][..., 0] * scale + mean
    np.testing.assert_allclose(grey, rows["image"], atol=1e-3)


def ssim_by_loops(first, second):
    """Wang et al. 2004, equation 13, window by window, in float64."""
    side, c1, c2 = 7, (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for top in range(first.shape[0] - side + 1):
        for left in range(first.shape[1] - side + 1):
            x = first[top : top + side, left : left + side].ravel()
            y = second[top : top + side, left : left + side].ravel()
            (var_x, covariance), (_, var_y) = np.cov(x, y)
            above = (2 * x.mean() * y.mean() + c1) * (2 * covariance + c2)
            below = (x.mean() ** 2 + y.mean() ** 2 + c1) * (var_x + var_y + c2)
            values.append(above / below)
    return np.mean(values)


def test_ssim_is_that_of_the_formula(batch):
    rng = np.random.default_rng(0)
    outputs = batch["inputs"] + rng.normal(0, 0.1, batch["inputs"].shape).astype(np.float32)
    found, counts = jax.jit(ssim)(outputs, batch["targets"])
    assert counts.tolist() == [1.0] * len(counts)
    mean, scale = (batch["targets"][n].astype(float)[:, None, None] for n in ("mean", "scale"))
    images = batch["targets"]["image"]
    grey = [a[..., 0].astype(float) * scale + mean for a in (outputs, images)]
    expected = [ssim_by_loops(x, y) for x, y in zip(*grey, strict=True)]
    np.testing.assert_allclose(found, expected, atol=2e-5)
    assert 0.3 < found.min() < found.max() < 0.99


def test_ssim_of_a_patch_with_itself_is_one(batch):
    found, _ = jax.jit(ssim)(jnp.asarray(batch["targets"]["image"]), batch["targets"])
    np.testing.assert_allclose(found, 1, atol=1e-5)


def test_l1_is_the_mean_absolute_error(batch):
    sums, counts = l1(batch["inputs"], batch["targets"], label_smoothing=0.3)
    error = np.abs(batch["inputs"] - batch["targets"]["image"])
    np.testing.assert_allclose(sums / counts, error.mean((1, 2, 3)), rtol=1e-5)


def test_flips_mirror_input_and_target_alike():
    shape = (64, SIDE, SIDE, 1)
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    targets = {"image": image + 1, "mean": np.zeros(64), "scale": np.ones(64)}
    out = jax.jit(flips)(jax.random.key(0), {"inputs": image, "targets": targets})
    np.testing.assert_allclose(out["inputs"] + 1, out["targets"]["image"], atol=1e-6)
    mirrored = [np.flip(image, axes) for axes in ((), (1,), (2,), (1, 2))]
    which = [(out["inputs"] == m).all((1, 2, 3)) for m in mirrored]
    np.testing.assert_array_equal(np.sum(which, axis=0), 1)
    assert np.mean(which, axis=1).min() > 0.1


@pytest.fixture(scope="module")
def started(batch):
    return jax.jit(workload.model.init)(jax.random.key(0), batch["inputs"])


def test_parameter_count_is_as_stated(started):
    count = sum(leaf.size for leaf in jax.tree.leaves(started))
    assert count == PARAMETERS
    assert f"{count:,} parameters" in scenes_unet.__doc__


def test_unfolding_undoes_folding():
    x = jnp.arange(2 * 4 * 6 * 3.0).reshape(2, 4, 6, 3)
    folded = scenes_unet.folded(x)
    assert folded.shape == (2, 2, 3, 12)
    np.testing.assert_array_equal(folded[0, 1, 2].reshape(2, 2, 3), x[0, 2:4, 4:6])
    np.testing.assert_array_equal(scenes_unet.unfolded(folded), x)


SMALL = UNet(widths=(4, 8))


def apply(model, variables, inputs, rate, key=0):
    def run(variables, rate):
        rngs = {"dropout": jax.random.key(key)}
        return model.apply(variables, inputs, train=True, dropout_rate=rate, rngs=rngs)

    return jax.jit(run, static_argnums=() if rate is not None else 1)(variables, rate)


def test_dropout_acts_in_training_only_at_its_own_or_the_traced_rate(batch):
    variables = jax.jit(SMALL.init)(jax.random.key(0), batch["inputs"])
    plain = SMALL.apply(variables, batch["inputs"])
    np.testing.assert_allclose(apply(SMALL, variables, batch["inputs"], 0.0), plain, atol=1e-5)
    strong = replace(SMALL, dropout_rate=0.5)
    own = apply(strong, variables, batch["inputs"], None)
    np.testing.assert_allclose(own, apply(SMALL, variables, batch["inputs"], 0.5), atol=1e-5)
    assert np.abs(own - plain).max() > 1e-3
    assert np.abs(own - apply(strong, variables, batch["inputs"], None, key=1)).max() > 1e-3


@pytest.mark.parametrize("change", [{"activation": "tanh"}, {"norm": "layer"}])
def test_variants_change_outputs_but_not_parameters(batch, change):
    variables = jax.jit(SMALL.init)(jax.random.key(0), batch["inputs"])
    outputs = replace(SMALL, **change).apply(variables, batch["inputs"])
    assert np.abs(outputs - SMALL.apply(variables, batch["inputs"])).max() > 1e-3


def test_the_target_lies_below_what_the_input_itself_gives(arrays):
    validation = normalised(arrays["validation"])
    sums, counts = l1(validation["inputs"], validation["targets"])
    untouched = float(sums.sum() / counts.sum())
    assert untouched == pytest.approx(0.305, abs=5e-4)
    assert 0.85 * untouched < workload.target.value < 0.95 * untouched


def test_the_network_starts_near_its_input(batch, started):
    added = jax.jit(workload.model.apply)(started, batch["inputs"]) - batch["inputs"]
    assert 0 < np.abs(added).mean() < 0.3
