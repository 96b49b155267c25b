"""Motifs against molecules written out by hand."""

import numpy as np
import pytest

from workloads.datasets import motifs
from workloads.datasets.molecules import ATOMS, BONDS, RINGS, Molecules

ELEMENTS = {"C": 1, "N": 2, "O": 3, "S": 4, "F": 5, "Cl": 6}


def molecule(atoms, bonds, rings=()):
    """One molecule: element symbols, bonds as (u, v, order), rings as lists of atoms in order."""
    ringed = {frozenset(pair) for r in rings for pair in zip(r, r[1:] + r[:1], strict=True)}
    padded = Molecules(
        atoms=np.zeros((1, ATOMS), np.uint8),
        ends=np.zeros((1, BONDS, 2), np.uint8),
        orders=np.zeros((1, BONDS), np.uint8),
        rings=np.zeros((1, RINGS), np.int32),
        in_ring=np.zeros((1, BONDS), bool),
    )
    padded.atoms[0, : len(atoms)] = [ELEMENTS[a] for a in atoms]
    for i, (u, v, order) in enumerate(bonds):
        padded.ends[0, i], padded.orders[0, i] = (u, v), order
        padded.in_ring[0, i] = frozenset((u, v)) in ringed
    for i, ring in enumerate(rings):
        padded.rings[0, i] = sum(1 << atom for atom in ring)
    return padded


def found(*args, **kwargs):
    labels = motifs.label(molecule(*args, **kwargs))[0]
    return {name for name, there in zip(motifs.NAMES, labels, strict=True) if there}


def chain(symbols, orders=None):
    """Atoms in a row."""
    orders = orders or [1] * (len(symbols) - 1)
    return list(symbols), [(i, i + 1, order) for i, order in enumerate(orders)]


def cycle(symbols, orders=None):
    """Atoms in a ring: the arguments of `molecule`."""
    count = len(symbols)
    orders = orders or [1] * count
    bonds = [(i, (i + 1) % count, order) for i, order in enumerate(orders)]
    return list(symbols), bonds, [list(range(count))]


@pytest.mark.parametrize(
    ("atoms", "bonds", "expected"),
    [
        (*chain("CCC"), set()),
        (*chain("CCO"), {"alcohol"}),
        (*chain("COC"), {"ether"}),
        (*chain("CSC"), {"thioether"}),
        (*chain("CCN", [1, 2]), {"imine"}),
        (*chain("CCN", [1, 3]), {"nitrile"}),
        (*chain("CNO"), {"hetero_bond"}),
        (*chain("CNOC"), {"hetero_bond"}),
        (*chain("CCCCC"), {"long_chain"}),
        (*chain("CCCC"), set()),
        (*chain("CCCC", [2, 1, 2]), {"conjugated"}),
        (*chain("OCCN"), {"alcohol", "amino_alcohol"}),
        (*chain("COCCCNC"), {"ether", "long_chain", "amine_3_oxygen"}),
        (*chain("COCCCCNC"), {"ether", "long_chain"}),
        (["C", "F", "Cl"], [(0, 1, 1), (0, 2, 1)], {"dihalide"}),
        (["C", "C", "C", "O"], [(0, 1, 1), (0, 2, 1), (0, 3, 2)], {"ketone"}),
        (["C", "C", "N", "O"], [(0, 1, 1), (0, 2, 1), (0, 3, 2)], {"amide"}),
        (["N", "C", "C", "C"], [(0, 1, 1), (0, 2, 1), (0, 3, 1)], {"tertiary_amine"}),
        (["C"] * 5, [(0, i, 1) for i in range(1, 5)], {"quaternary"}),
    ],
)
def test_groups(atoms, bonds, expected):
    assert found(atoms, bonds) - {"mostly_hetero"} == expected


def test_ester_and_halo_carbonyl():
    atoms, bonds = ["C", "O", "O", "C", "C", "F"], [(0, 1, 2), (0, 2, 1), (2, 3, 1), (0, 4, 1)]
    assert found(atoms[:5], bonds) == {"ester"}
    assert found(atoms, [*bonds, (4, 5, 1)]) >= {"ester", "halo_carbonyl"}


def test_counts_of_atoms():
    assert "four_oxygens" in found(*chain("OCOCOCO"))
    assert "four_oxygens" not in found(*chain("OCOCOC"))
    assert "mostly_hetero" in found(*chain("NCNCNCOOCS"))
    assert "mostly_hetero" not in found(*chain("NCNCNCOCCC"))


@pytest.mark.parametrize(
    ("symbols", "orders", "expected"),
    [
        ("CCC", None, {"small_ring"}),
        ("CCCCC", None, {"ring_plain"}),
        ("CCCCO", None, {"five_ring_hetero"}),
        ("CCCCCN", None, {"six_ring_nitrogen"}),
        ("CCNNO", None, {"hetero_bond", "mostly_hetero"}),
    ],
)
def test_rings(symbols, orders, expected):
    names = found(*cycle(symbols, orders)) - {"long_chain", "mostly_hetero"}
    assert names == expected - {"mostly_hetero"}


def test_what_hangs_on_a_ring():
    atoms, bonds, rings = cycle("CCCCC", [2, 1, 2, 1, 1])
    assert {"ring_two_doubles", "conjugated"} <= found(atoms, bonds, rings)
    atoms, bonds, rings = cycle("CCCCN")
    assert "ring_halide" in found([*atoms, "Cl"], [*bonds, (0, 5, 1)], rings)
    assert "exocyclic_double" in found([*atoms, "O"], [*bonds, (1, 5, 2)], rings)
    assert "ortho_hetero" in found([*atoms, "O"], [*bonds, (0, 5, 1)], rings)
    assert "ortho_hetero" not in found([*atoms, "O"], [*bonds, (1, 5, 1)], rings)
    crowd = [*bonds, *((i, 5 + i, 1) for i in range(4))]
    assert "crowded_ring" in found([*atoms, *"CCCC"], crowd, rings)
    assert "crowded_ring" not in found([*atoms, *"CCC"], crowd[:-1], rings)


def test_two_rings_share_an_atom_or_are_linked():
    first = [(0, 1, 1), (1, 2, 1), (2, 0, 1)]
    spiro = found(["C"] * 5, [*first, (0, 3, 1), (3, 4, 1), (4, 0, 1)], [[0, 1, 2], [0, 3, 4]])
    assert spiro == {"small_ring", "spiro", "quaternary"}
    second = [(3, 4, 1), (4, 5, 1), (5, 3, 1)]
    linked = found(["C"] * 6, [*first, *second, (0, 3, 1)], [[0, 1, 2], [3, 4, 5]])
    assert linked == {"small_ring", "linked_rings"}
