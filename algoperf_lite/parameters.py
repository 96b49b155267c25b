"""What kind of thing each parameter is, as far as a submission may know it."""

from typing import Any

import jax

KINDS = ("weight", "conv_weight", "embedding", "bias", "norm_scale", "norm_bias", "other")


def param_kinds(params: Any) -> Any:
    """The kind of every parameter, read off Flax's names and the shapes.

    Args:
        params: pytree of arrays or ``jax.ShapeDtypeStruct`` with Flax's nested-dict paths.

    Returns:
        The same pytree with one of `KINDS` at each leaf. A ``kernel`` is a ``conv_weight`` when its
        module's name contains "conv", else a ``weight``; ``norm_bias`` is a bias beside a scale.

    Example:
        >>> import numpy as np
        >>> param_kinds({"Dense_0": {"kernel": np.zeros((2, 3)), "bias": np.zeros(3)}})
        {'Dense_0': {'bias': 'bias', 'kernel': 'weight'}}
    """
    paths = [_names(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    normalised = {path[:-1] for path in paths if path[-1] == "scale"}
    kinds = [_kind(path, path[:-1] in normalised) for path in paths]
    return jax.tree.unflatten(jax.tree.structure(params), kinds)


def _names(path: tuple) -> tuple[str, ...]:
    return tuple(str(getattr(key, "key", getattr(key, "name", key))) for key in path)


def _kind(path: tuple[str, ...], beside_a_scale: bool) -> str:
    name = path[-1]
    if name == "kernel":
        return "conv_weight" if len(path) > 1 and "conv" in path[-2].lower() else "weight"
    if name == "bias":
        return "norm_bias" if beside_a_scale else "bias"
    return {"embedding": "embedding", "scale": "norm_scale"}.get(name, "other")
