"""Handwritten digits, few and badly distorted, classified by a small vision transformer.

Stands for AlgoPerf's ImageNet ViT: patches, sine-cosine positions, pre-LN blocks, mean pooling.

* Data: the source is the UCI digits (`workloads.datasets.digits`), the same 599 training images,
  distorted afresh at every step (`workloads.augment`), and 1,198 validation images as for
  `workloads.digits_resnet`.
* Model: 9 overlapping patches of 4x4 pixels, 2 blocks of width 64 with 4 heads; 84,938 parameters.
  Patches overlap since without it so few images do not teach which pixels are neighbours.
* Stresses: attention and layer norms without the prior of convolutions, so that the shape of a
  digit must be learned from noisy patches; parameters whose gradients differ much in scale.
* Loss: cross-entropy in nats per image; the target is on it.

    algoperf-lite run -w digits_vit -s nadamw --quick

The reference, `nadamw` at its default point, reaches the target at step 675 of the step hint's 900
(median of 10 seeds; range 630 to 765, coefficient of variation 5%), in 5.3 s (4.9 to 6.7) on 2 CPU
cores. Evaluation takes 7% of the training time. Measured by ``algoperf-lite run --suite lite -s
nadamw --quick --studies 10`` and ``python -m benchmarks.trials``; `docs/workloads.md` has other
methods, and the variants.

Variants: `glu` gates the MLPs, at equal size; `post_ln` normalises after each residual sum; `map`
pools by attention of one learned query.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads.augment import DIGITS
from workloads.datasets.digits import preprocess
from workloads.dropout import dropout
from workloads.losses import softmax_cross_entropy, top1

SPREAD = 20.0  # radians per patch fall from 1 to 1 / 20; slower ones would be flat on the grid


def sincos_positions(side: int, width: int) -> np.ndarray:
    """Fixed positions on a grid: sines and cosines of each coordinate at several frequencies.

    After MoCo v3 (Chen et al. 2021, https://arxiv.org/abs/2104.02057).

    Args:
        side: rows and columns of the grid.
        width: D, a multiple of 4.

    Returns:
        float32 of shape ``[side * side, D]``.
    """
    frequencies = SPREAD ** -np.linspace(0, 1, width // 4)
    grid_TxK = np.indices((side, side)).reshape(2, -1).T[:, :, None] * frequencies
    waves = np.stack([np.sin(grid_TxK), np.cos(grid_TxK)], axis=1)
    return waves.reshape(side * side, width).astype(np.float32)


def cut_patches(images: jax.Array, size: int, stride: int) -> jax.Array:
    """The square patches of square images, row by row.

    Args:
        images: shape (B, H, H, C).
        size: side of a patch in pixels.
        stride: pixels from one patch to the next.

    Returns:
        Shape (B, T, size * size * C) for T patches.
    """
    corners = np.arange(0, images.shape[1] - size + 1, stride)
    index_RxS = corners[:, None] + np.arange(size)
    patches = images[:, index_RxS[:, None, :, None], index_RxS[None, :, None, :]]
    return patches.reshape(len(images), len(corners) ** 2, -1)


class Dense(nn.Dense):
    """A dense layer that sees all positions as rows of one matrix.

    The gradient of its kernel is then one plain product, which XLA runs faster on CPU: a training
    step of 3 blocks on 64 images of 16 patches took 14 ms in place of 19 on one core.
    """

    def __call__(self, inputs: jax.Array) -> jax.Array:
        """Maps the last axis of `inputs` to `features`."""
        rows = super().__call__(inputs.reshape(-1, inputs.shape[-1]))
        return rows.reshape(*inputs.shape[:-1], self.features)


class Attention(nn.Module):
    """Multi-head attention of Q queries to T tokens.

    Queries, keys and values have no biases: that of the keys would have no gradient.

    Attributes:
        heads: number of heads, dividing D.
    """

    heads: int

    @nn.compact
    def __call__(self, queries: jax.Array, tokens: jax.Array) -> jax.Array:
        """What queries (B, Q, D) gather from tokens (B, T, D), shape (B, Q, D)."""
        width = tokens.shape[-1]

        def split(name: str, x: jax.Array) -> jax.Array:
            y = Dense(width, use_bias=False, name=name)(x)
            return y.reshape(*y.shape[:2], self.heads, width // self.heads)

        q, k = split("query", queries), split("key", tokens)
        scores = jnp.einsum("bqhc,bthc->bhqt", q, k) / np.sqrt(width // self.heads)
        mixed = jnp.einsum("bhqt,bthc->bqhc", nn.softmax(scores), split("value", tokens))
        return Dense(width, name="out")(mixed.reshape(queries.shape))


class MLP(nn.Module):
    """Two layers with GELU between them, or a gated form.

    Attributes:
        hidden: width between the layers.
        glu: multiply the hidden units by a linear gate and take two thirds as many of them, so that
            the matrices keep their size (GEGLU, https://arxiv.org/abs/2002.05202).
    """

    hidden: int
    glu: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Acts on the last axis of x and keeps its shape."""
        hidden = self.hidden * 2 // 3 if self.glu else self.hidden
        y = nn.gelu(Dense(hidden, name="in")(x))
        if self.glu:
            y *= Dense(hidden, use_bias=False, name="gate")(x)
        return Dense(x.shape[-1], name="out")(y)


class AttentionPool(nn.Module):
    """One learned query gathers all tokens, then a residual MLP (https://arxiv.org/abs/1810.00825).

    Attributes:
        heads: see `Attention`.
        hidden: see `MLP`.
    """

    heads: int
    hidden: int

    @nn.compact
    def __call__(self, tokens: jax.Array) -> jax.Array:
        """From (B, T, D) to (B, D)."""
        batch, _, width = tokens.shape
        probe = self.param("probe", nn.initializers.lecun_normal(), (1, width))
        queries = jnp.broadcast_to(probe, (batch, 1, width))
        x = Attention(self.heads, name="attention")(queries, tokens)[:, 0]
        return x + MLP(self.hidden, name="mlp")(nn.LayerNorm(name="norm")(x))


class ViT(nn.Module):
    """A vision transformer (Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929).

    Attributes:
        classes: outputs.
        patch: side of a square patch in pixels.
        stride: pixels from one patch to the next; less than `patch` to overlap, None for `patch`.
        width: D of the residual stream, a multiple of 4.
        depth: number of blocks.
        heads: attention heads of a block.
        hidden: width of a block's MLP.
        glu: see `MLP`.
        post_ln: normalise after each residual sum, not before each branch.
        attention_pool: see `AttentionPool`; otherwise tokens are averaged.
        own_dropout_rate: of each branch's output in training, where none is given.
    """

    classes: int = 10
    patch: int = 4
    stride: int | None = None
    width: int = 64
    depth: int = 2
    heads: int = 4
    hidden: int = 192
    glu: bool = False
    post_ln: bool = False
    attention_pool: bool = False
    own_dropout_rate: float = 0.0

    @nn.compact
    def __call__(self, inputs: Any, train: bool = False, dropout_rate: Any = None) -> jax.Array:
        """Logits of images.

        Args:
            inputs: square images of shape (B, H, H, C).
            train: whether to drop out, by the stream "dropout".
            dropout_rate: a float or a traced scalar, or None for the model's own rate.

        Returns:
            float32 of shape (B, classes).
        """
        rate = self.own_dropout_rate if dropout_rate is None else dropout_rate
        rate = rate if train else 0
        patches_BxTxP = cut_patches(inputs, self.patch, self.stride or self.patch)
        side = math.isqrt(patches_BxTxP.shape[1])
        x_BxTxD = Dense(self.width, name="patches")(patches_BxTxP)
        x_BxTxD += sincos_positions(side, self.width)
        for i in range(self.depth):
            attention = Attention(self.heads, name=f"attention_{i}")
            mlp = MLP(self.hidden, self.glu, name=f"mlp_{i}")
            for name, branch in (("attention", lambda y, a=attention: a(y, y)), ("mlp", mlp)):
                norm = nn.LayerNorm(name=f"norm_{i}_{name}")
                if self.post_ln:
                    x_BxTxD = norm(x_BxTxD + dropout(self, branch(x_BxTxD), rate))
                else:
                    x_BxTxD += dropout(self, branch(norm(x_BxTxD)), rate)
        if not self.post_ln:
            x_BxTxD = nn.LayerNorm(name="norm_out")(x_BxTxD)
        if self.attention_pool:
            x_BxD = AttentionPool(self.heads, self.hidden, name="pool")(x_BxTxD)
        else:
            x_BxD = x_BxTxD.mean(axis=1)
        return nn.Dense(self.classes, kernel_init=nn.initializers.normal(0.01), name="head")(x_BxD)


workload = Workload(
    name="digits_vit",
    dataset=Dataset(
        name="digits",
        builder="workloads.datasets.digits:Digits",
        fingerprint="34ce0cd4e26c73aded353090d87104eda52864d06134b2056b66b3ae0ff73d70",
        preprocess=preprocess,
    ),
    model=ViT(stride=2),
    loss=softmax_cross_entropy,
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 0.455, "minimize"),
    batch_size=128,
    step_hint=900,
    eval_every=45,
    eval_batch_size=200,
    metrics=(Metric("accuracy", top1),),
    augment=DIGITS.augment,
)

variants = (
    workload.with_variant(
        "glu", model=replace(workload.model, glu=True), target=Target("loss", 0.395, "minimize")
    ),
    workload.with_variant(
        "post_ln",
        model=replace(workload.model, post_ln=True),
        target=Target("loss", 0.455, "minimize"),
    ),
    workload.with_variant(
        "map",
        model=replace(workload.model, attention_pool=True),
        target=Target("loss", 0.42, "minimize"),
    ),
)
