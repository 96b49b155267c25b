"""Language modelling on a made language with Zipfian token frequencies.

Stands for AlgoPerf's decoder-only language model on FineWeb-Edu, trained for one epoch: no sequence
comes twice within twice the step hint.

* Data: the source is `workloads.datasets.zipf`; 45,000 training sequences of 32 predicted tokens
  from a vocabulary of 512, with Zipfian frequencies, sparse second-order transitions and copies
  from 12 tokens back. The entropy floor of the validation split is 2.675 nats per token, that of
  its token frequencies 4.540.
* Model: a pre-LN decoder-only transformer, 2 blocks of width 64 with 4 heads, 165,376 parameters.
* Stresses: unequal token frequencies, and parameters of unequal scale (logits, distance biases,
  embeddings), where one learning rate for all coordinates is slow.
* Loss: cross-entropy in nats per token; the target is on it, over 6,400 validation tokens.

    algoperf-lite run -w zipf_lm -s nadamw --quick

Variants: `qk_norm` normalises queries and keys; `z_loss` adds 0.001 times the squared log-partition
to the loss, in validation too.

The reference, `nadamw` at its default point, reaches the target at step 1,050 of the step hint's
1,400 (median of 10 seeds; range 1,050 to 1,190, coefficient of variation 5%), in 6.9 s (6.6 to 7.8)
on 2 CPU cores. Evaluation takes 6% of the training time. Measured by ``algoperf-lite run --suite
lite -s nadamw --quick --studies 10`` and ``python -m benchmarks.trials``; `docs/workloads.md` has
other methods, and the variants.

Validation loss after 1,400 steps and steps to the target, at default points (nadamw 10 seeds, the
others 3; medians):

    method                final loss   steps to target
    schedule_free_adamw       3.0217              1120
    nadamw                    3.0270              1050
    nesterov                  3.0675             never
"""

from dataclasses import dataclass, replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads import losses

# Residual branches start near zero, by 0.02 / sqrt(2 depth) as in GPT-2 (Radford et al. 2019).
BRANCH_INIT = nn.initializers.normal(0.01)


class Attention(nn.Module):
    """Causal multi-head self-attention with a learned bias for each head and distance.

    The bias (after T5, https://arxiv.org/abs/1910.10683, one bucket per distance) starts at zero
    and is learned in units of `bias_unit`, so that a head can settle on one distance, as copying
    asks, within some hundred small steps.

    Attributes:
        heads: number of heads H, dividing D.
        bias_unit: what a bias parameter of 1 adds to a score.
        qk_norm: layer-normalise queries and keys (https://arxiv.org/abs/2302.05442).
    """

    heads: int
    bias_unit: float = 8.0
    qk_norm: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Mixes each position of x, shape (B, L, D), with those before it; same shape."""
        batch, length, width = x.shape
        qkv = nn.Dense(3 * width, use_bias=False, name="qkv")(x)
        qkv = qkv.reshape(batch, length, 3, self.heads, width // self.heads)
        q, k, v = (jnp.moveaxis(qkv[:, :, i], 2, 1) for i in range(3))  # each (B, H, L, D / H)
        if self.qk_norm:
            q, k = nn.LayerNorm(name="q_norm")(q), nn.LayerNorm(name="k_norm")(k)
        bias = self.param("distance_bias", nn.initializers.zeros, (self.heads, length))
        distance_LxL = np.arange(length)[:, None] - np.arange(length)
        scores = q @ jnp.swapaxes(k, -1, -2) / np.sqrt(width // self.heads)
        scores += self.bias_unit * bias[:, np.maximum(distance_LxL, 0)]
        weights = nn.softmax(jnp.where(distance_LxL >= 0, scores, -1e30))
        mixed = jnp.moveaxis(weights @ v, 1, 2).reshape(x.shape)
        return nn.Dense(width, use_bias=False, kernel_init=BRANCH_INIT, name="out")(mixed)


class Decoder(nn.Module):
    """A pre-LN decoder-only transformer whose residual branches start near zero.

    Attributes:
        vocabulary: number of tokens V.
        width: D of the residual stream.
        depth: number of blocks.
        heads: attention heads of a block.
        hidden: width of a block's MLP.
        logit_scale: factor on the logits.
        qk_norm: see `Attention`.
    """

    vocabulary: int
    width: int = 64
    depth: int = 2
    heads: int = 4
    hidden: int = 256
    logit_scale: float = 2.0
    qk_norm: bool = False

    @nn.compact
    def __call__(
        self, inputs: jax.Array, train: bool = False, dropout_rate: Any = None
    ) -> jax.Array:
        """Logits of the token after each one.

        Args:
            inputs: tokens, integers of shape (B, L).
            train: no matter, as the model behaves alike.
            dropout_rate: no matter, as there is no dropout.

        Returns:
            float32 of shape (B, L, V).
        """
        del train, dropout_rate  # no dropout: nothing is seen twice
        init = nn.initializers.normal
        x_BxLxD = nn.Embed(self.vocabulary, self.width, embedding_init=init(0.1), name="embed")(
            inputs.astype(jnp.int32)
        )
        for i in range(self.depth):
            normed = nn.LayerNorm(name=f"norm_{i}_attention")(x_BxLxD)
            x_BxLxD += Attention(self.heads, qk_norm=self.qk_norm, name=f"attention_{i}")(normed)
            normed = nn.LayerNorm(name=f"norm_{i}_mlp")(x_BxLxD)
            hidden = nn.gelu(nn.Dense(self.hidden, name=f"mlp_{i}_in")(normed))
            branch = nn.Dense(self.width, kernel_init=BRANCH_INIT, name=f"mlp_{i}_out")
            x_BxLxD += branch(hidden)
        normed = nn.LayerNorm(name="norm_out")(x_BxLxD)
        head = nn.Dense(self.vocabulary, use_bias=False, kernel_init=init(0.005), name="head")
        return self.logit_scale * head(normed)


@dataclass(frozen=True)
class TokenLoss:
    """Cross-entropy of the next token, plus z-loss where asked for.

    Attributes:
        z_loss: weight of the squared log-partition (https://arxiv.org/abs/2204.02311).
    """

    z_loss: float = 0.0

    def __call__(
        self, outputs: jax.Array, targets: jax.Array, label_smoothing: Any = 0.0
    ) -> tuple[jax.Array, jax.Array]:
        """See `losses.softmax_cross_entropy`; outputs (B, L, V), targets (B, L)."""
        sums_B, counts_B = losses.softmax_cross_entropy(outputs, targets, label_smoothing)
        if self.z_loss:
            log_z_BxL = jax.nn.logsumexp(outputs, axis=-1)
            sums_B += self.z_loss * (log_z_BxL**2).sum(axis=1)
        return sums_B, counts_B


def next_tokens(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inputs and targets of next-token prediction: all tokens but the last, all but the first."""
    tokens = rows["tokens"]
    return {
        "inputs": np.ascontiguousarray(tokens[:, :-1]),
        "targets": np.ascontiguousarray(tokens[:, 1:]),
    }


workload = Workload(
    name="zipf_lm",
    dataset=Dataset(
        name="zipf",
        builder="workloads.datasets.zipf:ZipfLanguage",
        fingerprint="af7812ab96fbf9c38a474f31dd2e67ecf48c7d3ef26060355129d1f2b49e8349",
        preprocess=next_tokens,
    ),
    model=Decoder(vocabulary=512),
    loss=TokenLoss(),
    loss_kind="softmax_cross_entropy",
    target=Target("loss", 3.06, "minimize"),
    batch_size=16,
    step_hint=1400,
    eval_every=70,
    eval_batch_size=50,
    metrics=(Metric("accuracy", losses.top1),),
)

variants = (
    workload.with_variant(
        "qk_norm",
        model=replace(workload.model, qk_norm=True),
        target=Target("loss", 3.07, "minimize"),
    ),
    workload.with_variant(
        "z_loss", loss=TokenLoss(z_loss=1e-3), target=Target("loss", 3.09, "minimize")
    ),
)
