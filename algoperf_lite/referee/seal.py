"""A seal on the code that a trial relies on: what was replaced is found, named and put back.

The harness's modules and their classes, the workloads' and the scorer's, and what they use of
Python, JAX, Flax and NumPy. An attribute that is added is no offence, nor is a private value that
changes (a counter, a cache); another function, class or constant in the place of one is, and so is
a function with other code.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import flax.linen
import jax

OURS = ("algoperf_lite", "workloads", "scoring")
LIBRARIES = (
    "_thread", "builtins", "csv", "functools", "gc", "hashlib", "itertools", "json", "math", "os",
    "statistics", "threading", "time", "zlib", "numpy", "numpy.linalg", "jax", "jax.lax",
    "jax.monitoring", "jax.nn", "jax.numpy", "jax.random", "jax.sharding", "jax.stages",
    "jax.tree", "jax.tree_util", "flax.linen",
)  # fmt: skip
WITHIN = ("api", "array", "core", "dispatch", "monitoring", "pjit", "stages", "xla_bridge")
"""Modules of ``jax._src`` whose functions and classes the public ones look up when called; those
of ``jax._src.interpreters`` are sealed with them. One that is missing is passed over."""
CLASSES = (flax.linen.Module, threading.Thread, jax.stages.Compiled, jax.stages.Wrapped)
UNSEALED = frozenset({"__doc__", "__annotations__", "__abstractmethods__", "_abc_impl", "_"})


class _Code(NamedTuple):
    """What a function does, as far as it can be replaced within it."""

    code: Any
    defaults: Any
    keyword_defaults: Any


class Seal:
    """Everything that is sealed, as it is when this is made.

    Args:
        modules: names of further modules whose functions and classes are sealed, such as that of a
            workload that is no part of the project.

    Example:
        >>> import math
        >>> seal, was = Seal(), math.sqrt
        >>> math.sqrt = abs
        >>> seal.broken(), math.sqrt is was
        (['math.sqrt'], True)
    """

    def __init__(self, modules: Iterable[str] = ()):
        self._values: dict[str, tuple[Any, dict[str, Any]]] = {}
        self._code: dict[str, tuple[FunctionType, _Code]] = {}
        for name in [n for n in list(sys.modules) if n.partition(".")[0] in OURS]:
            self._keep_module(sys.modules[name])
        for name in {*LIBRARIES, *modules, *_within()} & set(sys.modules):
            self._keep(name, sys.modules[name], _functions(vars(sys.modules[name])))
        array = type(jax.numpy.zeros(()))
        for owner in (*CLASSES, array):
            self._keep(f"{owner.__module__}.{owner.__qualname__}", owner, vars(owner))

    def broken(self) -> list[str]:
        """Names of what was replaced since; all of it is put back."""
        found = []
        for name, (owner, kept) in self._values.items():
            now = vars(owner)
            for attribute, value in kept.items():
                if now.get(attribute, _GONE) is not value:
                    setattr(owner, attribute, value)
                    found.append(f"{name}.{attribute}")
        for name, (function, kept) in self._code.items():
            if (now := _code(function)) != kept and not all(map(_is, now, kept)):
                function.__code__, function.__defaults__, function.__kwdefaults__ = kept
                found.append(name)
        return found

    def _keep_module(self, module: ModuleType) -> None:
        public = {n: v for n, v in vars(module).items() if not n.startswith("_") or callable(v)}
        self._keep(module.__name__, module, public)
        for value in list(public.values()):
            if isinstance(value, type) and value.__module__ == module.__name__:
                self._keep(f"{module.__name__}.{value.__qualname__}", value, vars(value))

    def _keep(self, name: str, owner: Any, values: Mapping[str, Any]) -> None:
        kept = {a: v for a, v in values.items() if a not in UNSEALED}
        self._values[name] = owner, kept
        for attribute, value in kept.items():
            function = getattr(value, "__func__", getattr(value, "fget", value))
            if isinstance(function, FunctionType):
                self._code[f"{name}.{attribute}"] = function, _code(function)


def _within() -> set[str]:
    inner = {name for name in list(sys.modules) if name.startswith("jax._src.interpreters.")}
    return inner | {f"jax._src.{name}" for name in WITHIN}


_GONE = object()


def _is(one: Any, other: Any) -> bool:
    return one is other


def _code(function: FunctionType) -> _Code:
    return _Code(function.__code__, function.__defaults__, function.__kwdefaults__)


def _functions(values: Mapping[str, Any]) -> dict[str, Any]:
    """What can be called; a module's own state may change."""
    return {name: value for name, value in values.items() if callable(value)}
