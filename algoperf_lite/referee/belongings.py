"""What belongs to the harness and a submission can reach: every attribute and item, by identity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import cached_property
from typing import Any, NamedTuple

PLAIN = (bool, int, float, str, bytes, type(None))


class _Kept(NamedTuple):
    """The parts of one object.

    Attributes:
        path: how it is reached, in words.
        owner: the object.
        parts: by attribute, key or index.
    """

    path: str
    owner: Any
    parts: dict[Any, Any]


class Belongings:
    """Objects and, as far as the harness made them, all that they hold, as they are now.

    Walked are mappings, lists, tuples, dataclasses and objects of the harness's classes; what else
    they hold, such as arrays, is told by identity. An attribute that is added is no offence, but
    for one that hides a method of its class.

    Args:
        roots: by name.

    Example:
        >>> from algoperf_lite.workload import Target
        >>> target = Target("loss", 0.1, "minimize")
        >>> belongings = Belongings({"target": target})
        >>> object.__setattr__(target, "value", 9.0)
        >>> belongings.changed(), target.value
        (['target.value (0.1 became 9.0)'], 0.1)
    """

    def __init__(self, roots: Mapping[str, Any]):
        self._kept: dict[int, _Kept] = {}
        for name, root in roots.items():
            self.add(name, root)

    def add(self, path: str, value: Any) -> None:
        """Keep watch over one object more; of one that is known, over its new attributes."""
        if (parts := _parts(value)) is None:
            return
        known = self._kept.setdefault(id(value), _Kept(path, value, {}))
        if known.parts and isinstance(value, dict | list | tuple):
            return
        hidden = _hiding(value, known.parts) if known.parts else ()
        new = {k: p for k, p in parts.items() if k not in known.parts and k not in hidden}
        known.parts.update(new)
        for key, part in new.items():
            self.add(_path(path, value, key), part)

    def keep(self, path: str, owner: Any, names: Iterable[str] | None = None) -> None:
        """Keep watch over an object's attributes alone, not over what they hold.

        Args:
            path: how it is reached, in words.
            owner: the object.
            names: of the attributes that stay; None for all there are.
        """
        parts = {k: v for k, v in vars(owner).items() if names is None or k in names}
        self._kept[id(owner)] = _Kept(path, owner, parts)

    def changed(self) -> list[str]:
        """What was replaced, added to a container or taken away, in words; it is put back."""
        return [told for kept in self._kept.values() for told in _mended(kept)]


def _mended(kept: _Kept) -> Iterator[str]:
    path, owner, parts = kept
    now = _parts(owner) or {}
    for key in _hiding(owner, parts):
        yield f"{_path(path, owner, key)} (a method of its class, hidden)"
        del vars(owner)[key]
    for key, value in parts.items():
        if not _same(found := now.get(key, _GONE), value):
            yield f"{_path(path, owner, key)} ({_told(value)} became {_told(found)})"
            _put(owner, parts, key)
    if isinstance(owner, dict | list) and len(now) > len(parts):
        yield f"{path} ({len(parts)} items became {len(now)})"
        _put(owner, parts, None)


def _hiding(owner: Any, parts: Mapping[Any, Any]) -> list[str]:
    """Attributes that were added and stand before a method of the class."""
    if isinstance(owner, dict | list | tuple):
        return []
    added = vars(owner).keys() - parts.keys() if hasattr(owner, "__dict__") else ()
    return sorted(name for name in added if _is_method(getattr(type(owner), name, None)))


def _is_method(value: Any) -> bool:
    return callable(value) and not isinstance(value, cached_property)


_GONE = object()


def _same(now: Any, before: Any) -> bool:
    if now is before:
        return True
    return isinstance(before, PLAIN) and type(now) is type(before) and repr(now) == repr(before)


def _put(owner: Any, parts: Mapping[Any, Any], key: Any) -> None:
    if isinstance(owner, dict):
        owner.clear()
        owner.update(parts)
    elif isinstance(owner, list):
        owner[:] = parts.values()
    elif hasattr(owner, "__dict__"):
        object.__setattr__(owner, key, parts[key])


def _parts(value: Any) -> dict[Any, Any] | None:
    """What an object holds; None if it is not looked into."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    ours = type(value).__module__.partition(".")[0] == __name__.partition(".")[0]
    if isinstance(value, type) or not (ours or is_dataclass(value)):
        return None
    return dict(getattr(value, "__dict__", {}))


def _path(path: str, owner: Any, key: Any) -> str:
    if isinstance(owner, tuple) and hasattr(owner, "_fields"):
        return f"{path}.{owner._fields[key]}"
    if isinstance(owner, dict | list | tuple):
        return f"{path}[{key!r}]"
    return f"{path}.{key}" if path else key


def _told(value: Any) -> str:
    if value is _GONE:
        return "nothing"
    return repr(value) if isinstance(value, PLAIN) else f"a {type(value).__name__}"
