"""A made workload on which every kind of parameter occurs and a step takes milliseconds."""

from __future__ import annotations

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.workload import Dataset, Target, Workload

STEPS = 60  # the step hint, and the longest that a check trains
BATCH, ROWS, CLASSES, WORDS, SIDE, WIDTH = 16, 128, 8, 40, 6, 32
DROPOUT = 0.05
DEVICES = 4


def spread(key: Any, shape: tuple[int, ...], dtype: Any = jnp.float32) -> jax.Array:
    """Numbers around zero that differ by key, of variance 1 / columns; compiled in a moment."""
    turn = 1 + jax.random.key_data(key)[-1] % 997
    return (
        jnp.sin(jnp.arange(1.0, 1 + np.prod(shape)) * turn).reshape(shape).astype(dtype)
        * (2 / shape[-1]) ** 0.5
    )


class Net(nn.Module):
    """A small image and a word to one of `CLASSES`, through a layer of each kind.

    The embedding and one weight matrix have two sides of at least 32, from which on methods that
    factor or precondition matrices do so here.
    """

    @nn.compact
    def __call__(
        self, inputs: dict[str, jax.Array], train: bool = False, dropout_rate: Any = None
    ) -> jax.Array:
        """Logits (B, CLASSES) of ``{"image": (B, SIDE, SIDE, 1), "word": (B,)}``."""
        rate = DROPOUT if dropout_rate is None else dropout_rate
        x = (inputs["image"].astype(jnp.float32) - 128) / 8
        x = nn.Conv(4, (3, 3), strides=2, kernel_init=spread)(x)
        x = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9)(x))
        x = x.reshape(len(x), -1)
        word = nn.Embed(WORDS, WIDTH, embedding_init=spread)(inputs["word"])
        x = nn.Dense(WIDTH + 1, kernel_init=spread)(jnp.concatenate([x, word], axis=-1))
        x = nn.relu(x)
        if train:
            kept = jax.random.bernoulli(self.make_rng("dropout"), 1 - rate, x.shape)
            x = jnp.where(kept, x / (1 - rate), 0)
        scale = self.param("temperature", nn.initializers.ones, ())
        return scale * nn.Dense(CLASSES, kernel_init=spread)(x)


def loss(outputs: Any, targets: Any, label_smoothing: Any = 0.0) -> tuple[Any, Any]:
    """Cross-entropy per example."""
    wanted = jax.nn.one_hot(targets, CLASSES) * (1 - label_smoothing) + label_smoothing / CLASSES
    return -(wanted * jax.nn.log_softmax(outputs)).sum(-1), jnp.ones(targets.shape)


WORKLOAD = Workload(
    name="small",
    dataset=Dataset("small", builder="", fingerprint="in memory", preprocess=lambda rows: rows),
    model=Net(),
    loss=loss,
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 0.1, "minimize"),
    batch_size=BATCH,
    step_hint=STEPS,
    eval_every=1,
    eval_batch_size=BATCH,
)


def arrays() -> dict[str, Any]:
    """The splits: an image of noise around one of `CLASSES` patterns, and a word that hints at it.

    Small integers, so that they are the same on every machine.
    """
    rng = np.random.Generator(np.random.PCG64(0))
    patterns = rng.integers(-8, 9, (CLASSES, SIDE, SIDE, 1))
    splits = {}
    for split, rows in (("train", ROWS), ("validation", 2 * BATCH), ("test", BATCH)):
        label = rng.integers(0, CLASSES, rows)
        image = patterns[label] + rng.integers(120, 137, (rows, SIDE, SIDE, 1))
        word = (label + CLASSES * rng.integers(0, WORDS // CLASSES, rows)).astype(np.int32)
        splits[split] = {
            "inputs": {"image": image.astype(np.uint8), "word": word},
            "targets": label.astype(np.int32),
        }
    return splits


@functools.cache
def loaded(devices: int = 1) -> LoadedWorkload:
    """The workload on so many local devices; the same object for all submissions."""
    return LoadedWorkload(WORKLOAD, arrays(), jax.local_devices()[:devices])
