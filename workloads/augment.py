"""Image distortions in two forms of one definition: traced for training, integer for the rest.

Training draws a fresh distortion of every image at every step, on the device, in float32.
Validation and test images are distorted once, when the dataset is prepared, in integer arithmetic,
so that every machine stores the same bits. Both resample an image separably: with the tent weights
``W[i, j] = max(0, 1 - |s_i - j|)`` of source coordinates ``s_i``, the result is ``W_r X W_c^T``,
bilinear inside the image and background outside it.

Shape letters: N images of H rows and H columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

PyTree = Any
ONE = 128  # one pixel, or a zoom of one, in the fixed-point numbers of this module


@dataclass(frozen=True)
class Distortion:
    """Random zoom, shift, occlusion and noise of grey images.

    An image of ink 0 to `levels` is coded in a byte as ``floor + gain * ink + noise`` and given to
    a model as ``(byte - 128) / 64``. Nothing saturates: ``2 * noise + gain * levels <= 255``.

    Attributes:
        levels: the largest ink value of a clean image.
        gain: bytes per unit of ink.
        noise: the noise is uniform on the integers -noise to noise.
        zoom: source pixels per output pixel lie in ``1 +- zoom / 128``, one draw for each axis.
        shift: pixels moved lie in ``+- shift / 128``, one draw for each axis.
        patch: side of the square that is overwritten with background, at a random place.
    """

    levels: int
    gain: int
    noise: int
    zoom: int
    shift: int
    patch: int

    def __post_init__(self):
        if 2 * self.noise + self.gain * self.levels > 255:
            raise ValueError(f"{self} does not fit into a byte")

    @property
    def floor(self) -> int:
        """The byte of background without noise: the range of bytes is centred on 128."""
        return 128 - self.gain * self.levels // 2

    def coded(self, ink: np.ndarray) -> np.ndarray:
        """Clean images of ink, integers of shape ``[N, H, H]``, as bytes."""
        return (self.floor + self.gain * ink.astype(np.int64)).astype(np.uint8)

    def model_inputs(self, images: np.ndarray) -> np.ndarray:
        """Bytes ``[N, H, H]`` as the float32 ``[N, H, H, 1]`` that models see, about -2 to 2."""
        return ((images.astype(np.float32) - 128) / 64)[..., None]

    def fixed(self, ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One distortion of each image, in integers: the same bits on every machine.

        Args:
            ink: integers of shape ``[N, H, H]``, 0 to `levels`.
            rng: a generator over PCG64; only its ``integers`` is used.

        Returns:
            Bytes of shape ``[N, H, H]``.
        """
        count, side, _ = ink.shape
        rows, columns = (self._tents_fixed(rng, count, side) for _ in range(2))
        image = rows @ (self.gain * ink.astype(np.int64)) @ columns.transpose(0, 2, 1)
        image = (image + ONE * ONE // 2) // (ONE * ONE)
        corner = rng.integers(0, side - self.patch + 1, (count, 2, 1))
        hidden = (np.arange(side) >= corner) & (np.arange(side) < corner + self.patch)
        image = np.where(hidden[:, 0, :, None] & hidden[:, 1, None, :], 0, image)
        noise = rng.integers(-self.noise, self.noise + 1, image.shape)
        return (self.floor + image + noise).astype(np.uint8)

    def augment(self, key: Any, batch: PyTree) -> PyTree:
        """A fresh distortion of each image of a batch, traced: the hook of a workload.

        Args:
            key: a PRNG key.
            batch: ``{"inputs": clean model inputs, float32 [N, H, H, 1], ...}``.

        Returns:
            The batch with its inputs distorted and everything else untouched.
        """
        images = batch["inputs"][..., 0]
        count, side, _ = images.shape
        background = (self.floor - 128) / 64
        row_key, column_key, patch_key, noise_key = jax.random.split(key, 4)
        rows = self._tents_traced(row_key, count, side)
        columns = self._tents_traced(column_key, count, side)
        images = jnp.einsum("nij,njk,nlk->nil", rows, images - background, columns)
        corner = jax.random.randint(patch_key, (count, 2, 1), 0, side - self.patch + 1)
        hidden = (jnp.arange(side) >= corner) & (jnp.arange(side) < corner + self.patch)
        images = jnp.where(hidden[:, 0, :, None] & hidden[:, 1, None, :], 0.0, images)
        span = (self.noise + 0.5) / 64
        noise = jax.random.uniform(noise_key, images.shape, jnp.float32, -span, span)
        return {**batch, "inputs": (background + images + noise)[..., None]}

    def _tents_fixed(self, rng: np.random.Generator, count: int, side: int) -> np.ndarray:
        """Tent weights ``[N, H, H]`` in units of 1 / `ONE`."""
        zoom = ONE + rng.integers(-self.zoom, self.zoom + 1, (count, 1))
        shift = rng.integers(-self.shift, self.shift + 1, (count, 1))
        middle = side - 1  # in half pixels
        source = ((2 * np.arange(side) - middle) * zoom + middle * ONE) // 2 + shift
        return np.maximum(0, ONE - np.abs(source[:, :, None] - ONE * np.arange(side)))

    def _tents_traced(self, key: Any, count: int, side: int) -> jax.Array:
        """Tent weights ``[N, H, H]``."""
        zoom, shift = jax.random.uniform(key, (2, count, 1), jnp.float32, -1, 1)
        middle = (side - 1) / 2
        source = (jnp.arange(side) - middle) * (1 + zoom * self.zoom / ONE) + middle
        source = source + shift * self.shift / ONE
        return jnp.maximum(0.0, 1 - jnp.abs(source[:, :, None] - jnp.arange(side)))


DIGITS = Distortion(levels=16, gain=12, noise=31, zoom=24, shift=96, patch=3)
