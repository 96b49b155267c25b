"""What workloads on real photographs share: bytes kept on the device, and cropping and flipping.

Images stay bytes until a model reads them, so that 60,000 of them take a quarter of the memory.
Shape letters: B images of H rows, W columns and C channels.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

PyTree = Any
PAD = 4  # pixels of black around an image that is cropped


class OfBytes(nn.Module):
    """A model of float images, made a model of bytes.

    Attributes:
        model: takes float32 images of shape (B, H, W, C) of mean about 0 and deviation about 1.
        mean: of each channel of the training images, on a scale where 255 is 1.
        deviation: standard deviation, likewise.
    """

    model: nn.Module
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def __call__(self, inputs: Any, train: bool = False, dropout_rate: Any = None) -> jax.Array:
        """What `model` makes of images ``uint8 [B, H, W, C]``."""
        mean, deviation = jnp.asarray(self.mean), jnp.asarray(self.deviation)
        images = (inputs.astype(jnp.float32) / 255 - mean) / deviation
        return self.model(images, train=train, dropout_rate=dropout_rate)


def crop_and_flip(key: Any, batch: PyTree) -> PyTree:
    """Shift each image by up to `PAD` pixels each way and mirror half of them.

    The augmentation of He et al. 2015 (https://arxiv.org/abs/1512.03385) for CIFAR-10, traced: the
    hook of a workload.

    Args:
        key: a PRNG key.
        batch: ``{"inputs": uint8 [B, H, W, C], ...}``.

    Returns:
        The batch with other inputs of the same form, and everything else untouched.
    """
    images = batch["inputs"]
    shift_key, flip_key = jax.random.split(key)
    padded = jnp.pad(images, ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0)))
    corner_Bx2 = jax.random.randint(shift_key, (images.shape[0], 2), 0, 2 * PAD + 1)

    def crop(image: jax.Array, corner: jax.Array) -> jax.Array:
        return jax.lax.dynamic_slice(image, (*corner, 0), images.shape[1:])

    cropped = jax.vmap(crop)(padded, corner_Bx2)
    flip_B = jax.random.bernoulli(flip_key, shape=(images.shape[0],))
    flipped = jnp.where(flip_B[:, None, None, None], cropped[:, :, ::-1], cropped)
    return {**batch, "inputs": flipped}
