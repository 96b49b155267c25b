"""Plain data that modules keep at their top level: what it was, and putting it back."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable
from dataclasses import is_dataclass
from pathlib import PurePath
from types import ModuleType, SimpleNamespace
from typing import Any

import jax
import numpy as np

_ATOMS = (
    type(None), bool, int, float, complex, str, bytes, np.generic, np.dtype, jax.Array, range,
    slice, type(...), enum.Enum, PurePath,
)  # fmt: skip
_SEQUENCES = (list, tuple, set, frozenset, deque)


class Snapshot:
    """What modules held when this was made.

    Numbers, strings, arrays and containers of such (lists, tuples, dicts, sets, instances of
    dataclasses and of the modules' own classes). What can be called or holds something that can,
    such as a cache of jitted functions, is none of them; nor are attributes of classes and
    functions.

    Example:
        >>> module = ModuleType("counts")
        >>> module.seen, module.step = [1, 2], 0
        >>> snapshot = Snapshot()
        >>> snapshot.add(module)
        >>> module.seen.append(3); module.step = 7; module.best = 0.5
        >>> snapshot.restore()
        >>> module.seen, module.step, hasattr(module, "best")
        ([1, 2], 0, False)
    """

    def __init__(self):
        self._modules: dict[str, tuple[ModuleType, dict[str, Any]]] = {}
        self._contents: dict[int, tuple[Any, Any]] = {}  # a value keeps its id

    def add(self, *modules: ModuleType) -> None:
        """Take what modules hold now; instead of what was taken of them before, if it was."""
        for module in modules:
            names = {n: v for n, v in vars(module).items() if not n.startswith("__")}
            self._modules[module.__name__] = module, names
        for module in modules:
            for value in self._modules[module.__name__][1].values():
                self._look_into(value)

    def restore(self) -> None:
        """Put the modules' plain data back, in place where it can be written to.

        What is there now but holds something callable stays, all of it. A name that was added and
        is plain is removed.
        """
        own, done = frozenset(self._modules), set()
        for module, before in self._modules.values():
            now = vars(module)
            for name, value in list(now.items()):
                if name not in before and not name.startswith("__") and is_plain(value, own):
                    del now[name]
            for name, value in before.items():
                if is_plain(now.get(name), own):
                    now[name] = value
                    self._put_back(value, done)

    def _look_into(self, value: Any) -> None:
        """Note what a container or an array holds, and what those within hold."""
        if id(value) in self._contents:
            return
        contents = _contents(value, frozenset(self._modules))
        if contents is not None:
            self._contents[id(value)] = value, contents
            for part in _parts(contents):
                self._look_into(part)

    def _put_back(self, value: Any, done: set[int]) -> None:
        """Make a container or an array hold what it held, and those within too."""
        if id(value) in self._contents and id(value) not in done:
            done.add(id(value))
            _, contents = self._contents[id(value)]
            _fill(value, contents)
            for part in _parts(contents):
                self._put_back(part, done)


def is_plain(value: Any, own: Iterable[str] = (), _within: frozenset[int] = frozenset()) -> bool:
    """Whether a value is data through and through.

    Args:
        value: any.
        own: names of modules; instances of their classes are containers of their attributes.

    Example:
        >>> is_plain({"a": [1, None]}), is_plain([print])
        (True, False)
    """
    if isinstance(value, _ATOMS) or id(value) in _within:
        return True
    contents = _contents(value, frozenset(own))
    _within |= {id(value)}
    return contents is not None and all(is_plain(p, own, _within) for p in _parts(contents))


def _contents(value: Any, own: frozenset[str]) -> Any:
    """A copy of what a container or an array holds, not of what that holds; None for others."""
    if isinstance(value, np.ndarray):
        return None if value.dtype.hasobject else value.copy()
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, _SEQUENCES):
        return list(value)
    ours = is_dataclass(value) or isinstance(value, SimpleNamespace)
    ours = ours or type(value).__module__ in own
    if callable(value) or not ours or not hasattr(value, "__dict__"):
        return None
    return dict(vars(value))


def _parts(contents: Any) -> list[Any]:
    """What is within, as `_contents` gave it."""
    if isinstance(contents, np.ndarray):
        return []
    return [*contents, *contents.values()] if isinstance(contents, dict) else contents


def _fill(value: Any, contents: Any) -> None:
    """Write contents into what they are of, if it can be written to."""
    if isinstance(value, np.ndarray):
        if value.flags.writeable:
            value[...] = contents
    elif isinstance(value, list | deque):
        value.clear()
        value.extend(contents)
    elif not isinstance(value, tuple | frozenset):
        place = value if isinstance(value, dict | set) else vars(value)
        place.clear()
        place.update(contents)
