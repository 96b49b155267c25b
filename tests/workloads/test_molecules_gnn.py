"""Made molecules keep the rules they state; the graph network on them starts out sane."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from workloads import molecules_gnn
from workloads.datasets import molecules, motifs

ROWS = 1_000
PARAMETERS = 58_734


@pytest.fixture(scope="module")
def drawn():
    return molecules.sample(ROWS, 7)


@pytest.fixture(scope="module")
def rows():
    return molecules.rows_of(ROWS, 7)


@pytest.fixture(scope="module")
def started(rows):
    batch = molecules_gnn.to_inputs({name: array[:16] for name, array in rows.items()})
    model = molecules_gnn.workload.model
    return model, jax.jit(model.init)(jax.random.key(0), batch["inputs"]), batch


def adjacency(drawn):
    """Bond orders between atoms, int64 (N, ATOMS, ATOMS)."""
    orders = np.zeros((ROWS, molecules.ATOMS, molecules.ATOMS), np.int64)
    every = np.arange(ROWS)
    for bond in range(molecules.BONDS):
        u, v = drawn.ends[:, bond].T
        np.add.at(orders, (every, u, v), drawn.orders[:, bond])
        np.add.at(orders, (every, v, u), drawn.orders[:, bond])
    return orders


def test_same_seed_same_molecules_other_seed_others(rows):
    for name, array in molecules.rows_of(ROWS, 7).items():
        np.testing.assert_array_equal(array, rows[name])
    assert (molecules.sample(ROWS, 8).atoms != rows["atoms"]).any(axis=1).mean() > 0.99


def test_sizes_elements_and_valences_are_kept(drawn):
    sizes = (drawn.atoms > 0).sum(axis=1)
    assert set(sizes.tolist()) == set(range(molecules.FEWEST_ATOMS, molecules.ATOMS + 1))
    assert (np.bincount(drawn.atoms.ravel(), minlength=7)[1:] > 0).all()
    valence = adjacency(drawn).sum(axis=2)
    assert (valence <= molecules.VALENCES[drawn.atoms]).all()
    assert ((valence > 0) == (drawn.atoms > 0)).all()


def test_no_two_bonds_join_the_same_atoms(drawn):
    assert adjacency(drawn).max() == 3
    assert np.trace(adjacency(drawn), axis1=1, axis2=2).sum() == 0
    bonds = (adjacency(drawn) > 0).sum(axis=(1, 2)) // 2
    np.testing.assert_array_equal(bonds, (drawn.orders > 0).sum(axis=1))


def test_molecules_hang_together_and_bonds_outside_rings_are_bridges(drawn):
    """Count components with and without each bond, on some molecules."""
    for n in range(60):
        atoms = (drawn.atoms[n] > 0).sum()
        pairs = drawn.ends[n][drawn.orders[n] > 0].tolist()
        in_ring = drawn.in_ring[n][drawn.orders[n] > 0]
        assert components(atoms, pairs) == 1
        for i, ringed in enumerate(in_ring):
            assert components(atoms, pairs[:i] + pairs[i + 1 :]) == (1 if ringed else 2)


def components(atoms, pairs):
    group = list(range(atoms))
    for u, v in pairs:
        group = [group[v] if g == group[u] else g for g in group]
    return len(set(group))


def test_rings_are_cycles_of_the_stated_sizes_with_bonds_of_their_own(drawn):
    member = (drawn.rings[:, :, None] >> np.arange(molecules.ATOMS) & 1) > 0
    sizes = member.sum(axis=2)
    assert set(sizes.ravel().tolist()) == {0, 3, 4, 5, 6}
    # As many ring bonds as ring atoms, counted once per ring: no bond is in two rings.
    np.testing.assert_array_equal(drawn.in_ring.sum(axis=1), sizes.sum(axis=1))
    bonds, atoms = (drawn.orders > 0).sum(axis=1), (drawn.atoms > 0).sum(axis=1)
    np.testing.assert_array_equal((sizes > 0).sum(axis=1), bonds - atoms + 1)


def test_labels_are_as_often_wrong_and_missing_as_stated(rows, drawn):
    labels, truth = rows["labels"], motifs.label(drawn)
    assert set(np.unique(labels)) == {0, 1, molecules.MISSING}
    missing = (labels == molecules.MISSING).mean(axis=0)
    stated = np.resize(molecules.MISSING_SIXTEENTHS, labels.shape[1]) / 16
    np.testing.assert_allclose(missing, stated, atol=0.06)
    known = labels >= 0
    wrong = (labels != truth)[known].mean()
    p = truth.mean(axis=0)
    assert wrong == pytest.approx((2 * p * (1 - p)).mean() / molecules.WRONG_ONE_IN, rel=0.25)


def test_labels_have_the_stated_shares_of_positives():
    labels = molecules.rows_of(20_000, 9)["labels"]
    share = (labels == 1).sum(axis=0) / (labels >= 0).sum(axis=0)
    assert 0.01 < share.min() < 0.03
    assert 0.35 < share.max() < 0.5


def test_model_has_the_stated_size(started):
    model, variables, _ = started
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == PARAMETERS
    assert model.outputs == len(motifs.NAMES)


def test_loss_starts_at_an_even_guess(started):
    model, variables, batch = started
    sums, counts = molecules_gnn.known_cross_entropy(
        model.apply(variables, batch["inputs"]), batch["targets"]
    )
    assert sums.sum() / counts.sum() == pytest.approx(np.log(2), abs=0.1)


def test_order_of_bonds_and_of_their_ends_does_not_matter(started):
    model, variables, batch = started
    inputs = batch["inputs"]
    turned = {**inputs, "ends": inputs["ends"][:, ::-1, ::-1], "bonds": inputs["bonds"][:, ::-1]}
    expected = model.apply(variables, inputs)
    np.testing.assert_allclose(model.apply(variables, turned), expected, rtol=1e-3, atol=1e-5)


def test_padding_does_not_change_the_logits(started):
    model, variables, batch = started
    pad = {"atoms": ((0, 0), (0, 3)), "ends": ((0, 0), (0, 2), (0, 0)), "bonds": ((0, 0), (0, 2))}
    wider = {name: np.pad(array, pad[name]) for name, array in batch["inputs"].items()}
    expected = model.apply(variables, batch["inputs"])
    np.testing.assert_allclose(model.apply(variables, wider), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_loss_is_over_known_labels_only(smoothing):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(5, 7)).astype(np.float32)
    targets = rng.integers(-1, 2, (5, 7)).astype(np.int8)
    targets[0] = molecules.MISSING

    def mean(logits):
        sums, counts = molecules_gnn.known_cross_entropy(logits, targets, smoothing)
        return sums.sum() / counts.sum(), (sums, counts)

    gradient, (sums, counts) = jax.grad(mean, has_aux=True)(jnp.asarray(logits))
    soft = (1 - smoothing) * targets + smoothing / 2
    p = 1 / (1 + np.exp(-logits))
    terms = -(soft * np.log(p) + (1 - soft) * np.log(1 - p))
    known = targets >= 0
    np.testing.assert_allclose(sums, np.where(known, terms, 0).sum(axis=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(counts, known.sum(axis=1))
    assert ((gradient != 0) == known).all()


def test_dropout_is_that_of_training_at_the_rate_of_the_call(started):
    model, variables, batch = started
    apply = jax.jit(
        lambda rate, key: model.apply(
            variables, batch["inputs"], train=True, dropout_rate=rate, rngs={"dropout": key}
        )
    )
    first, second = jax.random.key(0), jax.random.key(1)
    still = model.apply(variables, batch["inputs"])
    np.testing.assert_allclose(apply(0.0, first), still, rtol=1e-3, atol=1e-5)
    assert not np.allclose(apply(0.3, first), apply(0.3, second), atol=1e-3)
    assert not np.allclose(apply(0.3, first), apply(0.1, first), atol=1e-3)
