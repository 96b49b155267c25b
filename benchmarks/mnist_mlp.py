"""A tiny step, where dispatch is everything: MLP 784-128(sigmoid)-10, AdamW, batch 16.

    python -m benchmarks.mnist_mlp [--json] [--rounds 15]

The images are synthetic; only time is measured. The harness is compared with the bare loop as
`benchmarks.overhead` does it; it is faster because it runs a window of steps per dispatch.
"""

import click
import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import optax

from algoperf_lite import environment
from algoperf_lite.submission import OptaxSubmission
from algoperf_lite.workload import Dataset, Target, Workload
from benchmarks.overhead import compare, report
from workloads.losses import softmax_cross_entropy


class Mlp(nn.Module):
    """784-128-10 with a sigmoid."""

    @nn.compact
    def __call__(self, inputs, train=False, dropout_rate=None):
        """Logits ``[B, 10]`` of uint8 images ``[B, 28, 28]``."""
        del train, dropout_rate
        x = inputs.reshape(inputs.shape[0], -1).astype(jnp.float32) / 255
        return nn.Dense(10)(nn.sigmoid(nn.Dense(128)(x)))


WORKLOAD = Workload(
    name="mnist_mlp",
    dataset=Dataset("synthetic_28x28", "unused:Unused", "unused", dict),
    model=Mlp(),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 0.0, "minimize"),
    batch_size=16,
    step_hint=7813,
    eval_every=500,
    eval_batch_size=100,
)


def _adamw(hp, task):
    del task
    return optax.adamw(hp["learning_rate"], weight_decay=hp["weight_decay"])


ADAMW = OptaxSubmission(_adamw, default={"learning_rate": 1e-3, "weight_decay": 1e-2})


def synthetic_splits():
    """60,000 random images and labels, and a few to evaluate on."""
    rng = np.random.default_rng(0)
    counts = {"train": 60_000, "validation": 100, "test": 100}
    return {
        split: {
            "inputs": rng.integers(0, 256, (count, 28, 28), dtype=np.uint8),
            "targets": rng.integers(0, 10, count, dtype=np.int32),
        }
        for split, count in counts.items()
    }


@click.command()
@click.option("--rounds", default=15, show_default=True, help="Windows of each loop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(rounds, as_json):
    """Compare the harness with a bare loop on a tiny step."""
    environment.use_compilation_cache()
    report({WORKLOAD.name: compare(WORKLOAD, synthetic_splits(), ADAMW, rounds)}, as_json)


if __name__ == "__main__":
    main()
