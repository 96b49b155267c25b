"""``algoperf-lite show``: one trial in full, or all trials below a directory in a line each."""

from pathlib import Path
from typing import Any

import click

from algoperf_lite.cli import options, output
from algoperf_lite.errors import UsageError
from algoperf_lite.records import EVALUATIONS_FILE, TRIAL_FILE, read_evaluations, read_json


@click.command("show")
@click.argument("path", type=click.Path(path_type=Path))
@options.as_json
def command(path: Path, as_json: bool) -> None:
    """Look at the trial recorded in PATH, or at all trials below PATH."""
    is_trial = (path / TRIAL_FILE).exists() or (path / EVALUATIONS_FILE).exists()
    found = read_trial(path) if is_trial else read_trials(path)
    if as_json:
        output.print_json(found)
    elif is_trial:
        from algoperf_lite.cli.trial_view import trial_view  # noqa: PLC0415

        output.stdout().print(trial_view(found))
    else:
        output.stdout().print(_table(found, path))


def read_trial(path: Path) -> dict[str, Any]:
    """A trial's record: ``trial`` (null if unfinished), ``hyperparameters``, ``evaluations``."""
    return {
        "path": str(path),
        "trial": read_json(path / TRIAL_FILE),
        "hyperparameters": read_json(path / "hparams.json"),
        "evaluations": read_evaluations(path / EVALUATIONS_FILE),
    }


def read_trials(path: Path) -> list[dict[str, Any]]:
    """What trial.json says of every trial below a directory, by path.

    Raises:
        UsageError: there is no trial.
    """
    directories = {f.parent for name in (TRIAL_FILE, EVALUATIONS_FILE) for f in path.rglob(name)}
    if not directories:
        raise UsageError(f"no trials in or below {path}; give a directory that `run` wrote")
    unfinished = {"status": "unfinished"}
    return [
        {"path": str(directory)} | (read_json(directory / TRIAL_FILE) or unfinished)
        for directory in sorted(directories)
    ]


def _table(rows: list[dict[str, Any]], path: Path) -> Any:
    from rich.table import Table  # noqa: PLC0415

    table = Table("trial", "status", "steps", "on-clock s", "marks", "reason")
    table.columns[0].overflow = "fold"
    for column in table.columns[2:4]:
        column.justify = "right"
    for row in rows:
        marks = " ".join(mark for mark in ("noisy", "drifted") if row.get(mark))
        seconds = row.get("seconds")
        table.add_row(
            str(Path(row["path"]).relative_to(path)),
            row["status"],
            str(row.get("steps", "")),
            "" if seconds is None else f"{seconds:.2f}",
            marks,
            row.get("reason") or "",
        )
    return table
