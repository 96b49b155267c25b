"""Transcribing made utterances with a bidirectional LSTM.

Stands for AlgoPerf's LibriSpeech DeepSpeech workload (after Amodei et al. 2016,
https://arxiv.org/abs/1512.02595): strided convolution, residual bidirectional LSTMs and a
feed-forward layer, each behind a batch norm that leaves padding out, trained with CTC.

* Data: the source is `workloads.datasets.tones`; 16,384 training utterances of up to 48 frames of
  20 bands and up to 11 of 16 tokens.
* Model: windows of 4 frames at stride 2, two residual bidirectional LSTMs of 32 units a direction
  and a feed-forward layer of width 64, 60,753 parameters.
* Stresses: gates that saturate, gradients through 24 steps of recurrence, and a loss over unknown
  alignments, which first falls by learning where tokens are, then by learning which.
* Loss: CTC in nats per token; the target is on the token error rate of greedy decoding, over the
  256 utterances of the validation split.

    algoperf-lite run -w tones_lstm -s nadamw --quick

The reference, `nadamw` at its default point, reaches the target at step 990 of the step hint's
1,440 (median of 10 seeds; range 960 to 1,320, coefficient of variation 11%), in 5.5 s (5.0 to 7.0)
on 2 CPU cores. Evaluation takes 4% of the training time. Measured by ``algoperf-lite run --suite
lite -s nadamw --quick --studies 10`` and ``python -m benchmarks.trials``; `docs/workloads.md` has
other methods, and the variants.

Variants, after AlgoPerf's: `tanh` takes it for ReLU, `no_resnet` leaves out the residual sums,
`norm_and_spec_aug` has layer norms for batch norms and masks bands and frames at random.
"""

from dataclasses import dataclass, replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads import ctc
from workloads.datasets import tones
from workloads.dropout import dropout

ACTIVATIONS = {"relu": nn.relu, "tanh": nn.tanh}


class Recurrent(nn.Module):
    """The kernel through which an LSTM's H hidden units reach their 4 H gates."""

    units: int

    @nn.compact
    def __call__(self) -> jax.Array:
        """float32 of shape (H, 4 H)."""
        shape = (self.units, 4 * self.units)
        return self.param("kernel", nn.initializers.lecun_normal(), shape)


class BiLSTM(nn.Module):
    """Two LSTMs (Hochreiter and Schmidhuber 1997), one in each direction, in one loop over time.

    States are held at zero in the padding, so the backward one starts at the end of the utterance.

    Attributes:
        units: H of each direction.
        unroll: steps of the loop compiled as one.
    """

    units: int
    unroll: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Reads x, shape (T, B, D), where mask, shape (T, B, 1), is 1; returns (T, B, 2 H)."""
        gates, kernels = [], []
        for name in ("forward", "backward"):
            gates.append(nn.Dense(4 * self.units, name=f"{name}_input")(x))
            kernels.append(Recurrent(self.units, name=f"{name}_recurrent")())
        gates[1], mask_back = jnp.flip(gates[1], 0), jnp.flip(mask, 0)

        def step(states: Any, now: Any) -> tuple[Any, Any]:
            states = [
                _lstm_step(state, gate + state[0] @ kernel, m)
                for state, kernel, (gate, m) in zip(states, kernels, now, strict=True)
            ]
            return states, [hidden for hidden, _ in states]

        zero = jnp.zeros((x.shape[1], self.units))
        inputs = ((gates[0], mask), (gates[1], mask_back))
        _, (ahead, back) = jax.lax.scan(step, [(zero, zero)] * 2, inputs, unroll=self.unroll)
        return jnp.concatenate([ahead, jnp.flip(back, 0)], axis=-1)


def _lstm_step(state: Any, gates: jax.Array, mask: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The next hidden and cell state, each (B, H), from gates (B, 4 H); zero where mask is."""
    into, keep, out, new = jnp.split(gates, 4, axis=-1)
    cell = nn.sigmoid(keep + 1) * state[1] + nn.sigmoid(into) * nn.tanh(new)
    return mask * nn.sigmoid(out) * nn.tanh(cell), mask * cell


@dataclass(frozen=True)
class SpecAugment:
    """Silences random bands and random stretches of time (https://arxiv.org/abs/1904.08779).

    Attributes:
        masks: how many of each.
        bands: most neighbouring bands that one mask covers.
        frames: most neighbouring frames that one mask covers.
    """

    masks: int
    bands: int
    frames: int

    def __call__(self, key: Any, batch: Any) -> Any:
        """A `Workload.augment`: masks ``batch["inputs"]["frames"]``, shape (B, T, F)."""
        frames = batch["inputs"]["frames"]
        keys = jax.random.split(key)
        heard_BxT = self._heard(keys[0], frames.shape[0], frames.shape[1], self.frames)
        heard_BxF = self._heard(keys[1], frames.shape[0], frames.shape[2], self.bands)
        masked = frames * heard_BxT[:, :, None] * heard_BxF[:, None, :]
        return {**batch, "inputs": {**batch["inputs"], "frames": masked}}

    def _heard(self, key: Any, rows: int, length: int, most: int) -> jax.Array:
        """False in `masks` random intervals of 0 to `most` of `length` places, else True."""
        width_key, start_key = jax.random.split(key)
        width = jax.random.randint(width_key, (rows, self.masks, 1), 0, most + 1)
        start = jax.random.randint(start_key, (rows, self.masks, 1), 0, length)
        place = jnp.arange(length)
        return ~((place >= start) & (place < start + width)).any(axis=1)


class SpeechLSTM(nn.Module):
    """Strided convolution, residual bidirectional LSTMs, a feed-forward layer, logits per frame.

    Attributes:
        vocabulary: number of tokens V besides the blank.
        width: D of the residual stream, twice an LSTM's hidden units.
        depth: number of LSTM layers.
        activation: of convolution and feed-forward layer, ``relu`` or ``tanh``.
        residual: whether a layer's output is added to its input.
        norm: ``batch``, with a layer norm before the logits, or ``layer`` without that.
        dropout: own rate, after the convolution and after the feed-forward layer.
        blank_bias: initial bias of the blank's logit.
    """

    vocabulary: int
    width: int = 64
    depth: int = 2
    activation: str = "relu"
    residual: bool = True
    norm: str = "batch"
    dropout: float = 0.0
    blank_bias: float = -1.0

    @nn.compact
    def __call__(
        self, inputs: dict[str, jax.Array], train: bool = False, dropout_rate: Any = None
    ) -> dict[str, jax.Array]:
        """Logits of every second frame.

        Args:
            inputs: ``{"frames": (B, T, F), "padding": (B, T)}`` with an even T.
            train: normalise by the batch and drop units.
            dropout_rate: in place of the model's own.

        Returns:
            ``{"logits": float32 (B, T / 2, V + 1), "padding": (B, T / 2)}``.
        """
        rate = self.dropout if dropout_rate is None else dropout_rate
        activation = ACTIVATIONS[self.activation]
        padding = inputs["padding"][:, ::2]
        mask = (1 - padding.T)[..., None]  # (T / 2, B, 1): time comes first from here on

        def norm(x: jax.Array, name: str) -> jax.Array:
            if self.norm == "layer":
                return nn.LayerNorm(name=name)(x)
            batch_norm = nn.BatchNorm(use_running_average=not train, momentum=0.9, name=name)
            return batch_norm(x, mask=mask > 0)

        def join(x: jax.Array, branch: jax.Array) -> jax.Array:
            return x + branch if self.residual else branch

        x = nn.Dense(self.width, name="conv_in")(_windows(inputs["frames"]))
        x = dropout(self, activation(norm(x, "norm_in")), rate if train else 0)
        for i in range(self.depth):
            x = join(x, BiLSTM(self.width // 2, name=f"lstm_{i}")(norm(x, f"norm_{i}"), mask))
        hidden = nn.Dense(self.width, name="mlp")(norm(x, "norm_mlp"))
        x = join(x, dropout(self, activation(hidden), rate if train else 0))
        if self.norm == "batch":
            x = nn.LayerNorm(name="norm_out")(x)
        init = nn.initializers.normal(0.02)
        bias = jnp.zeros(self.vocabulary + 1).at[ctc.BLANK].set(self.blank_bias)
        head = nn.Dense(
            self.vocabulary + 1, kernel_init=init, bias_init=lambda *_: bias, name="head"
        )
        return {"logits": jnp.swapaxes(head(x), 0, 1), "padding": padding}


def _windows(frames: jax.Array) -> jax.Array:
    """Every second window of four frames, side by side: (B, T, F) to (T / 2, B, 4 F).

    With a dense layer after it, this is a convolution of width 4 and stride 2.
    """
    length = frames.shape[1]
    framed = jnp.pad(frames, ((0, 0), (1, 1), (0, 0)))
    stacked = jnp.concatenate([framed[:, i : i + length - 1 : 2] for i in range(4)], axis=-1)
    return jnp.swapaxes(stacked, 0, 1)


def token_error_rate(value: float) -> Target:
    """The target of a token error rate of at most `value`."""
    return Target("token_error_rate", value, "minimize")


workload = Workload(
    name="tones_lstm",
    dataset=Dataset(
        name="tones",
        builder="workloads.datasets.tones:Tones",
        fingerprint="f76de2ef1ea177e1b2531d4e4378d83f89b67e29ded15bef07eaf90e9a3a8e81",
        preprocess=tones.preprocess,
    ),
    model=SpeechLSTM(vocabulary=tones.VOCABULARY),
    loss=ctc.ctc_loss,
    loss_kind="ctc",
    target=token_error_rate(0.13),
    batch_size=32,
    step_hint=1440,
    eval_every=60,
    eval_batch_size=128,
    metrics=(Metric("token_error_rate", ctc.token_errors),),
)

variants = (
    workload.with_variant(
        "tanh",
        model=replace(workload.model, activation="tanh"),
        target=token_error_rate(0.145),
    ),
    workload.with_variant(
        "no_resnet",
        model=replace(workload.model, residual=False),
        target=token_error_rate(0.11),
    ),
    workload.with_variant(
        "norm_and_spec_aug",
        model=replace(workload.model, norm="layer"),
        augment=SpecAugment(masks=2, bands=2, frames=3),
        target=token_error_rate(0.165),
    ),
)
