"""The imports of a module's source: which modules they name, and how to point them elsewhere."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator


def imported(source: str, package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    r"""What a source imports.

    Args:
        source: the text of a module.
        package: the package that it lies in, ``""`` for none, which relative imports start from.

    Yields:
        The absolute name of a module, and the names taken from it.

    Example:
        >>> list(imported("import a.b as c\nfrom .d import e, f", "p"))
        [('a.b', ()), ('p.d', ('e', 'f'))]
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield _absolute(node, package), tuple(alias.name for alias in node.names)


def redirected(source: str, package: str, moved: Callable[[str], str | None]) -> str:
    """A source with its absolute imports of some modules made relative; the rest stays as it is.

    Args:
        source: the text of a module.
        package: the package that it will lie in, below a root that has no name; ``""`` is the root.
        moved: from the name of a module to its name below the root, or None to leave an import.

    Example:
        >>> redirected("from ours.tools import cut  # sharp", "ours", lambda name: name)
        'from .tools import cut  # sharp'
        >>> redirected("import ours.tools", "", lambda name: name)
        'from .ours import tools as _ours_tools; from . import ours'
    """
    data = source.encode()
    starts = [0, *itertools.accumulate(len(line) + 1 for line in data.split(b"\n"))]
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import | ast.ImportFrom)]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        text = _statement(node, data[begin:end].decode(), package, moved)
        data = data[:begin] + text.encode() + data[end:]
    return data.decode()


def _statement(
    node: ast.Import | ast.ImportFrom,
    text: str,
    package: str,
    moved: Callable[[str], str | None],
) -> str:
    if isinstance(node, ast.Import):
        if not any(moved(alias.name) for alias in node.names):
            return text
        return "; ".join(_import(alias, package, moved(alias.name)) for alias in node.names)
    target = None if node.level else moved(node.module)
    if target is None:
        return text
    return re.sub(r"^from\s+[\w.]+", lambda _: f"from {_relative(target, package)}", text)


def _import(alias: ast.alias, package: str, target: str | None) -> str:
    """One name of ``import a, b.c as d``, as a statement of its own."""
    if target is None:
        return f"import {alias.name} as {alias.asname}" if alias.asname else f"import {alias.name}"
    parent, _, name = target.rpartition(".")
    if alias.asname:
        return f"from {_relative(parent, package)} import {name} as {alias.asname}"
    top = target.partition(".")[0]
    binding = f"from {_relative('', package)} import {top}"
    if not parent:
        return binding
    hidden = f"_{target.replace('.', '_')}"
    return f"from {_relative(parent, package)} import {name} as {hidden}; {binding}"


def _relative(target: str, package: str) -> str:
    """The name of a module below the root, seen from a package there.

    Example:
        >>> _relative("a.b.c", "a.d"), _relative("a", "a"), _relative("", "a.b")
        ('..b.c', '.', '...')
    """
    there, here = [p.split(".") if p else [] for p in (target, package)]
    shared = 0
    while shared < min(len(there), len(here)) and there[shared] == here[shared]:
        shared += 1
    return "." * (len(here) - shared + 1) + ".".join(there[shared:])


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module
    parts = package.split(".")
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])
