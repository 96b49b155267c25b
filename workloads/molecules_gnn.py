"""Motifs of made molecules, found by a graph network.

Stands for AlgoPerf's OGBG workload (a graph network on ogbg-molpcba).

* Data: the source is `workloads.datasets.molecules`; 60,000 training graphs of 10 to 20 atoms with
  30 binary labels, which motifs of 1 to 4 bonds a molecule contains. Positives are 1% to 44% of a
  label, one label in 32 is that of another molecule, and a quarter are missing.
* Model: three blocks of a graph network on padded graphs, of width 48 with LayerNorm and dropout,
  58,734 parameters.
* Stresses: rare labels that share a network with frequent ones, sums over unlike numbers of atoms,
  and layers whose scale LayerNorm takes out, so that the learning rate sets their pace.
* Loss: sigmoid cross-entropy in nats per known label. The target is on mean average precision over
  the labels (Hu et al. 2020, https://arxiv.org/abs/2005.00687), on 1,500 validation graphs.

    algoperf-lite run -w molecules_gnn -s nadamw --quick

The reference, `nadamw` at its default point, reaches the target at step 1,100 of the step hint's
1,600 (median of 10 seeds; range 1,000 to 1,400, coefficient of variation 11%), in 5.2 s (4.5 to
6.6) on 2 CPU cores. Evaluation takes 9% of the training time. Measured by ``algoperf-lite run
--suite lite -s nadamw --quick --studies 10`` and ``python -m benchmarks.trials``;
`docs/workloads.md` has other methods, and the variants.

Variants, after AlgoPerf's: `gelu` and `silu` take those for ReLU; `model_size` has half the width,
a second hidden layer in each update, and a block less.
"""

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from algoperf_lite.workload import Dataset, Metric, Target, Workload
from workloads.average_precision import mean_average_precision
from workloads.dropout import dropout

ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "relu": nn.relu,
    "gelu": nn.gelu,
    "silu": nn.silu,
}


class Update(nn.Module):
    """New features from concatenated old ones: Dense, LayerNorm, activation and dropout, repeated.

    Attributes:
        widths: of the layers.
        activation: key of `ACTIVATIONS`.
    """

    widths: tuple[int, ...]
    activation: str

    @nn.compact
    def __call__(
        self, parts: list[jax.Array], graph: jax.Array | None, dropout_rate: Any
    ) -> jax.Array:
        """Updates bonds, atoms or whole molecules.

        Args:
            parts: features to concatenate, each (B, ..., some width).
            graph: features of the whole molecule that all of its parts see, (B, D), or None.
            dropout_rate: None for no dropout.

        Returns:
            Shape (B, ..., widths[-1]).
        """
        x = jnp.concatenate(parts, axis=-1)
        for i, width in enumerate(self.widths):
            x = nn.Dense(width, name=f"dense_{i}")(x)
            if i == 0 and graph is not None:  # a Dense of the concatenation, its graph part shared
                shared = nn.Dense(width, use_bias=False, name="from_graph")(graph)
                x += shared.reshape(shared.shape[0], *([1] * (x.ndim - 2)), width)
            x = ACTIVATIONS[self.activation](nn.LayerNorm(name=f"norm_{i}")(x))
            if dropout_rate is not None:  # one draw per molecule and feature: bits are slow on CPU
                x = dropout(self, x, dropout_rate, (x.shape[0], *[1] * (x.ndim - 2), x.shape[-1]))
        return x


class GraphNetwork(nn.Module):
    """Full graph network blocks (Battaglia et al. 2018, https://arxiv.org/abs/1806.01261).

    Each step updates bonds from their two atoms, then atoms from their bonds, then the molecule
    from the sums of both; all of them see the molecule's features of the step before. Bonds have no
    direction, so a bond sees the sum of its atoms, and one incidence matrix does for both ways.

    Attributes:
        outputs: number of labels K.
        elements: number of elements, with 0 for no atom.
        bonds: number of kinds of bonds, with 0 for no bond.
        latent: width of the embeddings.
        hidden: widths of the layers of each update, the last of which is D.
        steps: message-passing steps.
        activation: key of `ACTIVATIONS`.
        dropout_rate: where a call gives none.
    """

    outputs: int
    elements: int = 7
    bonds: int = 7
    latent: int = 48
    hidden: tuple[int, ...] = (48,)
    steps: int = 3
    activation: str = "relu"
    dropout_rate: float = 0.05

    @nn.compact
    def __call__(
        self, inputs: dict[str, jax.Array], train: bool = False, dropout_rate: Any = None
    ) -> jax.Array:
        """Logits of the labels.

        Args:
            inputs: integers ``atoms`` (B, A), ``ends`` (B, E, 2) and ``bonds`` (B, E).
            train: whether to drop features.
            dropout_rate: None for the model's own.

        Returns:
            float32 of shape (B, K).
        """
        rate = self.dropout_rate if dropout_rate is None else dropout_rate
        rate = None if not train or (isinstance(rate, int | float) and rate == 0) else rate
        atoms_BxA, bonds_BxE = inputs["atoms"].astype(jnp.int32), inputs["bonds"].astype(jnp.int32)
        atom_mask, bond_mask = (atoms_BxA > 0)[..., None], (bonds_BxE > 0)[..., None]
        incidence_BxExA = jax.nn.one_hot(inputs["ends"], atoms_BxA.shape[1]).sum(axis=2) * bond_mask
        init = nn.initializers.normal(1.0)
        atoms = nn.Embed(self.elements, self.latent, embedding_init=init, name="atoms")(atoms_BxA)
        bonds = nn.Embed(self.bonds, self.latent, embedding_init=init, name="bonds")(bonds_BxE)
        atoms, bonds, graph = atoms * atom_mask, bonds * bond_mask, None
        update = functools.partial(Update, self.hidden, self.activation)
        for i in range(self.steps):
            at_ends = incidence_BxExA @ atoms
            bonds = update(name=f"bond_{i}")([bonds, at_ends], graph, rate) * bond_mask
            around = jnp.swapaxes(incidence_BxExA, 1, 2) @ bonds
            atoms = update(name=f"atom_{i}")([atoms, around], graph, rate) * atom_mask
            whole = [atoms.sum(axis=1), bonds.sum(axis=1)] + ([] if graph is None else [graph])
            graph = update(name=f"graph_{i}")(whole, None, rate)
        init = nn.initializers.normal(0.01)
        return nn.Dense(self.outputs, kernel_init=init, name="logits")(graph)


def known_cross_entropy(
    outputs: jax.Array, targets: jax.Array, label_smoothing: Any = 0.0
) -> tuple[jax.Array, jax.Array]:
    """Sigmoid cross-entropy over the labels that are known.

    With smoothing s a label y becomes ``(1 - s) y + s / 2``.

    Args:
        outputs: logits, shape (B, K).
        targets: 0, 1 or below 0 for missing, same shape.
        label_smoothing: s in [0, 1]; may be traced.

    Returns:
        Sums in nats and numbers of known labels, each of shape (B,).
    """
    known = targets >= 0
    labels = (1 - label_smoothing) * (targets > 0) + label_smoothing / 2
    terms = jnp.where(known, optax.sigmoid_binary_cross_entropy(outputs, labels), 0)
    return terms.sum(axis=1), known.sum(axis=1).astype(outputs.dtype)


def scored(outputs: jax.Array, targets: jax.Array) -> dict[str, jax.Array]:
    """`algoperf_lite.workload.Metric` parts for `mean_average_precision`."""
    return {"scores": outputs, "labels": targets}


def to_inputs(rows: dict[str, np.ndarray]) -> dict[str, Any]:
    """Inputs are the molecule's atoms and bonds, targets its labels."""
    return {
        "inputs": {name: rows[name] for name in ("atoms", "ends", "bonds")},
        "targets": rows["labels"],
    }


workload = Workload(
    name="molecules_gnn",
    dataset=Dataset(
        name="molecules",
        builder="workloads.datasets.molecules:MoleculeGraphs",
        fingerprint="b663530dde5c9aa9c7f198e195c7ae951292d9fa24163eb6285a759abadbf62a",
        preprocess=to_inputs,
    ),
    model=GraphNetwork(outputs=30),
    loss=known_cross_entropy,
    loss_kind="sigmoid_cross_entropy",
    target=Target("mean_average_precision", 0.62, "maximize"),
    batch_size=64,
    step_hint=1600,
    eval_every=100,
    eval_batch_size=100,
    metrics=(Metric("mean_average_precision", scored, "gather", mean_average_precision),),
)

variants = (
    workload.with_variant(
        "gelu",
        model=replace(workload.model, activation="gelu"),
        target=Target("mean_average_precision", 0.62, "maximize"),
    ),
    workload.with_variant(
        "silu",
        model=replace(workload.model, activation="silu"),
        target=Target("mean_average_precision", 0.61, "maximize"),
    ),
    workload.with_variant(
        "model_size",
        model=replace(workload.model, latent=24, hidden=(48, 48), steps=2),
        target=Target("mean_average_precision", 0.535, "maximize"),
    ),
)
