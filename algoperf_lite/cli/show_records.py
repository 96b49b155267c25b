"""What `show` reads: one trial whole, or a line of each trial below a directory."""

import csv
import hashlib
import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from algoperf_lite.errors import UsageError
from algoperf_lite.records import (
    ENVIRONMENT_FILE,
    EVALUATIONS_FILE,
    HYPERPARAMETERS_FILE,
    TRIAL_FILE,
    read_evaluations,
    read_json,
)
from scoring.clocks import STEP_COLUMN, TIME_COLUMN
from scoring.evaluations import Evaluations, Request, read_many
from scoring.walk import STUDY, TRIAL, WORKLOAD

LOGGED, UNFINISHED, UNREADABLE = "logged", "unfinished", "unreadable"
"""Of trials without a record of their end: AlgoPerf's own logs, killed or running, damaged."""


def read_trial(path: Path) -> dict[str, Any]:
    """A trial's record.

    Returns:
        ``path``, ``status``, ``trial`` (null if unfinished or logged), ``hyperparameters``,
        ``evaluations``, and ``evaluations_changed``: whether they are not the ones that the
        record was written of, null where it does not say.

    Raises:
        UsageError: a file cannot be read as what it is.
    """
    trial = read_json(path / TRIAL_FILE)
    try:
        evaluations = read_evaluations(path / EVALUATIONS_FILE)
    except (ValueError, csv.Error) as error:
        raise UsageError(
            f"{path / EVALUATIONS_FILE}: cannot be read as rows of numbers ({error}); restore it,"
            " or remove the trial with `algoperf-lite rm`"
        ) from error
    return {
        "path": str(path),
        "status": _status(trial, path),
        "trial": trial,
        "hyperparameters": read_json(path / HYPERPARAMETERS_FILE),
        "evaluations": evaluations,
        "evaluations_changed": _changed(trial, path / EVALUATIONS_FILE),
    }


def read_trials(path: Path) -> list[dict[str, Any]]:
    """What trial.json says of every trial below a directory, by path.

    A trial without one has the status "unfinished", or "logged" in AlgoPerf's own logs, and what
    its evaluations tell of ``steps`` and ``seconds``; one whose record is damaged is "unreadable".

    Raises:
        UsageError: there is no trial.
    """
    directories = trial_directories(path)
    if not directories:
        raise UsageError(
            f"no trials in or below {path}; give a directory that `run` wrote, or one of AlgoPerf's"
        )
    rows = [_row(directory) for directory in directories]
    _add_progress([row for row in rows if row["status"] in (LOGGED, UNFINISHED)])
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
    names = Path(os.path.abspath(row["path"])).parts[-4:]
    if len(names) == 4:
        submission, study, workload, trial = names
        found = STUDY.fullmatch(study), WORKLOAD.fullmatch(workload), TRIAL.fullmatch(trial)
        if all(found):
            study, workload, trial = (match[1] for match in found)
            return {"submission": submission, "study": study, "workload": workload, "trial": trial}
    keys = ("submission", "study", "workload", "trial")
    return {key: str(row.get(key, "")) for key in keys}


def _row(directory: Path) -> dict[str, Any]:
    try:
        record = read_json(directory / TRIAL_FILE)
    except UsageError as error:
        return {"path": str(directory), "status": UNREADABLE, "reason": str(error)}
    return {"path": str(directory), **(record or {}), "status": _status(record, directory)}


def _status(record: dict[str, Any] | None, directory: Path) -> str:
    if record is not None:
        status = record.get("status")
        return status if isinstance(status, str) else UNREADABLE
    return UNFINISHED if _is_ours(directory) else LOGGED


def _is_ours(directory: Path) -> bool:
    """Whether the harness wrote this: AlgoPerf describes no device in a file of this name."""
    try:
        environment = read_json(directory / ENVIRONMENT_FILE)
    except UsageError:
        return False
    return bool(environment) and "device_kind" in environment


def _add_progress(rows: list[dict[str, Any]]) -> None:
    """Adds the last step and time of trials that have no record of them."""
    columns = {"steps": STEP_COLUMN, "seconds": TIME_COLUMN}
    paths = [os.path.join(row["path"], EVALUATIONS_FILE) for row in rows]
    for row, read in zip(
        rows, read_many(Request(path, (), tuple(columns.values())) for path in paths), strict=True
    ):
        if not isinstance(read, Evaluations):
            row["reason"] = str(read)
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
