"""The devices that a submission's arrays are spread over, and shardings over them.

One object for each, so that a submission that asks for its shardings in every step gets the same
ones, and JAX recognises its programs by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

BATCH_AXIS = "batch"

_chosen: tuple[Any, ...] | None = None


def choose(devices: Sequence[Any] | None) -> tuple[Any, ...] | None:
    """Spread over `devices` from here on, or, if None, over the same as before.

    Returns:
        What `restore` takes to undo it.
    """
    global _chosen  # noqa: PLW0603  (one at a time: a submission's functions take no devices)
    before = _chosen
    if devices is not None:
        _chosen = tuple(devices)
    return before


def restore(before: tuple[Any, ...] | None) -> None:
    """Undo a `choose`."""
    global _chosen  # noqa: PLW0603
    _chosen = before


def mesh() -> Mesh:
    """The chosen devices, or all, in a row along the axis "batch"."""
    return _mesh(_chosen or tuple(jax.devices()))


@cache
def _mesh(devices: tuple[Any, ...]) -> Mesh:
    return Mesh(np.asarray(devices), (BATCH_AXIS,))


@cache
def replicated(over: Mesh) -> NamedSharding:
    """The whole array on every device."""
    return NamedSharding(over, PartitionSpec())


@cache
def split(over: Mesh) -> NamedSharding:
    """The first axis cut into equal parts, one for each device."""
    return NamedSharding(over, PartitionSpec(BATCH_AXIS))
