"""Made molecules: random graphs with valences and rings, labelled by the motifs they contain.

A molecule has 10 to 20 atoms (hydrogen left out), six elements of unequal frequency, each with its
valence. Its bonds are a random tree, grown mostly at the newest atoms with a free valence, then up
to three bonds that close rings of 3 to 6 atoms, then double and triple bonds where valences allow.
No bond lies in two rings, so the rings of a molecule are unique.

Its labels say which of the motifs of `workloads.datasets.motifs` it contains. As in measured data,
some labels are wrong (one in `WRONG_ONE_IN` is that of another molecule, which keeps the share of
positives) and some were never measured (`MISSING_SIXTEENTHS`, by label); `MISSING` stands for
those.

    python -m workloads.datasets.molecules

prints the share of positives and of missing labels of the validation split.
"""

from typing import ClassVar, NamedTuple

import numpy as np

from workloads.datasets import motifs
from workloads.datasets.blocks import BlockBuilder
from workloads.datasets.draws import draw, generator

ATOMS = 20  # at most; the first 10 always exist
FEWEST_ATOMS = 10
RINGS = 3  # at most
BONDS = ATOMS - 1 + RINGS  # slots: bond i - 1 joins atom i to its parent, the last ones close rings
# Element 0 is no atom. The others are C, N, O, S, F, Cl.
ELEMENT_WEIGHTS = np.array([0, 58, 14, 14, 5, 5, 4])
VALENCES = np.array([0, 4, 3, 2, 2, 1, 1])
PARENT_WEIGHTS = np.array([8, 5, 2, 1])  # of the newest atom with a free valence, the next, ...
RING_WEIGHTS = np.array([1, 3, 5, 3])  # of wanting 0, 1, 2, 3 rings
RING_SIZES = np.array([3, 4, 5, 5, 5, 6, 6, 6])  # one of these is asked for at each try
RING_TRIES = 60  # of a pair of atoms and a size, after which a molecule stays with fewer rings
# Chances in 16ths, where valences allow it: of a bond with oxygen to become double, of another bond
# to become double, of any bond outside rings to become triple.
OXYGEN_DOUBLE, DOUBLE, TRIPLE = 14, 5, 3
WRONG_ONE_IN = 32
MISSING_SIXTEENTHS = np.array([1, 3, 5, 7])  # the share missing of label k is entry k modulo 4
MISSING = -1
ROWS = {"train": 60_000, "validation": 1_500, "test": 3_000}
SEEDS = {"train": 1, "validation": 2, "test": 3}


class Molecules(NamedTuple):
    """N molecules, padded.

    Attributes:
        atoms: elements, uint8 (N, ATOMS); 0 is no atom.
        ends: the two atoms of a bond, uint8 (N, BONDS, 2).
        orders: 1 to 3 bonds, uint8 (N, BONDS); 0 is no bond.
        rings: set of the atoms of a ring as bits, int32 (N, RINGS); 0 is no ring.
        in_ring: whether a bond is part of a ring, bool (N, BONDS).
    """

    atoms: np.ndarray
    ends: np.ndarray
    orders: np.ndarray
    rings: np.ndarray
    in_ring: np.ndarray


def grow_trees(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random trees of atoms within their valences.

    Args:
        rng: where the integers come from.
        rows: number of trees N.

    Returns:
        Elements (N, ATOMS), 0 where there is no atom; parent of each atom (N, ATOMS), always an
        earlier one; free valences (N, ATOMS). All int64.
    """
    sizes = rng.integers(FEWEST_ATOMS, ATOMS + 1, rows)
    elements = draw(rng, ELEMENT_WEIGHTS, (rows, ATOMS))
    parents, free = np.zeros((rows, ATOMS), np.int64), np.zeros((rows, ATOMS), np.int64)
    every = np.arange(rows)
    elements[:, 0] = 1
    free[:, 0] = VALENCES[1]
    for i in range(1, ATOMS):
        exists = i < sizes
        last_chance = free.sum(axis=1) == 1  # then only carbon keeps the tree growing for sure
        elements[:, i] = np.where(exists, np.where(last_chance, 1, elements[:, i]), 0)
        newest_first = free[:, i - 1 :: -1] > 0 if i > 1 else free[:, :1] > 0
        rank = np.minimum(draw(rng, PARENT_WEIGHTS, rows), newest_first.sum(axis=1) - 1)
        chosen = (newest_first.cumsum(axis=1) == rank[:, None] + 1).argmax(axis=1)
        parents[:, i] = i - 1 - chosen
        free[:, i] = np.where(exists, VALENCES[elements[:, i]] - 1, 0)
        free[every, parents[:, i]] -= exists
    return elements, parents, free


def close_rings(
    rng: np.random.Generator, parents: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joins pairs of atoms of a tree so that no bond is in two rings; takes from `free` in place.

    A set of tree bonds is an integer with bit i for the bond of atom i to its parent. The bonds on
    the way between two atoms are those above exactly one of the two.

    Args:
        rng: where the integers come from.
        parents: as `grow_trees` returns them, shape (N, ATOMS).
        free: free valences, shape (N, ATOMS).

    Returns:
        The pairs joined, (N, RINGS, 2), zeros where there is none; the atoms of each ring as bits,
        (N, RINGS); all tree bonds in rings as bits, (N,). All int64.
    """
    rows, every = len(parents), np.arange(len(parents))
    above = np.zeros((rows, ATOMS), np.int64)
    for i in range(1, ATOMS):
        above[:, i] = above[every, parents[:, i]] | (1 << i)
    wanted, count = draw(rng, RING_WEIGHTS, rows), np.zeros(rows, np.int64)
    pairs, rings = np.zeros((rows, RINGS, 2), np.int64), np.zeros((rows, RINGS), np.int64)
    used = np.zeros(rows, np.int64)
    for _ in range(RING_TRIES):
        u, v = rng.integers(0, ATOMS, (2, rows))
        size = RING_SIZES[rng.integers(0, len(RING_SIZES), rows)]
        way = above[every, u] ^ above[every, v]
        top = 1 << highest_bit(above[every, u] & above[every, v])  # bit 0: they meet in the root
        fits = (np.bitwise_count(way) + 1 == size) & (way & used == 0) & (count < wanted)
        fits &= (free[every, u] > 0) & (free[every, v] > 0)
        at = every[fits]
        pairs[at, count[at]] = np.stack([u[at], v[at]], axis=1)
        rings[at, count[at]] = (way | top)[at]
        free[at, u[at]] -= 1
        free[at, v[at]] -= 1
        used |= np.where(fits, way, 0)
        count += fits
    return pairs, rings, used


def highest_bit(x: np.ndarray) -> np.ndarray:
    """Index of the highest bit set in each integer below 2**ATOMS; 0 for 0."""
    return sum((x >> i > 0).astype(np.int64) for i in range(1, ATOMS))


def raise_orders(
    rng: np.random.Generator,
    elements: np.ndarray,
    ends: np.ndarray,
    exists: np.ndarray,
    in_ring: np.ndarray,
    free: np.ndarray,
) -> np.ndarray:
    """Bond orders: double and triple bonds where both ends have valences left.

    Args:
        rng: where the integers come from.
        elements: of the atoms, (N, ATOMS).
        ends: atoms of each bond, (N, BONDS, 2).
        exists: which bonds there are, bool (N, BONDS).
        in_ring: bonds that may not become triple, bool (N, BONDS).
        free: free valences (N, ATOMS), taken from in place.

    Returns:
        Orders 0 to 3, int64 (N, BONDS).
    """
    every, orders = np.arange(len(ends)), exists.astype(np.int64)
    for bond in range(BONDS):
        u, v = ends[:, bond].T
        room = np.minimum(free[every, u], free[every, v]) * exists[:, bond]
        oxygen = (elements[every, u] == motifs.OXYGEN) | (elements[every, v] == motifs.OXYGEN)
        triple = (rng.integers(0, 16, len(ends)) < TRIPLE) & ~in_ring[:, bond]
        double = rng.integers(0, 16, len(ends)) < np.where(oxygen, OXYGEN_DOUBLE, DOUBLE)
        more = np.where(triple & (room >= 2), 2, np.where(double & (room >= 1), 1, 0))
        orders[:, bond] += more
        free[every, u] -= more
        free[every, v] -= more
    return orders


def sample(rows: int, seed: int) -> Molecules:
    """Random molecules.

    Args:
        rows: number of molecules N.
        seed: of the stream they are drawn from.
    """
    rng = generator(seed)
    elements, parents, free = grow_trees(rng, rows)
    pairs, rings, used = close_rings(rng, parents, free)
    children = np.broadcast_to(np.arange(1, ATOMS), (rows, ATOMS - 1))
    tree = np.stack([children, parents[:, 1:]], axis=2)
    closes = rings > 0
    exists = np.concatenate([elements[:, 1:] > 0, closes], axis=1)
    in_ring = np.concatenate([(used[:, None] >> children & 1) > 0, closes], axis=1)
    ends = np.concatenate([tree, pairs], axis=1) * exists[:, :, None]
    orders = raise_orders(rng, elements, ends, exists, in_ring, free)
    return Molecules(
        atoms=elements.astype(np.uint8),
        ends=ends.astype(np.uint8),
        orders=orders.astype(np.uint8),
        rings=rings.astype(np.int32),
        in_ring=in_ring,
    )


def measure(rng: np.random.Generator, truth: np.ndarray) -> np.ndarray:
    """What is known of the true labels: some wrong, some missing.

    Args:
        rng: where the integers come from.
        truth: bool (N, K).

    Returns:
        0, 1 or `MISSING`, int8 (N, K).
    """
    wrong = rng.integers(0, WRONG_ONE_IN, truth.shape) == 0
    labels = np.where(wrong, np.roll(truth, 1, axis=0), truth).astype(np.int8)
    share = np.resize(MISSING_SIXTEENTHS, truth.shape[1])
    return np.where(rng.integers(0, 16, truth.shape) < share, np.int8(MISSING), labels)


def rows_of(rows: int, seed: int) -> dict[str, np.ndarray]:
    """The features of `rows` molecules; ``bonds`` is 0, the order, or 3 + the order in a ring."""
    molecules = sample(rows, seed)
    bonds = molecules.orders + 3 * molecules.in_ring.astype(np.uint8)
    labels = measure(generator(seed + 1000), motifs.label(molecules))
    return {"atoms": molecules.atoms, "ends": molecules.ends, "bonds": bonds, "labels": labels}


class MoleculeGraphs(BlockBuilder):
    """Molecule-like graphs with binary labels that say which motifs they contain."""

    VERSION = "1.0.0"
    FEATURES: ClassVar = {
        "atoms": ((ATOMS,), np.uint8),
        "ends": ((BONDS, 2), np.uint8),
        "bonds": ((BONDS,), np.uint8),
        "labels": ((len(motifs.NAMES),), np.int8),
    }
    ROWS_PER_RECORD = 500

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """See `BlockBuilder.arrays`."""
        return {split: rows_of(rows, SEEDS[split]) for split, rows in ROWS.items()}


if __name__ == "__main__":
    known = rows_of(ROWS["validation"], SEEDS["validation"])["labels"]
    for name, column in zip(motifs.NAMES, known.T, strict=True):
        positive = (column == 1).sum() / (column != MISSING).sum()
        print(f"{name:24s} {positive:7.1%} positive {(column == MISSING).mean():7.1%} missing")
