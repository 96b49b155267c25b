"""Reconstruction of image patches from half of their Fourier columns by a small U-Net.

Stands for AlgoPerf's fastMRI U-Net: the input is the magnitude of the zero-filled inverse transform
of undersampled k-space, the target the fully sampled image.

* Data: the source is the two photographs that scikit-learn ships (`workloads.datasets.scenes`);
  2,400 patches of 32x32 pixels to train on, mirrored at random, 120 each to validate and test, from
  other columns of the photographs. Of the 32 columns of a transform 8 of low frequency are kept and
  8 random ones, other ones in each example.
* Model: a U-Net with instance norm, dropout of channels and a residual output, 102,148 parameters.
  Its first level works on squares of 2x2 pixels folded into channels, which saves most of the time
  that convolutions take on a CPU; its two levels have 32 and 64 channels.
* Stresses: regression with a residual output, where most of what is learned is a small correction
  (the best validation loss is about an eighth below that of the zero-filled input); instance norm
  makes the loss indifferent to the scale of most kernels.
* Loss: absolute error per pixel in standard deviations of the input, 0.305 for the zero-filled
  input of the validation split. The target is on it; structural similarity (SSIM) is reported.

    algoperf-lite run -w scenes_unet -s nadamw --quick

The reference, `nadamw` at its default point, reaches the target at step 435 of the step hint's 600
(median of 10 seeds; range 360 to 480, coefficient of variation 9%), in 6.3 s (5.2 to 7.3) on 2 CPU
cores. Evaluation takes 8% of the training time. Measured by ``algoperf-lite run --suite lite -s
nadamw --quick --studies 10`` and ``python -m benchmarks.trials``; `docs/workloads.md` has other
methods, and the variants.

Variants, after AlgoPerf's: `model_size` has three quarters of the channels, `tanh` takes it for
leaky ReLU, `layernorm` normalises each example as a whole for each of its channels.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads.datasets.scenes import UNIT
from workloads.dropout import dropout

WINDOW = 7  # pixels; side of the window of SSIM
RANGE = 255.0  # grey levels


def leaky_relu(x: jax.Array) -> jax.Array:
    """Leaky ReLU with the slope of fastMRI's U-Net."""
    return nn.leaky_relu(x, 0.2)


ACTIVATIONS = {"leaky_relu": leaky_relu, "tanh": nn.tanh}


class ConvBlock(nn.Module):
    """Two times: convolution of 3x3 without bias, norm, activation, dropout of whole channels.

    Attributes:
        width: channels C of the output.
        activation: ``"leaky_relu"`` or ``"tanh"``.
        norm: ``"instance"`` (each channel of each example) or ``"layer"`` (each example).
    """

    width: int
    activation: str
    norm: str

    @nn.compact
    def __call__(self, x: jax.Array, dropout_rate: Any = 0.0) -> jax.Array:
        """From (B, H, W, any) to (B, H, W, C); a `dropout_rate` of exactly 0 needs no key."""
        for i in range(2):
            x = nn.Conv(self.width, (3, 3), use_bias=False, name=f"conv_{i}")(x)
            if self.norm == "layer":
                norm = nn.LayerNorm(reduction_axes=(1, 2, 3), name=f"norm_{i}")
            else:
                norm = nn.GroupNorm(num_groups=None, group_size=1, name=f"norm_{i}")
            x = ACTIVATIONS[self.activation](norm(x))
            x = dropout(self, x, dropout_rate, shape=(x.shape[0], 1, 1, self.width))
        return x


def halved(x: jax.Array) -> jax.Array:
    """Means over squares of 2x2 pixels: (B, H, W, C) to (B, H / 2, W / 2, C)."""
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def folded(x: jax.Array) -> jax.Array:
    """Squares of 2x2 pixels to channels: (B, H, W, C) to (B, H / 2, W / 2, 4 C)."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // 2, 2, width // 2, 2, channels).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, height // 2, width // 2, 4 * channels)


def unfolded(x: jax.Array) -> jax.Array:
    """The inverse of `folded`: (B, H, W, 4 C) to (B, 2 H, 2 W, C)."""
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height, width, 2, 2, channels // 4).transpose(0, 1, 3, 2, 4, 5)
    return x.reshape(batch, 2 * height, 2 * width, channels // 4)


class Doubled(nn.Module):
    """A transposed convolution of 2x2 with stride 2, as a matrix product and a reshape.

    Attributes:
        width: channels C of the output.
    """

    width: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """From (B, H, W, any) to (B, 2 H, 2 W, C)."""
        x = nn.Dense(4 * self.width, use_bias=False, name="conv")(x)
        return unfolded(x)


class UNet(nn.Module):
    """The U-Net of fastMRI, with a residual output.

    Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597, as in Zbontar et al. 2018,
    https://arxiv.org/abs/1811.08839.

    Attributes:
        widths: channels of each level, from full resolution down.
        activation: see `ConvBlock`.
        norm: see `ConvBlock`.
        dropout_rate: in training, where the caller names none.
    """

    widths: tuple[int, ...] = (32, 64)
    activation: str = "leaky_relu"
    norm: str = "instance"
    dropout_rate: float = 0.02

    @nn.compact
    def __call__(
        self, inputs: jax.Array, train: bool = False, dropout_rate: Any = None
    ) -> jax.Array:
        """The reconstruction of zero-filled images.

        Args:
            inputs: normalised images of shape (B, H, W, 1); H and W divide by 2 for each level.
            train: whether there is dropout.
            dropout_rate: share of channels dropped, may be traced; None for the model's own.

        Returns:
            float32 of shape (B, H, W, 1): `inputs` plus the network's output.
        """
        rate = self.dropout_rate if dropout_rate is None else dropout_rate
        rate = rate if train else 0.0
        x, skips = folded(inputs), []
        for i, width in enumerate(self.widths):
            x = halved(x) if i else x
            x = ConvBlock(width, self.activation, self.norm, name=f"down_{i}")(x, rate)
            skips.append(x)
        for i, width in reversed(list(enumerate(self.widths[:-1]))):
            x = Doubled(width, name=f"upsample_{i}")(x)
            x = jnp.concatenate([x, skips[i]], axis=-1)
            x = ConvBlock(width, self.activation, self.norm, name=f"up_{i}")(x, rate)
        head = nn.Dense(4, kernel_init=nn.initializers.normal(0.02), name="conv_out")
        return inputs + unfolded(head(x))


def l1(
    outputs: jax.Array, targets: Mapping[str, jax.Array], label_smoothing: Any = 0.0
) -> tuple[jax.Array, jax.Array]:
    """Absolute error per pixel, in standard deviations of the input.

    Args:
        outputs: reconstructions of shape (B, H, W, 1).
        targets: as `normalised` makes them.
        label_smoothing: no matter, as there are no labels.

    Returns:
        Sums and counts, each of shape (B,).
    """
    del label_smoothing
    error = jnp.abs(outputs - targets["image"])
    return error.sum((1, 2, 3)), jnp.full(error.shape[0], error[0].size, jnp.float32)


def _window_means(x: jax.Array) -> jax.Array:
    """Means over all windows inside the image: (B, H, W) to (B, H - 6, W - 6)."""

    def band(size: int) -> np.ndarray:
        lag = np.arange(size) - np.arange(size - WINDOW + 1)[:, None]
        return ((lag >= 0) & (lag < WINDOW)).astype(np.float32) / WINDOW

    rows, columns = band(x.shape[1]), band(x.shape[2])
    return jnp.einsum("ih,bhw,jw->bij", rows, x, columns, precision="highest")


def ssim(outputs: jax.Array, targets: Mapping[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
    """Structural similarity of reconstruction and patch in grey levels, as fastMRI measures it.

    Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861, with uniform windows of 7x7 pixels
    that lie inside the image, sample (co)variances, and the constants ``(0.01 * 255)**2`` and
    ``(0.03 * 255)**2``.

    Args:
        outputs: normalised reconstructions of shape (B, H, W, 1).
        targets: as `normalised` makes them.

    Returns:
        Means over the windows, in [-1, 1], and ones, each of shape (B,).
    """
    x, y = outputs[..., 0], targets["image"][..., 0]
    scale, mean = (targets[name][:, None, None] for name in ("scale", "mean"))
    mean_x, mean_y = _window_means(x), _window_means(y)
    # Second moments are taken of normalised pixels, which lie near 0 and so lose few digits.
    sample = scale**2 * WINDOW**2 / (WINDOW**2 - 1)
    var_x = sample * (_window_means(x * x) - mean_x**2)
    var_y = sample * (_window_means(y * y) - mean_y**2)
    covariance = sample * (_window_means(x * y) - mean_x * mean_y)
    grey_x, grey_y = scale * mean_x + mean, scale * mean_y + mean
    c1, c2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
    luminance = (2 * grey_x * grey_y + c1) / (grey_x**2 + grey_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    similarity_B = (luminance * structure).mean((1, 2))
    return similarity_B, jnp.ones_like(similarity_B)


def normalised(rows: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Inputs and targets in units of the input's mean and standard deviation, as fastMRI does.

    Args:
        rows: ``zero_filled`` and ``image`` as `workloads.datasets.scenes.Scenes` holds them.

    Returns:
        Inputs float32 (N, H, W, 1); targets ``image`` like them, and ``mean`` and ``scale``,
        float32 (N,), in grey levels, which undo it.
    """
    filled, image = rows["zero_filled"].astype(np.int64), rows["image"].astype(np.int64)
    # The same bits everywhere: integer sums, then correctly rounded operations one by one.
    count, total = filled[0].size, filled.sum((1, 2))
    spread = np.sqrt((count * (filled**2).sum((1, 2)) - total**2).astype(np.float64))
    mean, scale = total / (count * UNIT), spread / (count * UNIT)

    def units(pixels: np.ndarray) -> np.ndarray:
        centred = pixels[..., None] - mean[:, None, None, None]
        return (centred / scale[:, None, None, None]).astype(np.float32)

    targets = {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32)}
    return {"inputs": units(filled / UNIT), "targets": {"image": units(image), **targets}}


def flips(key: jax.Array, batch: Mapping[str, Any]) -> dict[str, Any]:
    """Mirrors input and target of each example along rows, columns, both or neither.

    A mirrored patch is what the mirrored mask would have made of it, so examples stay true.

    Args:
        key: a PRNG key.
        batch: as `normalised` makes it.

    Returns:
        A batch of the same form.
    """
    inputs, image = batch["inputs"], batch["targets"]["image"]
    flip_2xB = jax.random.bernoulli(key, shape=(2, inputs.shape[0], 1, 1, 1))
    for axis in (1, 2):
        flip = flip_2xB[axis - 1]
        inputs = jnp.where(flip, jnp.flip(inputs, axis), inputs)
        image = jnp.where(flip, jnp.flip(image, axis), image)
    return {"inputs": inputs, "targets": {**batch["targets"], "image": image}}


workload = Workload(
    name="scenes_unet",
    dataset=Dataset(
        name="scenes",
        builder="workloads.datasets.scenes:Scenes",
        fingerprint="8a4bb0b89d02c02d338c2ab2c7e67accec20d585075bb11319135c2578757980",
        preprocess=normalised,
    ),
    model=UNet(),
    loss=l1,
    loss_kind="l1",
    target=Target("loss", 0.271, "minimize"),
    batch_size=16,
    step_hint=600,
    eval_every=30,
    eval_batch_size=60,
    metrics=(Metric("ssim", ssim),),
    augment=flips,
)

variants = (
    workload.with_variant(
        "model_size",
        model=replace(workload.model, widths=(24, 48)),
        target=Target("loss", 0.274, "minimize"),
    ),
    workload.with_variant(
        "tanh",
        model=replace(workload.model, activation="tanh"),
        target=Target("loss", 0.276, "minimize"),
    ),
    workload.with_variant(
        "layernorm",
        model=replace(workload.model, norm="layer"),
        target=Target("loss", 0.271, "minimize"),
    ),
)
