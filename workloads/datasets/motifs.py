"""Which motifs a made molecule contains: the true labels of `workloads.datasets.molecules`.

A motif is a pattern of elements, bond orders, degrees and rings that spans 1 to 4 bonds, or a
condition on several such patterns. All of it is integer and boolean arithmetic over N molecules at
once. "Near" below means joined by a bond; degrees count bonded atoms, not hydrogen.
"""

from typing import Any

import numpy as np

SLOTS = 4  # neighbours of an atom at most
CARBON, NITROGEN, OXYGEN, SULFUR, FLUORINE, CHLORINE = range(1, 7)


class Neighbours:
    """Who is bonded to whom, as a table of up to `SLOTS` neighbours for each of A atoms.

    Attributes:
        orders: of the bond to each neighbour, 0 where there is none, uint8 (SLOTS, N, A).
        in_ring: whether that bond is part of a ring, bool (SLOTS, N, A).
    """

    def __init__(self, molecules: Any):
        rows, atoms = molecules.atoms.shape
        every, filled = np.arange(rows), np.zeros((rows, atoms), np.int64)
        self._index = np.full((SLOTS, rows, atoms), atoms, np.int64)  # atom A: none
        self.orders = np.zeros((SLOTS, rows, atoms), np.uint8)
        self.in_ring = np.zeros((SLOTS, rows, atoms), bool)
        for bond in range(molecules.orders.shape[1]):
            here = every[molecules.orders[:, bond] > 0]
            u, v = molecules.ends[here, bond].T.astype(np.int64)
            for a, b in ((u, v), (v, u)):
                slot = filled[here, a]
                self._index[slot, here, a] = b
                self.orders[slot, here, a] = molecules.orders[here, bond]
                self.in_ring[slot, here, a] = molecules.in_ring[here, bond]
                filled[here, a] += 1
        self._index += (atoms + 1) * every[:, None]

    def near(self, atoms: np.ndarray, bonds: np.ndarray | bool = True) -> np.ndarray:
        """How many of `atoms`, bool (N, A), are near each atom by one of `bonds`; int8 (N, A)."""
        padded = np.pad(atoms, ((0, 0), (0, 1)))
        return (padded.ravel()[self._index] & bonds).sum(axis=0, dtype=np.int8)


def _groups(molecules: Any, table: Neighbours) -> dict[str, np.ndarray]:
    """Functional groups, chains and branches, each found at atoms of (N, A)."""
    atoms = molecules.atoms
    near, single, double = table.near, table.orders == 1, table.orders == 2
    any_atom, outside = atoms > 0, ~table.in_ring
    carbon, nitrogen, oxygen = atoms == CARBON, atoms == NITROGEN, atoms == OXYGEN
    sulfur, halogen = atoms == SULFUR, atoms >= FLUORINE
    degree, hetero = near(any_atom), ~carbon & any_atom
    carbonyl = carbon & (near(oxygen, double) > 0)
    hydroxyl = oxygen & (degree == 1) & (near(carbon, single) == 1)
    alkene = carbon & (near(carbon, double) > 0)
    amine = nitrogen & (near(any_atom, single) == degree)
    chain = carbon & (degree == 2) & (near(any_atom, single) == 2)
    by_oxygen, by_amine = carbon & (near(oxygen) > 0), carbon & (near(amine) > 0)
    both = by_oxygen & by_amine
    pairs = near(by_oxygen) * near(by_amine) - near(both)
    amide = carbonyl & (near(nitrogen, single) > 0)
    return {
        "ketone": carbonyl & (near(carbon) == 2),
        "amide": amide,
        "ester": carbonyl & (near(oxygen & (degree == 2), single) > 0),
        "alcohol": hydroxyl & (near(carbonyl) == 0),
        "ether": oxygen & (near(carbon & ~carbonyl, single & outside) == 2),
        "thioether": sulfur & (near(carbon, single) == 2),
        "tertiary_amine": amine & (near(carbon) == 3),
        "imine": carbon & (near(nitrogen, double) > 0),
        "nitrile": nitrogen & (near(carbon, table.orders == 3) > 0),
        "hetero_bond": nitrogen & (near(nitrogen | oxygen) > 0),
        "dihalide": near(halogen) >= 2,
        "quaternary": carbon & (near(carbon) == 4),
        "conjugated": alkene & (near(carbonyl | alkene, single) > 0),
        "halo_carbonyl": carbon & (near(halogen) > 0) & (near(carbonyl) > 0),
        "amino_alcohol": near(carbon & (near(hydroxyl) > 0)) * near(amine) > 0,
        "amine_3_oxygen": carbon & (pairs > 0),
        "long_chain": chain & (near(chain & (near(chain) == 2)) > 0),
        "four_oxygens": oxygen.sum(axis=1) >= 4,
        "mostly_hetero": 5 * hetero.sum(axis=1) >= 2 * any_atom.sum(axis=1) + 4,
    }


def _rings(molecules: Any, table: Neighbours) -> dict[str, np.ndarray]:
    """Motifs of rings, found at atoms of (N, A) or at rings of (N, R)."""
    atoms, near = molecules.atoms, table.near
    bits = np.arange(atoms.shape[1])
    member = (molecules.rings[:, :, None] >> bits & 1) > 0  # (N, R, A)
    size, ringed = member.sum(axis=2), member.sum(axis=1)
    inside, outside, double = table.in_ring, ~table.in_ring, table.orders == 2
    hetero = (atoms >= NITROGEN) & (atoms <= SULFUR)

    def inner(found: np.ndarray) -> np.ndarray:
        return (member & found[:, None]).sum(axis=2)

    unsaturated = near(atoms > 0, inside & double) > 0
    ring_hetero, outer_hetero = hetero & (ringed > 0), near(hetero, outside) > 0
    return {
        "small_ring": (size == 3) | (size == 4),
        "five_ring_hetero": (size == 5) & (inner(hetero) == 1),
        "six_ring_nitrogen": (size == 6) & (inner(atoms == NITROGEN) > 0),
        "ring_two_doubles": inner(unsaturated) >= 4,
        "ring_plain": (size >= 5) & (inner(atoms != CARBON) == 0),
        "spiro": ringed == 2,
        "linked_rings": (ringed > 0) & (near(ringed > 0, outside) > 0),
        "ring_halide": (ringed > 0) & (near(atoms >= FLUORINE, outside) > 0),
        "exocyclic_double": (ringed > 0) & (near(atoms > 0, outside & double) > 0),
        "ortho_hetero": (ringed > 0) & (near(ring_hetero, inside) > 0) & outer_hetero,
        "crowded_ring": inner(near(atoms > 0, outside) > 0) >= 4,
    }


NAMES = (
    *("ketone", "amide", "ester", "alcohol", "ether", "thioether", "tertiary_amine"),
    *("imine", "nitrile", "hetero_bond", "dihalide", "quaternary", "conjugated", "halo_carbonyl"),
    *("amino_alcohol", "amine_3_oxygen", "long_chain", "four_oxygens"),
    *("mostly_hetero", "small_ring", "five_ring_hetero", "six_ring_nitrogen", "ring_two_doubles"),
    *("ring_plain", "spiro", "linked_rings", "ring_halide", "exocyclic_double", "ortho_hetero"),
    "crowded_ring",
)


def label(molecules: Any) -> np.ndarray:
    """The true labels.

    Args:
        molecules: `workloads.datasets.molecules.Molecules`.

    Returns:
        bool (N, K) in the order of `NAMES`.
    """
    table = Neighbours(molecules)
    found = {**_groups(molecules, table), **_rings(molecules, table)}
    columns = [found[name].reshape(len(molecules.atoms), -1).any(axis=1) for name in NAMES]
    return np.stack(columns, axis=1)
