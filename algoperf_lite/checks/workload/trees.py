"""Comparisons of pytrees of arrays, in words that name the leaf at fault."""

from typing import Any

import jax
import numpy as np

PyTree = Any


def rows(tree: PyTree) -> set[int]:
    """Lengths of the first axes."""
    return {leaf.shape[0] if leaf.ndim else 0 for leaf in jax.tree.leaves(tree)}


def form(tree: PyTree) -> PyTree:
    """Shape and dtype of every leaf."""
    return jax.tree.map(lambda a: (tuple(a.shape), np.dtype(a.dtype).name), tree)


def not_finite(tree: PyTree) -> list[str]:
    """Paths of the leaves that hold NaN or infinity."""
    return [path for path, leaf in named(tree) if not np.isfinite(leaf).all()]


def not_float32(tree: PyTree) -> list[str]:
    """Paths and dtypes of the leaves of another dtype."""
    return [f"{path} {leaf.dtype}" for path, leaf in named(tree) if leaf.dtype != np.float32]


def different(left: PyTree, right: PyTree) -> list[str]:
    """Paths of the leaves whose bits differ; all of them where the structures differ."""
    if jax.tree.structure(left) != jax.tree.structure(right):
        return [path for path, _ in named(left)]
    pairs = zip(named(left), jax.tree.leaves(right), strict=True)
    return [path for (path, a), b in pairs if not np.array_equal(a, b, equal_nan=True)]


def distance(left: PyTree, right: PyTree) -> float:
    """Largest difference between two leaves, relative to the larger of 1 and the largest value."""
    pairs = zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True)
    return max((_distance(np.asarray(a), np.asarray(b)) for a, b in pairs), default=0.0)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    scale = max(1.0, float(np.abs(a).max(initial=0)))
    return float(np.abs(a - b).max(initial=0)) / scale


def named(tree: PyTree) -> list[tuple[str, Any]]:
    """Leaves with their paths as ``Dense_0/kernel``, ``outputs`` for a lone array."""
    return [
        (jax.tree_util.keystr(path, simple=True, separator="/") or "the array", leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
    ]


def some(names: list[str]) -> str:
    """A few of many names."""
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
