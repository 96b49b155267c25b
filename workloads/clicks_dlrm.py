"""Click prediction from Zipfian categorical features.

Stands for AlgoPerf's Criteo 1TB DLRM workload, one epoch within the step hint.

* Data: the source is `workloads.datasets.clicks`; 1,024,000 training rows of 12 categorical
  features with 500 Zipfian values each and 8 dense ones, clicked by a hidden model (a factorisation
  machine plus linear terms plus a cross term). On the validation split (10,000 rows, 25.8% clicks)
  the Bayes loss is 0.4425 nats and predicting the click rate gives 0.5708.
* Model: embeddings of size 16, bottom MLP 64-16, inner products of all pairs, top MLP 640-256;
  322,769 parameters, 96,000 of them embeddings.
* Stresses: rows of the embedding table whose gradients come seldom, and products of factors that
  start small.
* Loss: sigmoid cross-entropy in nats per row; the target is on it.

    algoperf-lite run -w clicks_dlrm -s nadamw --quick

Variants: `layernorm` in both MLPs; `embed_init` starts the embeddings five times as large, at about
unit length; `resnet` has a top MLP of three layers of width 320 with residual sums.

The reference, `nadamw` at its default point, reaches the target at step 1,250 of the step hint's
2,000 (median of 10 seeds; range 1,000 to 1,400, coefficient of variation 11%), in 6.0 s (4.7 to
6.7) on 2 CPU cores. Evaluation takes 6% of the training time. Measured by ``algoperf-lite run
--suite lite -s nadamw --quick --studies 10`` and ``python -m benchmarks.trials``;
`docs/workloads.md` has other methods, and the variants.

Validation loss after 2,000 steps and steps to the target, at default points (nadamw 10 seeds, the
others 3; medians):

    method                final loss   steps to target
    schedule_free_adamw       0.4770              1100
    nesterov                  0.4818              1400
    nadamw                    0.4859              1250

Seeds fall in two groups: some find more of the factorisation machine than others, and end lower by
0.005.
"""

from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.workload import Dataset, Target, Workload
from workloads import losses

DENSE_SCALE = 16.0  # integer dense features are divided by this, about their standard deviation


class MLP(nn.Module):
    """Dense layers with ReLU.

    Attributes:
        widths: of the layers.
        layernorm: normalise each layer's output before its ReLU.
        resnet: add each layer's input to its output where the widths agree.
    """

    widths: tuple[int, ...]
    layernorm: bool = False
    resnet: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """From shape (B, D) to (B, widths[-1])."""
        for width in self.widths:
            y = nn.Dense(width, kernel_init=nn.initializers.he_normal())(x)
            if self.layernorm:
                y = nn.LayerNorm()(y)
            y = nn.relu(y)
            x = x + y if self.resnet and x.shape == y.shape else y
        return x


class DLRM(nn.Module):
    """Deep learning recommendation model (Naumov et al. 2019, https://arxiv.org/abs/1906.00091).

    Dense features pass a bottom MLP to a vector of the embeddings' size; the inner products of all
    pairs of vectors, and the bottom MLP's output, pass a top MLP to one logit.

    Attributes:
        features: categorical features F.
        values: values V of each.
        embedding: size E of an embedding.
        bottom: widths of the bottom MLP before its last layer of width E.
        top: widths of the top MLP before the logit.
        embed_init: standard deviation of the embeddings at initialisation.
        layernorm: see `MLP`.
        resnet: see `MLP`.
    """

    features: int
    values: int
    embedding: int = 16
    bottom: tuple[int, ...] = (64,)
    top: tuple[int, ...] = (640, 256)
    embed_init: float = 0.05
    layernorm: bool = False
    resnet: bool = False

    @nn.compact
    def __call__(
        self, inputs: dict[str, jax.Array], train: bool = False, dropout_rate: Any = None
    ) -> jax.Array:
        """Logits of shape (B,) from ``categorical`` (B, F) and ``dense`` (B, K) integers."""
        del train, dropout_rate  # no dropout
        offsets = self.values * np.arange(self.features)
        index_BxF = inputs["categorical"].astype(jnp.int32) + offsets
        table = nn.Embed(
            self.features * self.values,
            self.embedding,
            embedding_init=nn.initializers.normal(self.embed_init),
            name="embed",
        )
        dense_BxK = inputs["dense"].astype(jnp.float32) / DENSE_SCALE
        options = {"layernorm": self.layernorm, "resnet": self.resnet}
        bottom_BxE = MLP((*self.bottom, self.embedding), **options, name="bottom")(dense_BxK)
        vectors_BxNxE = jnp.concatenate([bottom_BxE[:, None], table(index_BxF)], axis=1)
        products_BxNxN = vectors_BxNxE @ jnp.swapaxes(vectors_BxNxE, 1, 2)
        pairs = np.triu_indices(self.features + 1, k=1)
        x_BxD = jnp.concatenate([bottom_BxE, products_BxNxN[:, *pairs]], axis=1)
        x_BxD = MLP(self.top, **options, name="top")(x_BxD)
        return nn.Dense(1, name="logit")(x_BxD)[:, 0]


def to_inputs(rows: dict[str, np.ndarray]) -> dict[str, Any]:
    """Inputs are the categorical and the dense features, targets the clicks."""
    return {
        "inputs": {"categorical": rows["categorical"], "dense": rows["dense"]},
        "targets": rows["click"],
    }


workload = Workload(
    name="clicks_dlrm",
    dataset=Dataset(
        name="clicks",
        builder="workloads.datasets.clicks:Clicks",
        fingerprint="aaca20a1841ec5efe7b5bdab6974f5bb0229458cffa632ba515bf097e9d08e7f",
        preprocess=to_inputs,
    ),
    model=DLRM(features=12, values=500),
    loss=losses.sigmoid_cross_entropy,
    loss_kind="sigmoid_cross_entropy",
    target=Target("loss", 0.49, "minimize"),
    batch_size=512,
    step_hint=2000,
    eval_every=100,
    eval_batch_size=2000,
)

variants = (
    workload.with_variant(
        "layernorm",
        model=replace(workload.model, layernorm=True),
        target=Target("loss", 0.487, "minimize"),
    ),
    workload.with_variant(
        "embed_init",
        model=replace(workload.model, embed_init=0.25),
        target=Target("loss", 0.499, "minimize"),
    ),
    workload.with_variant(
        "resnet",
        model=replace(workload.model, resnet=True, top=(320, 320, 320)),
        target=Target("loss", 0.491, "minimize"),
    ),
)
