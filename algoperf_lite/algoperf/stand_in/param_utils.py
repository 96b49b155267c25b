"""Stands in for ``algoperf.param_utils``: shapes and types of a model's parameters.

Types are read off the names that Flax gives, by the rules of `parameters.param_kinds`, which are
refined here: it calls every normalisation the same, and knows no attention.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import jax

from algoperf_lite.algoperf.stand_in.spec import ParameterType, ShapeTuple

PROJECTIONS = {
    ParameterType.ATTENTION_QKV: r"qkv|in_proj",
    ParameterType.ATTENTION_KV: r"kv",
    ParameterType.ATTENTION_Q: r"query|^q(_proj)?$",
    ParameterType.ATTENTION_K: r"key|^k(_proj)?$",
    ParameterType.ATTENTION_V: r"value|^v(_proj)?$",
    ParameterType.ATTENTION_OUT: r"out|^o(_proj)?$",
}
"""How the modules of an attention's matrices are called; the first that fits counts."""
ATTENTION = re.compile(r"attention|attn")
BATCH_NORM = re.compile(r"batch_?norm|(^|_)bn(_|\d|$)")


def jax_param_shapes(params: Any) -> Any:
    """The same pytree with a `ShapeTuple` for each array.

    Example:
        >>> import numpy as np
        >>> jax_param_shapes({"kernel": np.zeros((2, 3))})
        {'kernel': ShapeTuple((2, 3))}
    """
    return jax.tree.map(lambda x: ShapeTuple(tuple(x.shape)), params)


def jax_param_types(
    param_shapes: Any, parent_name: str = "", batch_norms: Collection[tuple[str, ...]] = ()
) -> Any:
    """The same pytree with a `ParameterType` for each leaf; keys keep their case.

    A name that says nothing makes a ``WEIGHT``.

    Args:
        param_shapes: pytree of shapes or arrays, of nested dictionaries as Flax makes them.
        parent_name: where it lies in the model, names joined by ``/``.
        batch_norms: paths of modules that are known to be batch norms, which a name may not tell.

    Example:
        >>> shapes = {"Dense_0": {"kernel": ShapeTuple((2, 3)), "bias": ShapeTuple((3,))}}
        >>> types = jax_param_types(shapes)
        >>> types["Dense_0"]["kernel"].name, types["Dense_0"]["bias"].name
        ('WEIGHT', 'BIAS')
    """
    above = tuple(name for name in parent_name.split("/") if name)
    leaves = jax.tree_util.tree_leaves_with_path(param_shapes)
    paths = [(*above, *_names(path)) for path, _ in leaves]
    scaled = {path[:-1] for path in paths if path[-1] == "scale"}
    types = [_type(p, p[:-1] in scaled, p[:-1] in batch_norms) for p in paths]
    return jax.tree.unflatten(jax.tree.structure(param_shapes), types)


def batch_norm_paths(model_state: Any) -> set[tuple[str, ...]]:
    """Paths of the modules that keep batch statistics in a model's state."""
    stats = (model_state or {}).get("batch_stats", {})
    return {_names(path)[:-1] for path, _ in jax.tree_util.tree_leaves_with_path(stats)}


def _names(path: tuple) -> tuple[str, ...]:
    return tuple(str(getattr(key, "key", getattr(key, "name", key))) for key in path)


def _type(path: tuple[str, ...], beside_a_scale: bool, is_batch_norm: bool) -> ParameterType:
    *above, leaf = [name.lower() for name in path]
    module = above[-1] if above else ""
    attends = any(ATTENTION.search(name) for name in above[-2:])
    if leaf == "scale" or (leaf == "bias" and beside_a_scale):
        is_batch_norm = is_batch_norm or bool(BATCH_NORM.search(module))
        return ParameterType[f"{'BATCH' if is_batch_norm else 'LAYER'}_NORM_{leaf.upper()}"]
    if "embedding" in leaf:
        return ParameterType.EMBEDDING
    if "bias" in leaf:
        return ParameterType.ATTENTION_BIAS if attends else ParameterType.BIAS
    if leaf == "kernel" and "conv" in module:
        return ParameterType.CONV_WEIGHT
    return _projection(module) if leaf == "kernel" and attends else ParameterType.WEIGHT


def _projection(module: str) -> ParameterType:
    found = (kind for kind, named in PROJECTIONS.items() if re.search(named, module))
    return next(found, ParameterType.WEIGHT)
