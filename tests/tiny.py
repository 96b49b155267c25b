"""A workload that trains in milliseconds: two Gaussian blobs, a two-layer net."""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads.datasets.blocks import BlockBuilder
from workloads.losses import softmax_cross_entropy

FINGERPRINT = "6c1fc337b605dcbff31226ab53e846d3edc4feae442c442e268e66feb31e893a"


class Blobs(BlockBuilder, skip_registration=True):
    """Two classes of integer points around +-35 on the first axis."""

    VERSION = "1.0.0"
    FEATURES: ClassVar = {"x": ((4,), np.int8), "label": ((), np.uint8)}
    ROWS_PER_RECORD = 10

    def arrays(self):
        return make_arrays()


def make_arrays():
    rng = np.random.Generator(np.random.PCG64(0))
    sizes = {"train": 200, "validation": 50, "test": 30}
    return {split: _rows(rng, count) for split, count in sizes.items()}


def _rows(rng, count):
    label = rng.integers(0, 2, count, dtype=np.uint8)
    x = rng.integers(-40, 41, (count, 4)).astype(np.int8)
    x[:, 0] += (70 * label.astype(np.int16) - 35).astype(np.int8)
    return {"x": x, "label": label}


class Net(nn.Module):
    width: int = 8
    dropout: float = 0.0
    batch_norm: bool = False
    convolution: bool = False

    @nn.compact
    def __call__(self, inputs, train=False, dropout_rate=None):
        x = inputs.astype(jnp.float32) / 10
        if self.convolution:
            x = nn.Conv(4, (3,))(x[..., None]).reshape(x.shape[0], -1)
        x = nn.Dense(self.width)(x)
        if self.batch_norm:
            x = nn.BatchNorm(use_running_average=not train, momentum=0.9)(x)
        rate = self.dropout if dropout_rate is None else dropout_rate
        x = nn.relu(x)
        if train and (not isinstance(rate, float) or rate > 0):  # it may be traced
            kept = jax.random.bernoulli(self.make_rng("dropout"), 1 - rate, x.shape)
            x = jnp.where(kept, x / (1 - rate), 0)
        return nn.Dense(2)(x)


def preprocess(arrays):
    return {"inputs": arrays["x"], "targets": arrays["label"]}


def _accuracy(outputs, targets):
    return outputs.argmax(-1) == targets, jnp.ones(targets.shape)


workload = Workload(
    name="tiny",
    dataset=Dataset("blobs", Blobs, FINGERPRINT, preprocess),
    model=Net(),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 0.2, "minimize"),
    batch_size=20,
    step_hint=100,
    eval_every=10,
    eval_batch_size=20,
    metrics=(Metric("accuracy", _accuracy),),
)
