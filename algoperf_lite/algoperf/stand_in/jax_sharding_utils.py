"""Stands in for ``algoperf.jax_sharding_utils``: where arrays lie.

Whole on every device, or split along the first axis. The devices are those of the trial. The names
that AlgoPerf had for these before version 0.6 are kept; they take a mesh, None for the trial's.
"""

from __future__ import annotations

from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding

from algoperf_lite.algoperf.stand_in import devices


def get_mesh() -> Mesh:
    """The devices along one axis, "batch"."""
    return devices.mesh()


def get_replicate_sharding(mesh: Mesh | None = None) -> NamedSharding:
    """Whole on every device."""
    return devices.replicated(mesh or devices.mesh())


def get_batch_dim_sharding(mesh: Mesh | None = None) -> NamedSharding:
    """Split along the first axis."""
    return devices.split(mesh or devices.mesh())


def replicate(x: Any, mesh: Mesh | None = None) -> Any:
    """Put a pytree of arrays whole on every device."""
    return jax.device_put(x, get_replicate_sharding(mesh))


def shard_along_batch_dim(x: Any, mesh: Mesh | None = None) -> Any:
    """Split a pytree of arrays along their first axes, which must divide by the devices."""
    return jax.device_put(x, get_batch_dim_sharding(mesh))


def get_naive_sharding(x: Any, mesh: Mesh | None = None) -> NamedSharding:
    """Split if the first axis of an array divides by the devices, else whole."""
    mesh = mesh or devices.mesh()
    divides = bool(x.shape) and x.shape[0] % mesh.size == 0
    return devices.split(mesh) if divides else devices.replicated(mesh)


def get_sharding_tree(tree: Any, mesh: Mesh | None = None) -> Any:
    """`get_naive_sharding` of every array of a pytree."""
    return jax.tree.map(lambda x: get_naive_sharding(x, mesh), tree)


def shard_params(params: Any, mesh: Mesh | None = None) -> Any:
    """Put a pytree of arrays where `get_sharding_tree` says."""
    return jax.device_put(params, get_sharding_tree(params, mesh))


def display_shard_info(x: jax.Array) -> None:
    """Print which part of an array lies on which device."""
    for shard in x.addressable_shards:
        print(f"{shard.device}: {shard.index}, copy {shard.replica_id}")


get_replicated_sharding = get_empty_sharding = get_replicate_sharding
get_naive_sharding_spec = get_batch_sharding = get_batch_dim_sharding
get_naive_sharding_tree = get_sharding_tree
shard_replicated = replicate
shard_naive = shard_params
disp_shard_info = display_shard_info
