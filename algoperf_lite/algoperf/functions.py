"""Functions within an optimizer state, by which JAX knows its programs.

Most submissions return ``(state, update_fn)`` from `init_optimizer_state` and pass `update_fn` to
`jax.jit` as a static argument. Every call makes another `update_fn`, the same in all but identity,
and JAX would compile the step anew for it: once as it warms up, and once more on the clock. So the
functions that warmed up stay, with what the new ones hold: a counter in a closure starts over.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import jax


def keep_functions(known: Any, state: Any) -> Any:
    """An optimizer state, with the functions of another one that was made in the same way.

    Args:
        known: what the same code returned before, of the same arguments; only its structure and
            its functions matter. They get the closures, defaults and attributes of the new ones.
        state: what it returned now.

    Returns:
        `state` with the functions of `known` in the places of its own, where both are of one code;
        as it is, if the two differ in structure.

    Example:
        >>> def init(value):
        ...     return value, lambda x: x + value
        >>> known, state = init(1), init(2)
        >>> kept = keep_functions(known, state)
        >>> kept[1] is known[1], kept[1](1)
        (True, 3)
    """
    return _merge(known, state, set())


def functions_of(state: Any) -> Any:
    """What `keep_functions` needs of an optimizer state, without its arrays."""
    return jax.tree.map(lambda leaf: leaf if callable(leaf) else 0, state)


def _merge(old: Any, new: Any, met: set[int]) -> Any:
    """`new`, with the functions of `old` in it."""
    try:
        before, structure = jax.tree.flatten(old)
        leaves, now = jax.tree.flatten(new)
    except (TypeError, ValueError):  # a dictionary whose keys have no order
        return new
    if structure != now:
        return new
    pairs = zip(before, leaves, strict=True)
    return jax.tree.unflatten(now, [_merged(o, n, met) for o, n in pairs])


def _merged(old: Any, new: Any, met: set[int]) -> Any:
    if type(old) is not type(new) or not callable(new) or old is new or id(old) in met:
        return old if id(old) in met else new
    if isinstance(new, FunctionType):
        return _function(old, new, met) if old.__code__ is new.__code__ else new
    if isinstance(new, jax.stages.Wrapped):
        inner = _merged(old.__wrapped__, new.__wrapped__, met)
        return old if inner is old.__wrapped__ else new
    if isinstance(new, functools.partial):
        function = _merged(old.func, new.func, met)
        if function is not old.func:
            return new
        met.add(id(old))
        arguments = [_merge(a, b, met) for a, b in zip(old.args, new.args, strict=False)]
        old.__setstate__((function, (*arguments, *new.args[len(arguments) :]), new.keywords, None))
        return old
    return _instance(old, new, met) if hasattr(new, "__dict__") else new


def _function(old: FunctionType, new: FunctionType, met: set[int]) -> FunctionType:
    met.add(id(old))
    for mine, other in _cells(old, new):
        mine.cell_contents = _merge(mine.cell_contents, other.cell_contents, met)
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    old.__dict__.update(new.__dict__)
    return old


def _instance(old: Any, new: Any, met: set[int]) -> Any:
    """An object that can be called, of a class with code of Python."""
    if not isinstance(inspect.getattr_static(new, "__call__"), FunctionType):
        return new
    met.add(id(old))
    merged = {k: _merge(vars(old).get(k), v, met) for k, v in vars(new).items()}
    vars(old).clear()
    vars(old).update(merged)
    return old


def _cells(old: FunctionType, new: FunctionType) -> Iterator[tuple[Any, Any]]:
    """Pairs of cells that both hold something."""
    for mine, other in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        try:
            _ = mine.cell_contents, other.cell_contents
        except ValueError:  # a name that nothing was assigned to yet
            continue
        yield mine, other
