"""What a submission declares, held to its form, with the lines of its file in the messages."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.modules import assignment_line, syntax_tree
from algoperf_lite.registry import parse_selector, submission_module
from algoperf_lite.submission import Submission
from algoperf_lite.tuning import check_point, check_space


def check_declared(text: str, submission: Submission) -> None:
    """Refuse a default point, search space, option or named point of a wrong form.

    Args:
        text: the selector that `submission` was found by.
        submission: with the values in the selector's brackets.

    Raises:
        UsageError: with the file and the line, where they are known, and what is wrong.
    """
    selector = parse_selector(text)
    if selector.of_algoperf:
        return  # was held to its form when it was found
    module = submission_module(text)
    place = _Place(selector.base if selector.is_path else None, text, module)
    for key, first, again in place.repeated():
        raise UsageError(
            f"{place.at_line(again)}: {key!r} stands twice in one dict, first in line {first};"
            " Python keeps the last, so take one out"
        )
    for name, value in submission.default.items():
        check_point({name: value}, place.at("default", name))
    for name in (*submission.static, *submission.options):
        if name not in submission.default:
            raise unknown_name("hyperparameter", name, submission.default, place.at("static", name))
    for name, choices in submission.options.items():
        if (value := submission.default[name]) not in choices:
            raise unknown_name(name, str(value), choices, place.at("default", name))
    _check_space(submission, place)
    for point, values in submission.points.items():
        check_point(values, place.at("points", point))
        for name in values:
            if name not in _names_of(submission):
                raise unknown_name(
                    "hyperparameter", name, _names_of(submission), place.at("points", name)
                )


def _check_space(submission: Submission, place: _Place) -> None:
    space = submission.search_space
    if isinstance(space, Mapping):
        for name, entry in space.items():
            check_space({name: entry}, submission.default, place.at("search_space", name))
    elif space is not None:
        check_space(space, submission.default, place.at("search_space"))


def _names_of(submission: Submission) -> set[str]:
    """Every hyperparameter that some choice of options has."""
    options = [option for choices in submission.options.values() for option in choices.values()]
    return set(submission.default).union(*(option.default for option in options))


class _Place:
    """Where in its file a submission declares what.

    Args:
        path: of the file as the user wrote it, or None where a name was given.
        text: the selector.
        module: the module of the file.
    """

    def __init__(self, path: str | None, text: str, module: ModuleType | None):
        self._tree = syntax_tree(module) if module else ast.Module([], [])
        self._file = path or getattr(module, "__file__", None)
        self._suffix = "" if path else f": {text}"

    def at_line(self, line: int) -> str:
        """File, line and, where it was selected by name, the selector."""
        return f"{self._file}:{line}{self._suffix}" if self._file else self._suffix[2:]

    def at(self, field: str, name: str | None = None) -> str:
        """Of a key in a field of the submission; as near as can be told from the syntax tree."""
        fields = [n for n in ast.walk(self._tree) if isinstance(n, ast.keyword) and n.arg == field]
        values = [self._resolved(node.value) for node in fields]
        for where in (*values, self._tree):
            for key in _keys(where):
                if key.value == name:
                    return self.at_line(key.lineno)
        line = fields[0].value.lineno if fields else assignment_line(self._tree, "submission")
        return self.at_line(line or 1)

    def repeated(self) -> Iterator[tuple[Any, int, int]]:
        """Keys that stand twice in one dict, with both their lines."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Dict):
                seen: dict[Any, int] = {}
                for key in node.keys:
                    if isinstance(key, ast.Constant):
                        if key.value in seen:
                            yield key.value, seen[key.value], key.lineno
                        seen[key.value] = key.lineno

    def _resolved(self, node: ast.expr) -> ast.AST:
        """The value of a name that is assigned to at the top level; others as they are."""
        if isinstance(node, ast.Name):
            for statement in self._tree.body:
                if isinstance(statement, ast.Assign | ast.AnnAssign):
                    targets = getattr(statement, "targets", None) or [statement.target]
                    if any(isinstance(t, ast.Name) and t.id == node.id for t in targets):
                        return statement.value or node
        return node


def _keys(tree: ast.AST) -> Iterator[ast.Constant]:
    """Constant keys of all dicts in a syntax tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            yield from (key for key in node.keys if isinstance(key, ast.Constant))
