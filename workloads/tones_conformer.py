"""Made utterances transcribed by a conformer trained with CTC.

Stands for AlgoPerf's LibriSpeech Conformer (Gulati et al. 2020, https://arxiv.org/abs/2005.08100):
no alignment of tokens to frames is given, and utterances of unequal length are padded.

* Data: the source is `workloads.datasets.tones`; 16,384 training utterances of up to 48 frames by
  20 bands, noisy, each by a speaker with a pace, gain and shift in pitch of its own, that say up to
  11 of 16 tokens. The step hint is 1.9 epochs.
* Model: pairs of frames joined, then 2 conformer blocks of width 48 with 4 heads, 114,209
  parameters. As in AlgoPerf's, positions are sinusoidal and batch norm takes its statistics over
  the frames that are not padding; unlike there, a pair of Dense layers subsamples by 2, where two
  convolutions subsample by 4, and dropout is off by default, as no utterance comes more than twice.
* Stresses: matrices in unlike surroundings. Each branch has a LayerNorm before it and each block
  one after it, batch norm sits between two more matrices, gates multiply, feed-forward branches
  count half, and a depthwise kernel has 5 weights per channel. Methods that even out the singular
  values of an update gain most.
* Loss: CTC in nats per token; the target is on the token error rate of greedy decoding, over 256
  validation utterances.

    algoperf-lite run -w tones_conformer -s nadamw --quick

The reference, `nadamw` at its default point, reaches the target at step 1,440 of the step hint's
1,920 (median of 10 seeds; range 1,360 to 1,760, coefficient of variation 9%), in 8.4 s (7.6 to
10.6) on 2 CPU cores. Evaluation takes 5% of the training time. Measured by ``algoperf-lite run
--suite lite -s nadamw --quick --studies 10`` and ``python -m benchmarks.trials``;
`docs/workloads.md` has other methods, and the variants.

Variants, after AlgoPerf's: `attention_temperature` multiplies the attention scores by 1.6 (AlgoPerf
multiplies the result of attention by it), `layernorm` leaves out the LayerNorm that ends each
block, `gelu` takes GELU for swish.
"""

from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads import ctc
from workloads.datasets import tones
from workloads.dropout import dropout

ACTIVATIONS = {"swish": nn.swish, "gelu": nn.gelu}
# Half as wide as Xavier's uniform initialisation.
SMALL = nn.initializers.variance_scaling(0.25, "fan_avg", "uniform")


class DepthwiseConv(nn.Module):
    """A convolution over time of each channel by itself, "SAME" padding, without a bias.

    It adds up shifted products, since convolution primitives in loops are slow on CPU.

    Attributes:
        taps: width of the kernel, odd.
    """

    taps: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Convolves x, shape (B, T, D); same shape."""
        frames, width, reach = x.shape[1], x.shape[2], self.taps // 2
        # The shape that Flax gives depthwise kernels, whose fan-in is the number of taps.
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (self.taps, 1, width))
        padded = jnp.pad(x, ((0, 0), (reach, reach), (0, 0)))
        return sum(kernel[k] * padded[:, k : k + frames] for k in range(self.taps))


class Attention(nn.Module):
    """Multi-head self-attention in which nothing attends to padding.

    Attributes:
        heads: number of heads H, dividing D.
        temperature: factor on the scores.
    """

    heads: int
    temperature: float = 1.0

    @nn.compact
    def __call__(self, x: jax.Array, heard: jax.Array) -> jax.Array:
        """Mixes the frames of x, shape (B, T, D), that are heard, bool (B, T); same shape."""
        batch, frames, width = x.shape
        qkv = nn.Dense(3 * width, use_bias=False, kernel_init=SMALL, name="qkv")(x)
        qkv = qkv.reshape(batch, frames, 3, self.heads, width // self.heads)
        q, k, v = (jnp.moveaxis(qkv[:, :, i], 2, 1) for i in range(3))  # each (B, H, T, D / H)
        scores = self.temperature / np.sqrt(width // self.heads) * (q @ jnp.swapaxes(k, -1, -2))
        weights = nn.softmax(jnp.where(heard[:, None, None], scores, -1e30))
        mixed = jnp.moveaxis(weights @ v, 1, 2).reshape(x.shape)
        return nn.Dense(width, kernel_init=SMALL, name="out")(mixed)


class FeedForward(nn.Module):
    """LayerNorm, a hidden layer, and back to the width; half of it is added to the residual.

    Attributes:
        hidden: units of the hidden layer.
        activation: a key of `ACTIVATIONS`.
    """

    hidden: int
    activation: str

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps x, shape (B, T, D), frame by frame; same shape."""
        hidden = nn.Dense(self.hidden, kernel_init=SMALL, name="in")(nn.LayerNorm(name="norm")(x))
        hidden = ACTIVATIONS[self.activation](hidden)
        return nn.Dense(x.shape[-1], kernel_init=SMALL, name="out")(hidden)


class Convolution(nn.Module):
    """LayerNorm, gated linear unit, depthwise convolution, batch norm, activation, Dense.

    Attributes:
        taps: frames that the convolution spans.
        activation: a key of `ACTIVATIONS`.
    """

    taps: int
    activation: str

    @nn.compact
    def __call__(self, x: jax.Array, heard: jax.Array, train: bool) -> jax.Array:
        """Mixes neighbouring frames of x, shape (B, T, D), that are heard, bool (B, T)."""
        width = x.shape[-1]
        gated = nn.Dense(2 * width, kernel_init=SMALL, name="in")(nn.LayerNorm(name="norm")(x))
        gated = jnp.where(heard[..., None], nn.glu(gated), 0.0)  # padding reaches no one
        mixed = DepthwiseConv(self.taps, name="depthwise_conv")(gated)
        batch_norm = nn.BatchNorm(use_running_average=not train, momentum=0.9, name="batch_norm")
        mixed = ACTIVATIONS[self.activation](batch_norm(mixed, mask=heard[..., None]))
        return nn.Dense(width, kernel_init=SMALL, name="out")(mixed)


class Block(nn.Module):
    """A conformer block: feed-forward, attention, convolution, feed-forward, LayerNorm.

    Attributes:
        heads: attention heads.
        hidden: units of the feed-forward layers.
        taps: frames that the convolution spans.
        activation: a key of `ACTIVATIONS`.
        temperature: factor on the attention scores.
        post_norm: whether a LayerNorm ends the block.
    """

    heads: int
    hidden: int
    taps: int
    activation: str
    temperature: float
    post_norm: bool

    @nn.compact
    def __call__(self, x: jax.Array, heard: jax.Array, train: bool, rate: Any) -> jax.Array:
        """Maps x, shape (B, T, D), to the same shape; `rate` is that of dropout."""
        x += 0.5 * dropout(self, FeedForward(self.hidden, self.activation, name="first")(x), rate)
        normed = nn.LayerNorm(name="norm_attention")(x)
        attention = Attention(self.heads, self.temperature, name="attention")
        x += dropout(self, attention(normed, heard), rate)
        x += Convolution(self.taps, self.activation, name="mixing")(x, heard, train)
        x += 0.5 * dropout(self, FeedForward(self.hidden, self.activation, name="last")(x), rate)
        return nn.LayerNorm(name="norm_post")(x) if self.post_norm else x


def positions(frames: int, width: int) -> np.ndarray:
    """Sines and cosines of each frame's time, periods from 2 pi to 2 pi 10,000; (T, D) float32."""
    rates = 10_000.0 ** -np.linspace(0, 1, width // 2)
    angles = np.arange(frames)[:, None] * rates
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)


class Conformer(nn.Module):
    """Transcribes spectrograms of F bands.

    Attributes:
        vocabulary: number of tokens V, without the blank.
        width: D of the residual stream.
        depth: number of blocks.
        heads: attention heads of a block.
        hidden: units of a block's feed-forward layers.
        taps: frames that a block's convolution spans.
        stack: frames that are joined into one.
        activation: a key of `ACTIVATIONS`.
        attention_temperature: factor on the attention scores.
        post_norm: whether a LayerNorm ends each block.
        dropout_rate: of the branches of attention and feed-forward, and of the input.
    """

    vocabulary: int
    width: int = 48
    depth: int = 2
    heads: int = 4
    hidden: int = 192
    taps: int = 5
    stack: int = 2
    activation: str = "swish"
    attention_temperature: float = 1.0
    post_norm: bool = True
    dropout_rate: float = 0.0

    @nn.compact
    def __call__(
        self, inputs: dict[str, jax.Array], train: bool = False, dropout_rate: Any = None
    ) -> dict[str, jax.Array]:
        """Logits of the blank, class 0, and the tokens.

        Args:
            inputs: ``{"frames": (B, T, F), "padding": (B, T)}``, `stack` dividing T.
            train: normalise by the batch's statistics and drop units out.
            dropout_rate: overrides the model's own.

        Returns:
            ``{"logits": float32 (B, T / stack, V + 1), "padding": (B, T / stack)}``.
        """
        rate = self.dropout_rate if dropout_rate is None else dropout_rate
        rate = rate if train else 0.0
        frames = jnp.where(inputs["padding"][..., None] > 0, 0.0, inputs["frames"])
        stacked = frames.reshape(frames.shape[0], -1, self.stack * frames.shape[2])
        padding = inputs["padding"][:, :: self.stack]
        heard = padding == 0
        x = nn.relu(nn.Dense(self.width, kernel_init=SMALL, name="front_in")(stacked))
        x = nn.Dense(self.width, kernel_init=SMALL, name="front_out")(x)
        x = dropout(self, x + positions(*x.shape[1:]), rate)
        for i in range(self.depth):
            block = Block(
                heads=self.heads,
                hidden=self.hidden,
                taps=self.taps,
                activation=self.activation,
                temperature=self.attention_temperature,
                post_norm=self.post_norm,
                name=f"block_{i}",
            )
            x = block(x, heard, train, rate)
        x = nn.LayerNorm(name="norm_out")(x)
        logits = nn.Dense(self.vocabulary + 1, kernel_init=SMALL, name="head")(x)
        return {"logits": logits, "padding": padding}


workload = Workload(
    name="tones_conformer",
    dataset=Dataset(
        name="tones",
        builder="workloads.datasets.tones:Tones",
        fingerprint="f76de2ef1ea177e1b2531d4e4378d83f89b67e29ded15bef07eaf90e9a3a8e81",
        preprocess=tones.preprocess,
    ),
    model=Conformer(vocabulary=tones.VOCABULARY),
    loss=ctc.ctc_loss,
    loss_kind="ctc",
    target=Target("token_error_rate", 0.11, "minimize"),
    batch_size=16,
    step_hint=1920,
    eval_every=80,
    eval_batch_size=64,
    metrics=(Metric("token_error_rate", ctc.token_errors),),
)

variants = (
    workload.with_variant(
        "attention_temperature",
        model=replace(workload.model, attention_temperature=1.6),
        target=Target("token_error_rate", 0.11, "minimize"),
    ),
    workload.with_variant(
        "layernorm",
        model=replace(workload.model, post_norm=False),
        target=Target("token_error_rate", 0.11, "minimize"),
    ),
    workload.with_variant(
        "gelu",
        model=replace(workload.model, activation="gelu"),
        target=Target("token_error_rate", 0.1, "minimize"),
    ),
)
