"""Which modules a submission uses, and their texts as they run in a directory of their own."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from algoperf_lite.algoperf.exporting.imports import imported, redirected
from algoperf_lite.errors import UsageError
from algoperf_lite.modules import source_of

ADAPTER = "algoperf_lite.algoperf.exporting.adapter"
MOVED = {ADAPTER: "adapter"}
"""Modules that lie elsewhere in an exported directory."""

HARNESS = "algoperf_lite"
CONTRACT = '''"""What submissions import of the harness that they were written for."""

from algoperf_lite.submission import Evaluation as Evaluation
from algoperf_lite.submission import Finished as Finished
from algoperf_lite.submission import OptaxSubmission as OptaxSubmission
from algoperf_lite.submission import Submission as Submission
from algoperf_lite.submission import Task as Task
from algoperf_lite.submission import TrainState as TrainState
'''
DIRECTION = '''"""What the contract of submissions needs of that of workloads."""

from typing import Literal

Direction = Literal["minimize", "maximize"]
'''
REPLACED = {HARNESS: CONTRACT, f"{HARNESS}.workload": DIRECTION}
"""Modules of which a part goes along."""

WHOLE = frozenset({ADAPTER, *(f"{HARNESS}.{m}" for m in ("errors", "parameters", "submission"))})
"""Modules of the harness that go along as they are; the others do not."""

STAYS = frozenset({"benchmarks", "scoring", "workloads"})
"""Packages of ours that no submission takes along."""

BROUGHT = frozenset({"absl", "chex", "flax", "jax", "jaxlib", "numpy", "optax"})
"""What AlgoPerf's environment has that submissions import."""


@dataclass
class Vendored:
    """The modules of a submission, for a directory of their own.

    Attributes:
        main: the name there of the module that defines the submission.
        files: their texts by their paths below that directory.
        needs: names of packages that they import and AlgoPerf does not bring.
    """

    main: str
    files: dict[str, str] = field(default_factory=dict)
    needs: set[str] = field(default_factory=set)


def vendor(module: ModuleType) -> Vendored:
    """The module that defines a submission, all that it imports of ours, and the adapter.

    Args:
        module: of the `submissions` package, of a package that brings submissions, or of a file.

    Raises:
        UsageError: it imports something of ours that does not go along.
    """
    return _Walk(module).all()


class _Walk:
    """Follows imports from the module that defines a submission."""

    def __init__(self, module: ModuleType):
        file = Path(module.__file__).resolve()
        by_path = hasattr(module, "__source__")  # `modules.load_path` names such a module anew
        self.main = _identifier(file.stem) if by_path else module.__name__
        self.folder = file.parent if by_path else None
        self.tops = {HARNESS, "submissions", self.main.partition(".")[0]}
        self.texts: dict[str, str] = {self.main: source_of(module)}
        self.packages: set[str] = set()
        self.found = Vendored(self.main)

    def all(self) -> Vendored:
        """Every module that can be reached, with its imports pointed at the others."""
        todo = [self.main, ADAPTER]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name in seen or not name:
                continue
            seen.add(name)
            self._read(name)
            todo += [name.rpartition(".")[0]] if name not in MOVED else []
            for used, taken in imported(self.texts[name], self._package(name)):
                todo += self._ours(name, used, taken)
        for name in sorted(seen):
            path = self._path(name)
            if path in self.found.files:
                raise UsageError(f"{name} would lie at {path}, as another does; rename the file")
            self.found.files[path] = redirected(
                self.texts[name], self._package(MOVED.get(name, name)), self._moved
            )
        return self.found

    def _read(self, name: str) -> None:
        if name in self.texts:
            return
        spec = importlib.util.find_spec(name)
        if spec.submodule_search_locations is not None:
            self.packages.add(name)
        if name in REPLACED:
            self.texts[name] = REPLACED[name]
        else:  # a package without an __init__.py has none
            self.texts[name] = Path(spec.origin).read_text(encoding="utf-8") if spec.origin else ""

    def _ours(self, name: str, used: str, taken: tuple[str, ...]) -> list[str]:
        """Modules that an import of `name` names and that go along; the others are noted."""
        top = used.partition(".")[0]
        if top in STAYS or (top == HARNESS and not self._goes(used, taken)):
            raise UsageError(
                f"{name} imports {', '.join(taken) or 'something'} from {used}, which an exported"
                f" submission does not have: of {HARNESS} it has"
                f" {', '.join(sorted(_taken(CONTRACT)))}, and its modules errors, parameters and"
                " submission; write what it needs into a file beside it"
            )
        if not self._is_ours(top):
            if top not in BROUGHT and top not in sys.stdlib_module_names:
                self.found.needs.add(top)
            return []
        inside = [f"{used}.{part}" for part in taken if self._is_module(used, part)]
        return [used, *inside]

    def _goes(self, used: str, taken: tuple[str, ...]) -> bool:
        if used == HARNESS:
            return all(n in _taken(CONTRACT) or f"{used}.{n}" in WHOLE for n in taken)
        return used in WHOLE or (used in REPLACED and set(taken) <= {"Direction"})

    def _is_ours(self, top: str) -> bool:
        """Whether a package goes along: ours, or what lies beside the submission's file."""
        if top in self.tops:
            return True
        if self.folder is None or top in sys.stdlib_module_names:
            return False
        spec = importlib.util.find_spec(top)
        places = [*(spec.submodule_search_locations or ()), spec.origin] if spec else []
        return any(p and self.folder in Path(p).resolve().parents for p in places)

    def _is_module(self, package: str, name: str) -> bool:
        self._read(package)
        return package in self.packages and bool(importlib.util.find_spec(f"{package}.{name}"))

    def _moved(self, name: str) -> str | None:
        return MOVED.get(name, name) if self._is_ours(name.partition(".")[0]) else None

    def _package(self, name: str) -> str:
        """The package that a module lies in; a package lies in itself."""
        return name if name in self.packages else name.rpartition(".")[0]

    def _path(self, name: str) -> str:
        stem = MOVED.get(name, name).replace(".", "/")
        return f"{stem}/__init__.py" if name in self.packages else f"{stem}.py"


def _identifier(stem: str) -> str:
    """A module's name for a file's stem, which may be none.

    Example:
        >>> _identifier("my-rule"), _identifier("2nd"), _identifier("lambda")
        ('my_rule', 'rule_2nd', 'rule_lambda')
    """
    name = re.sub(r"\W", "_", stem)
    return name if name.isidentifier() and not keyword.iskeyword(name) else f"rule_{name}"


def _taken(source: str) -> set[str]:
    return {name for _, names in imported(source, "") for name in names}


def paths(files: Mapping[str, str]) -> list[str]:
    """Paths of files, packages first."""
    return sorted(files, key=lambda path: (path.count("/"), path))
