"""What `show` reads: one trial whole, or a line of each trial below a directory."""

import csv
import hashlib
import itertools
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from algoperf_lite.cli.judged import Verdict, layout_of, verdicts
from algoperf_lite.errors import UsageError
from algoperf_lite.records import (
    ENVIRONMENT_FILE,
    EVALUATIONS_FILE,
    HYPERPARAMETERS_FILE,
    TRIAL_FILE,
    is_ours,
    read_evaluations,
    read_json,
)
from scoring.clocks import STEP_COLUMN, TIME_COLUMN
from scoring.evaluations import Evaluations, Request, read_many

LOGGED, UNFINISHED, UNREADABLE = "logged", "unfinished", "unreadable"
"""Of trials without a record of their end: AlgoPerf's own logs, killed or running, damaged."""


def read_trial(path: Path) -> dict[str, Any]:
    """A trial's record.

    Returns:
        ``path``, ``status``, ``trial`` (null if unfinished, logged or unreadable),
        ``hyperparameters``, ``evaluations``, and ``evaluations_changed``: whether they are not the
        ones that the record was written of, null where it does not say; ``problems``: what is
        wrong with its files; ``counts``: see `read_trials`.
    """
    wrong: dict[str, str] = {}
    trial = _object(path / TRIAL_FILE, wrong)
    hyperparameters = _object(path / HYPERPARAMETERS_FILE, wrong)
    evaluations = _rows(path / EVALUATIONS_FILE, wrong)
    changed = _changed(trial, path / EVALUATIONS_FILE)
    if changed:
        wrong.setdefault(EVALUATIONS_FILE, "not those that the trial was recorded with")
    verdict = verdicts([path])[path]
    known = {problem.partition(": ")[0] for problem in verdict.problems}
    return {
        "path": str(path),
        "status": UNREADABLE if TRIAL_FILE in wrong else _status(trial, path),
        "counts": verdict.counts,
        "problems": [
            *verdict.problems,
            *(f"{name}: {what}" for name, what in wrong.items() if name not in known),
        ],
        "trial": trial,
        "hyperparameters": hyperparameters,
        "evaluations": evaluations,
        "evaluations_changed": changed,
    }


def read_trials(path: Path) -> list[dict[str, Any]]:
    """What trial.json says of every trial below a directory, by path.

    A trial without one has the status "unfinished", or "logged" in AlgoPerf's own logs, and what
    its evaluations tell of ``steps`` and ``seconds``; one whose record is damaged is "unreadable".
    Where there is a suite.json, ``problems`` are what scoring finds wrong with a trial, and
    ``counts`` says whether it counts as having met its target; else they are empty and null.

    Raises:
        UsageError: there is no trial.
    """
    directories = trial_directories(path)
    if not directories:
        raise UsageError(
            f"no trials in or below {path}; give a directory that `run` wrote, or one of AlgoPerf's"
        )
    judged = verdicts(directories)
    rows = [_row(directory, judged[directory]) for directory in directories]
    _add_progress([row for row in rows if row["status"] in (LOGGED, UNFINISHED, UNREADABLE)])
    return rows


def trial_directories(path: Path) -> list[Path]:
    """Directories in or below a path that hold a trial's files, sorted."""
    return sorted(
        Path(directory)
        for directory, _, files in os.walk(path)
        if TRIAL_FILE in files or EVALUATIONS_FILE in files
    )


def place_of(row: dict[str, Any]) -> dict[str, str]:
    """Submission, study, workload and trial of a row of `read_trials`, from where it lies.

    Example:
        >>> place_of({"path": "r/nadamw/study_0/zipf_lm_jax/trial_1"})
        {'submission': 'nadamw', 'study': '0', 'workload': 'zipf_lm', 'trial': '1'}
    """
    layout = layout_of(row["path"])
    if layout is not None:
        return layout
    keys = ("submission", "study", "workload", "trial")
    return {key: str(row.get(key, "")) for key in keys}


def _row(directory: Path, verdict: Verdict) -> dict[str, Any]:
    own = {"path": str(directory)}
    judged = {"counts": verdict.counts, "problems": list(verdict.problems)}
    try:
        record = read_json(directory / TRIAL_FILE)
    except UsageError as error:
        return {**own, "status": UNREADABLE, "reason": str(error), **judged}
    return {**own, **(record or {}), "status": _status(record, directory), **judged}


def _object(path: Path, wrong: dict[str, str]) -> dict[str, Any] | None:
    """What a JSON file holds, or None; what is wrong with it is added."""
    try:
        return read_json(path)
    except UsageError as error:
        wrong[path.name] = str(error).removeprefix(f"{path}: ")
        return None


def _rows(path: Path, wrong: dict[str, str]) -> list[dict[str, float]]:
    """The evaluations, none if they are damaged; what is wrong with them is added."""
    try:
        rows = read_evaluations(path)
    except (ValueError, csv.Error) as error:
        wrong[path.name] = (
            f"cannot be read as rows of numbers ({error}); restore it, or remove the trial with"
            " `algoperf-lite rm`"
        )
        return []
    seconds = [row[TIME_COLUMN] for row in rows if math.isfinite(row.get(TIME_COLUMN, math.nan))]
    if any(value < 0 for value in seconds):
        wrong[path.name] = f"{TIME_COLUMN} is negative"
    elif any(after < before for before, after in itertools.pairwise(seconds)):
        wrong[path.name] = f"{TIME_COLUMN} decreases"
    return rows


def _status(record: dict[str, Any] | None, directory: Path) -> str:
    if record is not None:
        status = record.get("status")
        return status if isinstance(status, str) else UNREADABLE
    return UNFINISHED if _has_our_environment(directory) else LOGGED


def _has_our_environment(directory: Path) -> bool:
    try:
        environment = read_json(directory / ENVIRONMENT_FILE)
    except UsageError:
        return False
    return is_ours(environment)


def _add_progress(rows: list[dict[str, Any]]) -> None:
    """Adds the last step and time of trials that have no record of them."""
    columns = {"steps": STEP_COLUMN, "seconds": TIME_COLUMN}
    paths = [os.path.join(row["path"], EVALUATIONS_FILE) for row in rows]
    for row, read in zip(
        rows, read_many(Request(path, (), tuple(columns.values())) for path in paths), strict=True
    ):
        if not isinstance(read, Evaluations):
            row.setdefault("reason", str(read))
            continue
        for key, column in columns.items():
            values = read.columns.get(column, np.empty(0))
            if len(values) and math.isfinite(last := np.nanmax(values, initial=-math.inf)):
                row[key] = int(last) if key == "steps" else float(last)


def _changed(trial: dict[str, Any] | None, path: Path) -> bool | None:
    digest = (trial or {}).get("evaluations_sha256")
    if digest is None:
        return None
    return not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest
