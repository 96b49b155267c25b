"""Loading the modules that define workloads and submissions, with errors that say file and line."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from algoperf_lite.errors import UsageError


def import_module(name: str) -> ModuleType:
    """A module by its name.

    Raises:
        UsageError: it does not import; with its file and the line at fault.
    """
    try:
        return importlib.import_module(name)
    except Exception as error:  # code of any kind
        spec = importlib.util.find_spec(name)
        file = Path(spec.origin) if spec and spec.origin else None
        raise import_error([file] if file else [], name, error) from error


def load_path(path: Path) -> ModuleType:
    """The module in a Python file; the same object as long as the file's content is the same.

    Raises:
        UsageError: there is no such file, or it does not import; with the line at fault.
    """
    if not path.is_file():
        raise UsageError(f"no file {path}; give a name or the path of a Python file")
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    digest = hashlib.sha256(str(path.resolve()).encode() + source).hexdigest()[:16]
    name = f"algoperf_lite_user_{path.stem}_{digest}"
    if name in sys.modules:  # the same file with the same content
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    module.__source__ = source.decode(errors="replace")
    if (folder := str(path.resolve().parent)) not in sys.path:
        sys.path.append(folder)  # what lies beside the file can be imported, as from a script
    sys.modules[name] = module  # pickling, dataclasses and fingerprints look modules up by name
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        mend = "mend what this line does"
        if getattr(error, "name", None) == "algoperf":
            mend = f"a submission written for AlgoPerf is named algoperf:{path}"
        raise import_error([path], str(path), error, mend) from error
    return module


def only(module: ModuleType, kind: str, contract: type) -> Any:
    """The object named after its kind, else the only instance of the contract in the module.

    Args:
        module: where to look.
        kind: ``"workload"`` or ``"submission"``.
        contract: the class of what is looked for.

    Raises:
        UsageError: there is none, or several and none of that name; with their lines.
    """
    found = {n: v for n, v in vars(module).items() if isinstance(v, contract)}
    if kind in found:
        return found[kind]
    if len(found) == 1:
        return next(iter(found.values()))
    lines = {name: assignment_line(syntax_tree(module), name) for name in found}
    told = [f"{name} (line {line})" if line else name for name, line in lines.items()]
    what = f"defines {len(found)}: {', '.join(told)}" if found else "defines none"
    mend = "rename the one that is meant" if found else f"add a line '{kind} = ...'"
    line = max(lines.values()) if found else len(source_of(module).splitlines())
    raise UsageError(
        f"{module.__file__}:{line or 1}: expected one {contract.__name__} called {kind!r}, but it"
        f" {what}; {mend}"
    )


def source_of(module: ModuleType) -> str:
    """The text that a module was loaded from; empty where it is unknown."""
    if hasattr(module, "__source__"):  # what was run, whatever the file says by now
        return module.__source__
    file = getattr(module, "__file__", None)
    return Path(file).read_text(encoding="utf-8", errors="replace") if file else ""


def syntax_tree(module: ModuleType) -> ast.Module:
    """The syntax tree of a module's source."""
    return ast.parse(source_of(module))


def assignment_line(tree: ast.Module, name: str) -> int:
    """The line of the last assignment to a name at the top level, or 0.

    Example:
        >>> assignment_line(ast.parse("x = 1"), "x"), assignment_line(ast.parse("x = 1"), "y")
        (1, 0)
    """
    lines = [n.lineno for n in tree.body if any(_is_name(t, name) for t in _targets(n))]
    return max(lines, default=0)


def import_error(
    files: Sequence[Path], name: str, error: BaseException, mend: str = "mend what this line does"
) -> UsageError:
    """What importing raised, with the last line of the files that took part in it.

    Args:
        files: whose lines may be at fault.
        name: of what was imported, for where none of them took part.
        error: what was raised.
        mend: what to do about it.
    """
    frames = traceback.extract_tb(error.__traceback__)
    lines = [(frame.filename, frame.lineno) for frame in frames]
    if isinstance(error, SyntaxError):
        lines.append((error.filename, error.lineno))
    named = {file.resolve(): file for file in files}
    within = [(named.get(Path(f).resolve()), line) for f, line in lines if f and line]
    where = next((f"{file}:{line}" for file, line in reversed(within) if file), name)
    message = error.msg if isinstance(error, SyntaxError) else error
    return UsageError(f"{where} does not import: {type(error).__name__}: {message}; {mend}")


def _targets(node: ast.stmt) -> Iterable[ast.expr]:
    return getattr(node, "targets", None) or [getattr(node, "target", None)]


def _is_name(node: ast.expr | None, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
