"""A workload that trains in milliseconds: which side of a line integer points are on."""

from typing import ClassVar

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from algoperf_lite.workload import Dataset, Target, Workload
from workloads.datasets.blocks import BlockBuilder
from workloads.losses import softmax_cross_entropy

FINGERPRINT = "97a10423539698c2b5258f20d49f1d8f323c156889297896e59932ba2b22f48a"


class Points(BlockBuilder, skip_registration=True):
    """Integer points around +-35 on the first axis, and which of the two they are of."""

    VERSION = "1.0.0"
    FEATURES: ClassVar = {"x": ((4,), np.int8), "label": ((), np.uint8)}
    ROWS_PER_RECORD = 20

    def arrays(self):
        """All splits."""
        rng = np.random.Generator(np.random.PCG64(0))
        return {split: _rows(rng, n) for split, n in (("train", 100), ("validation", 20),
                                                      ("test", 20))}  # fmt: skip


def _rows(rng, count):
    label = rng.integers(0, 2, count, dtype=np.uint8)
    x = rng.integers(-40, 41, (count, 4)).astype(np.int8)
    x[:, 0] += (70 * label.astype(np.int16) - 35).astype(np.int8)
    return {"x": x, "label": label}


def preprocess(arrays):
    """Inputs and targets."""
    return {"inputs": arrays["x"], "targets": arrays["label"]}


class Linear(nn.Module):
    """One matrix."""

    @nn.compact
    def __call__(self, inputs, train=False, dropout_rate=None):
        """Logits ``[B, 2]``."""
        del train, dropout_rate
        matrix = self.param("matrix", nn.initializers.normal(0.1), (4, 2))
        return inputs.astype(jnp.float32) / 10 @ matrix


workload = Workload(
    name="points",
    dataset=Dataset("points", Points, FINGERPRINT, preprocess),
    model=Linear(),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 0.197, "minimize"),
    batch_size=10,
    step_hint=50,
    eval_every=5,
    eval_batch_size=20,
)
