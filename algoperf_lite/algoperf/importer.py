"""Running a submission's files as modules that nobody else sees.

They get names of their own below one private package, so that relative imports, pickling and
dataclasses work as ever while files of the same name in other submissions stay apart. Absolute
imports among them are led there by the ``__import__`` that their own code sees, at any time.
"""

from __future__ import annotations

import builtins
import importlib
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import decode_source, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from algoperf_lite.algoperf.files import Files


class Importer(MetaPathFinder):
    """Finds and runs a submission's files.

    Args:
        files: of the submission.
        package: a name that no module has; that of the files' root from now on.

    Attributes:
        executed: called with each module right after its code ran.
    """

    def __init__(self, files: Files, package: str):
        self.package = package
        self.executed: Callable[[ModuleType], None] = lambda module: None
        self._files = files
        self._places = {package: files.root}
        for folder in reversed(files.main.parents):
            if folder.is_relative_to(files.root):
                self._places[self._name(folder)] = folder
        self._main = self._name(files.main.with_suffix(""))
        self._places[self._main] = files.main
        self._own = cache(self._find_own)
        sys.meta_path.insert(0, self)  # else the usual finder runs files without our `__import__`

    def load_main(self) -> ModuleType:
        """The main file's module."""
        return importlib.import_module(self._main)

    def modules(self) -> dict[str, ModuleType]:
        """The modules that have run, by their names in ``sys.modules``."""
        return {n: m for n, m in list(sys.modules.items()) if self._is_ours(n)}

    def drop(self) -> None:
        """Forget the modules."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for name in self.modules():
            del sys.modules[name]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the import system asks of every finder."""
        del target
        if not self._is_ours(fullname):
            return None
        place = self._places.get(fullname)
        if place is None and path:
            place = Path(next(iter(path)), fullname.rpartition(".")[2])
        return self._spec(fullname, place) if place else None

    def _spec(self, name: str, place: Path) -> ModuleSpec | None:
        """The spec of a file, or of the package, module or bare folder at a path."""
        package, module = place / "__init__.py", place.parent / f"{place.name}.py"
        if package.is_file():
            return self._spec_of_file(name, package, [str(place)])
        if place.is_file() or (name not in self._places and module.is_file()):
            return self._spec_of_file(name, place if place.is_file() else module)
        if not place.is_dir():
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(place)]
        return spec

    def _spec_of_file(self, name: str, file: Path, folders: list[str] | None = None) -> ModuleSpec:
        loader = _Loader(name, file, self)
        return spec_from_file_location(
            name, file, loader=loader, submodule_search_locations=folders
        )

    def _is_ours(self, name: str) -> bool:
        return name == self.package or name.startswith(f"{self.package}.")

    def _name(self, place: Path) -> str:
        """The module's name for a path within the root; a dot in a folder's name is none in it."""
        parts = [part.replace(".", "_") for part in place.relative_to(self._files.root).parts]
        return ".".join([self.package, *parts])

    def _find_own(self, name: str, names: Collection[str]) -> tuple[str, str] | None:
        """Private names of a module and of its first part, if an absolute import means our file."""
        base = self._files.home(name, names)
        parts = name.split(".")
        if base is None or not (base / parts[0]).is_relative_to(self._files.root):
            return None
        return self._name(base.joinpath(*parts)), self._name(base / parts[0])

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: Collection[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """`builtins.__import__`, for the code of these files."""
        own = None if level else self._own(name, tuple(fromlist or ()))
        if own is None:
            return builtins.__import__(name, globals, locals, fromlist, level)
        if fromlist:
            return builtins.__import__(own[0], None, None, fromlist, 0)
        importlib.import_module(own[0])
        return sys.modules[own[1]]


class _Loader(SourceFileLoader):
    """Runs a file's text as it was read at first; reads and writes no compiled files."""

    def __init__(self, name: str, file: Path, importer: Importer):
        super().__init__(name, str(file))
        self._importer = importer

    def get_data(self, path: str) -> bytes:
        source = self._importer._files.sources.get(Path(path))
        return super().get_data(path) if source is None else source

    def get_code(self, fullname: str) -> Any:
        del fullname
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        module.__source__ = decode_source(self.get_data(self.path))
        module.__builtins__ = {**vars(builtins), "__import__": self._importer._import}
        super().exec_module(module)
        self._importer.executed(module)


@contextmanager
def path_kept() -> Iterator[None]:
    """Within, ``sys.path`` may be added to; after, it is as before, and so is ``sys.modules``.

    Modules found by way of what was added are no longer importable; who imported them has them.
    """
    before = list(sys.path)
    try:
        yield
    finally:
        if sys.path != before:
            added = {Path(entry).resolve() for entry in sys.path if entry not in before}
            sys.path[:] = before
            _forget_modules_in(added)


def _forget_modules_in(folders: set[Path]) -> None:
    tops = {
        name
        for name, module in list(sys.modules.items())
        if "." not in name and (file := getattr(module, "__file__", None)) and file.endswith(".py")
        if (Path(file).parents[Path(file).name == "__init__.py"]).resolve() in folders
    }
    for name in list(sys.modules):
        if name.partition(".")[0] in tops:
            del sys.modules[name]


def private_name(prefix: str, stem: str, number: int) -> str:
    """A name for a package.

    Example:
        >>> private_name("user_", "my-adam.v2", 3)
        'user_my_adam_v2_3'
    """
    return f"{prefix}{re.sub(r'[^A-Za-z0-9_]', '_', stem)}_{number}"
