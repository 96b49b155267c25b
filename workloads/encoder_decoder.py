"""An encoder-decoder transformer that translates greedily with a cache, for translation workloads.

After Vaswani et al. 2017 (https://arxiv.org/abs/1706.03762), with learned positions, layer norms
before the branches unless told otherwise, and scores divided by the size of a head instead of its
root (Yang et al. 2022, https://arxiv.org/abs/2203.03466), which keeps attention soft at higher
learning rates.

Shape letters: B sentences, S source and T target positions, L of either, D width, H heads, V target
tokens.
"""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from workloads import translation
from workloads.dropout import dropout

KeysValues = tuple[jax.Array, jax.Array]
# Residual branches start near zero, by 0.02 / sqrt(2 depth) as in GPT-2 (Radford et al. 2019).
BRANCH_INIT = nn.initializers.normal(0.01)
EMBED_INIT = 1.0
POSITIONS = 18  # at least the longest sequence


class Attention(nn.Module):
    """Multi-head attention (https://arxiv.org/abs/1706.03762), keys and values made apart.

    Attributes:
        width: D of the residual stream.
        heads: number of heads H, dividing D.
        temperature: factor on the queries.
    """

    width: int
    heads: int
    temperature: float = 1.0

    def setup(self) -> None:
        """Names the layers."""
        self.query, self.key, self.value = (nn.Dense(self.width, use_bias=False) for _ in "qkv")
        self.out = nn.Dense(self.width, use_bias=False, kernel_init=BRANCH_INIT)

    def keys_values(self, x: jax.Array) -> KeysValues:
        """Keys and values, each (B, H, L, D / H), of what is attended to."""
        return self._split(self.key(x)), self._split(self.value(x))

    def __call__(self, x: jax.Array, attended: KeysValues, mask: jax.Array) -> jax.Array:
        """Mixes what `mask`, broadcast to (B, H, queries, keys), lets each position see."""
        keys, values = attended
        scale = self.temperature / (self.width // self.heads)
        scores = scale * self._split(self.query(x)) @ jnp.swapaxes(keys, -1, -2)
        weights = nn.softmax(jnp.where(mask, scores, -1e30))
        return self.out(jnp.moveaxis(weights @ values, 1, 2).reshape(x.shape))

    def _split(self, x: jax.Array) -> jax.Array:
        return jnp.moveaxis(x.reshape(*x.shape[:2], self.heads, -1), 2, 1)


class MLP(nn.Module):
    """Two layers, the hidden one gated (https://arxiv.org/abs/2002.05202) where `glu` says so."""

    width: int
    hidden: int
    activation: str
    glu: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """From (B, L, D) to the same shape."""
        hidden = getattr(nn, self.activation)(nn.Dense(self.hidden, name="in")(x))
        if self.glu:
            hidden *= nn.Dense(self.hidden, name="gate")(x)
        return nn.Dense(self.width, kernel_init=BRANCH_INIT, name="out")(hidden)


class Block(nn.Module):
    """Self-attention, in a decoder attention to the source, and an MLP, each on a residual.

    Attributes:
        decoder: whether it attends to the source.
        width: see `EncoderDecoder`, as for the rest.
    """

    decoder: bool
    width: int
    heads: int
    hidden: int
    activation: str
    glu: bool
    post_ln: bool
    attention_temperature: float

    def setup(self) -> None:
        """Names the layers."""
        sizes = (self.width, self.heads, self.attention_temperature)
        self.attention = Attention(*sizes)
        self.attention_norm = nn.LayerNorm()
        if self.decoder:
            self.cross_attention = Attention(*sizes)
            self.cross_attention_norm = nn.LayerNorm()
        self.mlp = MLP(self.width, self.hidden, self.activation, self.glu)
        self.mlp_norm = nn.LayerNorm()

    def source_memory(self, source: jax.Array) -> KeysValues:
        """What the decoder's attention to the encoded source needs of it, at every position."""
        return self.cross_attention.keys_values(source)

    def __call__(
        self,
        x: jax.Array,
        mask: jax.Array,
        rate: Any,
        memory: tuple[KeysValues, jax.Array] | None = None,
        cache: KeysValues | None = None,
        at: Any = 0,
    ) -> tuple[jax.Array, KeysValues]:
        """One block.

        Args:
            x: L positions; with a cache, those from `at` on.
            mask: what each of them may see of all positions.
            rate: of dropout on the branches.
            memory: `source_memory` and its mask, in a decoder.
            cache: keys and values of all positions, to be renewed at those of x.
            at: the first position of x.

        Returns:
            The same shape as x, and the keys and values of all positions.
        """
        seen = cache

        def attend(y: jax.Array) -> jax.Array:
            nonlocal seen
            new = self.attention.keys_values(y)
            seen = new if cache is None else jax.tree.map(partial(_renew, at=at), cache, new)
            return self.attention(y, seen, mask)

        x = self._residual(self.attention_norm, attend, x, rate)
        if memory is not None:
            x = self._residual(
                self.cross_attention_norm, lambda y: self.cross_attention(y, *memory), x, rate
            )
        return self._residual(self.mlp_norm, self.mlp, x, rate), seen

    def _residual(self, norm: nn.Module, branch: Any, x: jax.Array, rate: Any) -> jax.Array:
        if self.post_ln:
            return norm(x + dropout(self, branch(x), rate))
        return x + dropout(self, branch(norm(x)), rate)


def _renew(old: jax.Array, new: jax.Array, at: Any) -> jax.Array:
    return jax.lax.dynamic_update_slice_in_dim(old, new, at, axis=2)


class EncoderDecoder(nn.Module):
    """A transformer that reads a source sentence and predicts its translation token by token.

    Attributes:
        source_vocabulary: number of source tokens, 0 being padding.
        target_vocabulary: number of target tokens V, 0 being padding.
        bos: target token that decoding begins with.
        eos: target token that it ends with.
        width: D of the residual stream.
        depth: blocks of the encoder, and of the decoder.
        heads: attention heads of a block.
        hidden: width of a block's MLP.
        activation: of the MLP, a name in `flax.linen`.
        glu: see `MLP`.
        post_ln: normalise after adding a branch (as Vaswani et al. did), not the branch's input.
        attention_temperature: see `Attention`.
        dropout_rate: on embeddings and branches.
        logit_scale: factor on the logits.
    """

    source_vocabulary: int
    target_vocabulary: int
    bos: int
    eos: int
    width: int = 64
    depth: int = 2
    heads: int = 4
    hidden: int = 128
    activation: str = "relu"
    glu: bool = False
    post_ln: bool = False
    attention_temperature: float = 1.0
    dropout_rate: float = 0.0
    logit_scale: float = 2.0

    def setup(self) -> None:
        """Names the layers."""
        embed = partial(
            nn.Embed, features=self.width, embedding_init=nn.initializers.normal(EMBED_INIT)
        )
        self.source_embed = embed(self.source_vocabulary)
        self.source_position = embed(POSITIONS)
        self.target_embed = embed(self.target_vocabulary)
        self.target_position = embed(POSITIONS)
        names = ("width", "heads", "hidden", "activation", "glu", "post_ln")
        block = partial(
            Block,
            attention_temperature=self.attention_temperature,
            **{name: getattr(self, name) for name in names},
        )
        self.encoder = [block(decoder=False) for _ in range(self.depth)]
        self.decoder = [block(decoder=True) for _ in range(self.depth)]
        if not self.post_ln:
            self.encoder_norm, self.decoder_norm = nn.LayerNorm(), nn.LayerNorm()
        self.head = nn.Dense(
            self.target_vocabulary, use_bias=False, kernel_init=nn.initializers.normal(0.005)
        )

    def __call__(
        self, inputs: dict[str, jax.Array], train: bool = False, dropout_rate: Any = None
    ) -> dict[str, jax.Array]:
        """Predicts the translation, teacher-forced and, in evaluation, by itself.

        Args:
            inputs: ``source`` (B, S) and ``decoder_in`` (B, T): the begin token and all tokens of
                the translation but the last.
            train: whether to drop out, and not to decode.
            dropout_rate: instead of the model's own; may be traced.

        Returns:
            ``logits`` (B, T, V) of the token after each of ``decoder_in``; in evaluation also
            ``decoded`` (B, T), the tokens of greedy decoding; all float32.
        """
        rate = self.dropout_rate if dropout_rate is None else dropout_rate
        rate = rate if train else 0.0
        memory = self.encode(inputs["source"].astype(jnp.int32), rate)
        logits, _ = self.decode(inputs["decoder_in"].astype(jnp.int32), memory, rate)
        if train or self.is_initializing():
            return {"logits": logits}
        decoded = self.translate(memory, *inputs["decoder_in"].shape)
        return {"logits": logits, "decoded": decoded.astype(jnp.float32)}

    def encode(self, source: jax.Array, rate: Any = 0.0) -> list:
        """What each decoder block needs of the source: see `Block.source_memory`, and a mask."""
        mask_Bx1x1xS = (source != translation.PAD)[:, None, None]
        x = self.source_embed(source)
        x += self.source_position(np.arange(source.shape[1]))
        x = dropout(self, x, rate)
        for block in self.encoder:
            x, _ = block(x, mask_Bx1x1xS, rate)
        if not self.post_ln:
            x = self.encoder_norm(x)
        return [(block.source_memory(x), mask_Bx1x1xS) for block in self.decoder]

    def decode(
        self, tokens: jax.Array, memory: list, rate: Any = 0.0, caches: Any = None, at: Any = 0
    ) -> tuple[jax.Array, list[KeysValues]]:
        """Logits (B, L, V) after each token; `caches` and `at` are as in `Block`, one a block."""
        positions = at + jnp.arange(tokens.shape[1])
        length = tokens.shape[1] if caches is None else caches[0][0].shape[2]
        mask_LxT = positions[:, None] >= jnp.arange(length)
        x = self.target_embed(tokens) + self.target_position(positions)
        x, seen = dropout(self, x, rate), []
        for i, block in enumerate(self.decoder):
            cache = None if caches is None else caches[i]
            x, block_seen = block(x, mask_LxT, rate, memory[i], cache, at)
            seen.append(block_seen)
        if not self.post_ln:
            x = self.decoder_norm(x)
        return self.logit_scale * self.head(x), seen

    def translate(self, memory: list, batch: int, length: int) -> jax.Array:
        """Greedy translations, int32 (B, length), with keys and values kept between tokens."""
        model, variables = self.clone(parent=None, name=None), self.variables
        empty = jnp.zeros((batch, self.heads, length, self.width // self.heads))

        def step(caches: list, token: jax.Array, at: jax.Array) -> tuple[list, jax.Array]:
            logits, caches = model.apply(
                variables, token[:, None], memory, caches=caches, at=at, method="decode"
            )
            return caches, logits[:, 0]

        first = jnp.full((batch,), self.bos)
        caches = [(empty, empty) for _ in self.decoder]
        return translation.greedy(step, caches, first, length, self.eos)
