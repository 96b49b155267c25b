"""EDIT: what is learned, and what that stresses in an optimizer.

EDIT: the source of the data, the size of the model.

    algoperf-lite check workload my_task.py
    algoperf-lite run -w my_task.py -s nadamw --quick
"""

from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite import Dataset, Metric, Target, Workload
from workloads.datasets.blocks import BlockBuilder
from workloads.losses import softmax_cross_entropy, top1

FEATURES, CLASSES = 16, 4
ROWS = {"train": 80_000, "validation": 4_000, "test": 4_000}


class MyTaskData(BlockBuilder, skip_registration=True):
    """EDIT: what a row is. Here: the class is a hidden function of integers, of two layers."""

    VERSION = "1.0.0"  # EDIT: raise it whenever `arrays` changes, so that it is prepared anew
    FEATURES: ClassVar = {"x": ((FEATURES,), np.int8), "label": ((), np.uint8)}
    ROWS_PER_RECORD = 1_000  # divides the rows of every split

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """EDIT: rows of each split, the same bits on every machine: draw integers only."""
        rng = np.random.Generator(np.random.PCG64(0))
        first = rng.integers(-9, 10, (FEATURES, 12))
        second = rng.integers(-9, 10, (12, CLASSES))
        splits = {}
        for split, rows in ROWS.items():
            x = rng.integers(-8, 9, (rows, FEATURES))
            scores = np.abs(x @ first) @ second
            label = (scores - scores.sum(axis=0) // rows).argmax(axis=1)
            splits[split] = {"x": x.astype(np.int8), "label": label.astype(np.uint8)}
        return splits


class MLP(nn.Module):
    """EDIT: the model. It is called as below; its variants differ in its attributes.

    Attributes:
        width: of the hidden layers.
        depth: number of hidden layers.
    """

    width: int = 64
    depth: int = 2

    @nn.compact
    def __call__(
        self, inputs: jax.Array, train: bool = False, dropout_rate: Any = None
    ) -> jax.Array:
        """Logits (B, CLASSES) of inputs (B, FEATURES); there is no dropout."""
        del train, dropout_rate  # None would mean the model's own rate; it may be traced
        x = inputs.astype(jnp.float32) / 5
        for _ in range(self.depth):
            x = nn.relu(nn.Dense(self.width)(x))
        return nn.Dense(CLASSES)(x)


def preprocess(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """EDIT: from the features of N rows to inputs and targets."""
    return {"inputs": rows["x"], "targets": rows["label"]}


workload = Workload(
    name="my_task",
    dataset=Dataset(
        name="my_task_data",
        builder=MyTaskData,
        # EDIT: after a change of the data, the one that the error message gives
        fingerprint="ad84d713941185fe0bc756d2fa97ee3d9dd6491fc5c5112d1120356be5e85997",
        preprocess=preprocess,
    ),
    model=MLP(),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 0.36, "minimize"),  # EDIT: `algoperf-lite targets measure -w my_task.py`
    batch_size=128,
    step_hint=600,  # EDIT: so that the reference reaches the target after 60 to 90% of it
    eval_every=30,
    eval_batch_size=1_000,
    metrics=(Metric("accuracy", top1),),
)
variants = ()  # EDIT: (workload.with_variant("wide", model=MLP(width=128), target=Target(...)),)
