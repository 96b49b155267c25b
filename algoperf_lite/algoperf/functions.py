"""Functions within an optimizer state, by which JAX knows its programs.

Most submissions return ``(state, update_fn)`` from `init_optimizer_state` and pass `update_fn` to
`jax.jit` as a static argument. Every call makes another `update_fn`, the same in all but identity,
and JAX would compile the step anew for it: once as it warms up, and once more on the clock.
"""

from __future__ import annotations

from typing import Any

import jax


def keep_functions(known: Any, state: Any) -> Any:
    """An optimizer state, with the functions of another one that was made in the same way.

    Args:
        known: what the same code returned before, of the same arguments; only its structure and
            its functions matter.
        state: what it returned now.

    Returns:
        `state` with the functions of `known` in the places of its own, where both are of one code;
        as it is, if the two differ in structure.

    Example:
        >>> def init(value):
        ...     return value, lambda x: x + 1
        >>> known, state = init(1), init(2)
        >>> kept = keep_functions(known, state)
        >>> kept[0], kept[1] is known[1], kept[1] is state[1]
        (2, True, False)
    """
    before, structure = jax.tree.flatten(known)
    leaves, now = jax.tree.flatten(state)
    if structure != now:
        return state
    pairs = zip(before, leaves, strict=True)
    return jax.tree.unflatten(now, [old if _of_one_code(old, new) else new for old, new in pairs])


def functions_of(state: Any) -> Any:
    """What `keep_functions` needs of an optimizer state, without its arrays."""
    return jax.tree.map(lambda leaf: leaf if callable(leaf) else 0, state)


def _of_one_code(old: Any, new: Any) -> bool:
    same = type(old) is type(new) and callable(new)
    return same and getattr(old, "__code__", None) is getattr(new, "__code__", None)
