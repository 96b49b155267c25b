"""Which files an AlgoPerf submission is made of, found by reading them. Nothing runs. No JAX.

A submission is its main file and what it imports of the folders around it, in any of three ways:
relative (``from ..shared import linalg``), by the name of a file beside the main one (``import
linalg``), or from the root of AlgoPerf's repository (``from submissions.muon import linalg``, where
a folder above is called ``submissions``).
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import decode_source
from pathlib import Path

from algoperf_lite.errors import UsageError

LIBRARIES = frozenset(
    {"absl", "algoperf", "algoperf_lite", "chex", "flax", "jax", "jaxlib", "numpy", "optax"}
    | {"scipy", "tensorflow", "torch", *sys.stdlib_module_names}
)
"""Never taken for files of a submission: many lie in a folder that is called ``jax``."""


@dataclass(frozen=True)
class Found:
    """What one import statement finds among a submission's files.

    Attributes:
        base: the folder that the name counts from.
        files: the modules that it runs, ``__init__.py`` left out.
    """

    base: Path
    files: tuple[Path, ...]


@dataclass
class Files:
    """The files of a submission.

    Attributes:
        main: the one that was named, absolute.
        sources: their text, as bytes, by path; what is run is what was read here.
        unguarded: those of them that are certain to run when the main one is imported.
        root: the innermost folder that holds all that is imported; the outermost package.
    """

    main: Path
    sources: dict[Path, bytes] = field(default_factory=dict)
    unguarded: set[Path] = field(default_factory=set)
    root: Path = field(init=False)

    def __post_init__(self):
        self._folders = {self.main.parent}
        self.root = self.main.parent

    def home(self, name: str, names: Collection[str] = ()) -> Path | None:
        """The folder that an absolute import counts from, if it finds a file of the submission.

        Args:
            name: of the module, with dots.
            names: what is imported from it, if anything.
        """
        parts = name.split(".")
        if parts[0] in LIBRARIES:
            return None
        if _holds(self.main.parent, parts, names):
            return self.main.parent
        for above in self.main.parents:
            lone = len(parts) == 1 and not any(_module_at(above / n) for n in names)
            if above.name == parts[0] and not lone and _holds(above.parent, parts, names):
                return above.parent
        return None

    def tree(self, file: Path) -> ast.Module:
        """The syntax tree of one of the files."""
        return ast.parse(self.sources[file], str(file))

    def text(self, file: Path) -> str:
        """The text of one of the files."""
        return decode_source(self.sources[file])

    def _add(self, file: Path, unguarded: bool) -> None:
        """Take in a file and all that it imports."""
        if file in self.sources and (not unguarded or file in self.unguarded):
            return
        if file not in self.sources:
            self.sources[file] = _read(file)
        if unguarded:
            self.unguarded.add(file)
        self._folders.add(file.parent)
        tree = _parse(file, self.sources[file])
        certain = set(tree.body) if unguarded else set()
        for node in ast.walk(tree):
            for found in self._imported(file, node):
                self._folders.add(found.base)
                for module in found.files:
                    self._add(module, node in certain)

    def _imported(self, file: Path, node: ast.AST) -> Iterator[Found]:
        """What a statement imports of the submission's files."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if base := self.home(alias.name):
                    yield _found(base, alias.name.split("."), ())
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
            parts = node.module.split(".") if node.module else []
            if node.level:
                base = file.parents[min(node.level, len(file.parents)) - 1]
                found = _found(base, parts, names)
                yield Found(base, found.files)
            elif base := self.home(node.module, names):
                yield _found(base, parts, names)

    def _add_packages(self) -> bool:
        """Take in the ``__init__.py`` of every folder from the root to a file; whether one is new.

        Like Python, which runs them on the way.
        """
        self.root = Path(os.path.commonpath(self._folders))
        before = len(self.sources)
        for file in list(self.sources):
            for folder in file.parents:
                if not folder.is_relative_to(self.root):
                    break
                if (package := folder / "__init__.py").is_file():
                    self._add(package, file in self.unguarded)
        return len(self.sources) > before


def find_files(main: Path) -> Files:
    """The files of a submission.

    Args:
        main: its Python file.

    Raises:
        UsageError: it is none, or one of the files cannot be read or is not Python; with the line.
    """
    if main.is_dir():
        raise UsageError(f"{main} is a folder; name the Python file in it, such as submission.py")
    if not main.is_file():
        raise UsageError(f"no file {main}; give the path of an AlgoPerf submission's Python file")
    files = Files(Path(os.path.abspath(main)))
    files._add(files.main, unguarded=True)
    while files._add_packages():
        pass
    return files


def _found(base: Path, parts: Sequence[str], names: Collection[str]) -> Found:
    """What ``from a.b import c`` finds below a folder: the modules a, a.b and a.b.c."""
    steps = [base.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)]
    steps += [base.joinpath(*parts, name) for name in names if name != "*"]
    files = [file for step in steps if (file := _module_at(step))]
    return Found(base / parts[0] if parts and (base / parts[0]).is_dir() else base, tuple(files))


def _holds(folder: Path, parts: Sequence[str], names: Collection[str]) -> bool:
    """Whether a name is a module below a folder, or a folder without code that has one of `names`.

    A bare folder is no module: beside many a submission lie folders of other frameworks.
    """
    place = folder.joinpath(*parts)
    return bool(_module_at(place) or any(_module_at(place / name) for name in names))


def _module_at(place: Path) -> Path | None:
    """The file of the package or the module at a path without suffix."""
    candidates = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((file for file in candidates if file.is_file()), None) if place.name else None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


def _parse(file: Path, source: bytes) -> ast.Module:
    try:
        decode_source(source)
        return ast.parse(source, str(file))
    except SyntaxError as error:
        raise UsageError(
            f"{file}:{error.lineno or 1} is not Python: {error.msg}; mend this line"
        ) from error
    except (ValueError, UnicodeDecodeError) as error:  # a null byte, bytes of another encoding
        raise UsageError(f"{file}:1 is not Python: {error}; save it as UTF-8 text") from error
