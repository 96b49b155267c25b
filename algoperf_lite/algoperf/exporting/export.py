"""Writing a submission as a directory that AlgoPerf 0.6 runs, and that holds all it needs."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from algoperf_lite.algoperf.exporting import texts, vendoring
from algoperf_lite.algoperf.exporting.adapter import changes_weights
from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.modules import only, source_of
from algoperf_lite.registry import (
    OPTAX,
    Selector,
    find_submission,
    parse_selector,
    submission_module,
    without_directory,
)
from algoperf_lite.submission import Submission

UNCALLED = {
    "on_eval": "AlgoPerf shows no evaluations to a submission on the host that may change its"
    " hyperparameters",
    "select": "AlgoPerf hands out whole batches, not examples by their number",
    "batch_size": "AlgoPerf asks for one batch size per workload name",
}
"""Methods that AlgoPerf has no call for, and what it does instead."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: the directory.
        files: in it, ``submission.py`` first.
        ruleset: ``"external"`` or ``"self"``.
        needs: packages that it imports and AlgoPerf does not bring.
    """

    folder: Path
    files: tuple[Path, ...]
    ruleset: str
    needs: tuple[str, ...]


def export(
    selector: str, folder: Path, authors: Sequence[str] = (), affiliations: Sequence[str] = ()
) -> Exported:
    """Write a submission as an AlgoPerf 0.6 submission directory.

    It holds ``submission.py`` with AlgoPerf's functions, ``submission_info.yml``, the search space
    where the submission is tuned externally, and in ``vendored`` the modules of ours that it uses.

    Args:
        selector: a name, a path or ``optax:NAME``, with or without values in brackets.
        folder: where to; it must not exist, or be empty.
        authors: for the information.
        affiliations: theirs.

    Raises:
        UsageError: there is no such submission, AlgoPerf has no call for one of its methods, it
            uses modules that cannot go along, or there is something in `folder`.
        MachineError: `folder` cannot be written.
    """
    name, submission, _ = find_submission(selector)
    check_exportable(selector, submission)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is left alone; give -o a directory that does not")
    chosen, module = parse_selector(selector), submission_module(selector)
    vendored = vendoring.vendor(module)
    summary = _summary(ast.get_docstring(ast.parse(source_of(module))), chosen)
    files = {
        "submission.py": texts.functions(
            summary,
            without_directory(selector),
            vendored.main,
            _expression(chosen, module),
            chosen.params,
            changes_weights(submission),
        ),
        "submission_info.yml": texts.information(
            name, _folder_name(folder), authors, affiliations, submission.ruleset, summary
        ),
        "__init__.py": "",  # AlgoPerf imports a submission as a module of a package
        "vendored/__init__.py": '"""What the submission uses, with imports of its own."""\n',
    }
    if submission.ruleset == "external":
        space = submission.search_space or [dict(submission.default)]
        files["tuning_search_space.json"] = json.dumps(_plain(space), indent=2) + "\n"
    files |= {f"vendored/{p}": vendored.files[p] for p in vendoring.paths(vendored.files)}
    _write(folder, files)
    written = tuple(folder / path for path in files)
    return Exported(folder, written, submission.ruleset, tuple(sorted(vendored.needs)))


def check_exportable(selector: str, submission: Submission) -> None:
    """Refuse a submission with a method that AlgoPerf has no call for.

    Raises:
        UsageError: with the method and why.
    """
    for method, instead in UNCALLED.items():
        if getattr(type(submission), method) is not getattr(Submission, method):
            raise UsageError(
                f"{selector} cannot be exported: its {method}() has no counterpart, as {instead};"
                " export one without it"
            )


def _expression(chosen: Selector, module: object) -> str:
    """The submission as its module gives it: a name there, or a call."""
    if chosen.base.startswith(OPTAX):
        return f"from_optax({json.dumps(chosen.base.removeprefix(OPTAX))})"
    found = only(module, "submission", Submission)
    return next(name for name, value in vars(module).items() if value is found)


def _summary(docstring: str | None, chosen: Selector) -> str:
    """The docstring's first line, but for optimizers of optax, which have no file."""
    if chosen.base.startswith(OPTAX):
        return f"{chosen.base.removeprefix(OPTAX)} of optax."
    lines = (docstring or chosen.name).splitlines()
    return lines[0] if lines else chosen.name


def _folder_name(folder: Path) -> str:
    """Lower case and without blanks, as AlgoPerf asks.

    Example:
        >>> _folder_name(Path("out/My rule"))
        'my_rule'
    """
    return re.sub(r"[^a-z0-9_]+", "_", folder.resolve().name.lower()).strip("_")


def _plain(space: object) -> object:
    """With plain dicts and lists alone, as JSON has them."""
    if isinstance(space, Sequence):
        return [dict(point) for point in space]
    return {name: dict(entry) for name, entry in space.items()}


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise MachineError(f"cannot write to {folder}: {error.strerror}") from error
