"""The files that a trial writes, laid out as AlgoPerf lays them out. Imports no JAX.

    <results>/suite.json
    <results>/<submission>/study_<i>/<workload>_jax/trial_<k>/
        eval_measurements.csv   a row per evaluation, AlgoPerf's columns in its order
        measurements.csv        a row per evaluation of training-side scalars
        hparams.json            the hyperparameter point
        meta_data_0.json        environment, as AlgoPerf has it
        trial.json              identity, status, clock breakdown; its presence ends a trial
        checkpoint/             while it runs, what `checkpoints` keeps to go on from

csv rows are appended and flushed one at a time, json files are written whole, so a crash at any
byte leaves a readable record. A directory with no trial.json, or one that
says ``interrupted``, holds an unfinished trial.
"""

import csv
import hashlib
import json
import math
import os
import platform
import shutil
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from algoperf_lite.csv_table import Table
from algoperf_lite.errors import MachineError, UsageError, unwritable

SCHEMA = 1
SUITE_FILE = "suite.json"
TRIAL_FILE = "trial.json"
EVALUATIONS_FILE = "eval_measurements.csv"
MEASUREMENTS_FILE = "measurements.csv"
CHECKPOINTS = "checkpoint"
HYPERPARAMETERS_FILE = "hparams.json"
ENVIRONMENT_FILE = "meta_data_0.json"
FRAMEWORK_SUFFIX = "_jax"

Status = Literal[
    "target_reached", "budget_exhausted", "diverged", "error", "invalid", "interrupted", "stopped"
]
STATUSES: tuple[str, ...] = get_args(Status)
"""How a trial ends. ``invalid``: it broke the rules of honest timing; the reason says which.
``stopped``: only in an exploration, where it was found to be hopeless."""


def trial_directory(results: Path, submission: str, study: int, workload: str, trial: int) -> Path:
    """Where a trial's files are; studies count from 0 and trials from 1, as in AlgoPerf.

    Example:
        >>> trial_directory(Path("r"), "nadamw", 0, "zipf_lm", 1).as_posix()
        'r/nadamw/study_0/zipf_lm_jax/trial_1'
    """
    study_directory = results / submission / f"study_{study}"
    return study_directory / f"{workload}{FRAMEWORK_SUFFIX}" / f"trial_{trial}"


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in `path`, or None if there is no such file.

    Raises:
        UsageError: the file is not a JSON object, or was written by a newer version.
        MachineError: the file cannot be read.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MachineError(f"cannot read {path}: {error.strerror or error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not JSON ({error}); delete it or restore it") from error
    if not isinstance(content, dict):
        raise UsageError(f"{path}: expected a JSON object, found {type(content).__name__}")
    schema = content.get("schema", SCHEMA)
    if not isinstance(schema, int):
        raise UsageError(f"{path}: schema {schema!r} is no whole number; delete it or restore it")
    if schema > SCHEMA:
        raise UsageError(
            f"{path}: schema {schema} is newer than {SCHEMA}, the newest that this"
            " version reads; upgrade algoperf_lite"
        )
    return content


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` whole: temporary name, fsync, rename. Non-finite numbers become null."""
    write_whole(path, (json.dumps(finite(content), indent=1, allow_nan=False) + "\n").encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole, or as it was before.

    Raises:
        MachineError: it cannot be written.
    """
    # Other threads, and processes of this number on other machines, may write it, too; what an
    # interrupt leaves behind is written over by the next attempt.
    writer = f"{platform.node()}.{os.getpid()}.{threading.get_native_id()}"
    temporary = path.with_name(f".{path.name}.{writer}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise unwritable(path, error) from error


class TrialRecorder:
    """Writes one trial's files; a record left there by an unfinished trial is replaced.

    Its checkpoint, if it left one, stays.

    Args:
        directory: the trial's directory.
        metrics: names of the metrics, ``loss`` included.
        hyperparameters: the point.
        environment: what `environment.describe` returned.

    Raises:
        MachineError: the directory cannot be written.
    """

    def __init__(
        self,
        directory: Path,
        metrics: Sequence[str],
        hyperparameters: Mapping[str, Any],
        environment: Mapping[str, Any],
    ):
        self.directory = directory
        self._process = os.getpid()
        try:
            _empty(directory)
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(directory, error) from error
        write_json(directory / HYPERPARAMETERS_FILE, hyperparameters)
        write_json(directory / ENVIRONMENT_FILE, environment)
        self._evaluations = Table(directory / EVALUATIONS_FILE, evaluation_columns(metrics))
        self._measurements: Table | None = None

    def evaluation(self, row: Mapping[str, Any]) -> None:
        """Append a row to eval_measurements.csv; columns not in `row` stay empty."""
        self._end_copies()
        self._evaluations.append(row)

    def measurement(self, row: Mapping[str, Any]) -> None:
        """Append a row to measurements.csv, whose columns are those of all its rows."""
        if self._measurements is None:
            self._measurements = Table(self.directory / MEASUREMENTS_FILE, list(row))
        if new := [name for name in row if name not in self._measurements.columns]:
            self._measurements.widen(new)
        self._measurements.append(row)

    def rows(self) -> dict[str, str]:
        """The csv files so far, for `restore`."""
        tables = [self._evaluations, self._measurements]
        return {t.path.name: t.path.read_text() for t in tables if t is not None}

    def restore(self, rows: Mapping[str, str]) -> None:
        """Bring the csv files back to what `rows` returned."""
        self._evaluations.restore(rows[EVALUATIONS_FILE])
        if (text := rows.get(MEASUREMENTS_FILE)) is not None:
            columns = next(csv.reader(text.splitlines()))
            self._measurements = Table(self.directory / MEASUREMENTS_FILE, columns)
            self._measurements.restore(text)

    def finish(self, trial: Mapping[str, Any]) -> dict[str, Any]:
        """Write trial.json, which marks the record as complete, after all rows are on disk.

        Returns:
            What it holds: `trial`, and the digest of the evaluations, by which a scorer notices if
            they change later.
        """
        self._end_copies()
        self._evaluations.sync()
        digest = hashlib.sha256(self._evaluations.path.read_bytes()).hexdigest()
        content = {"schema": SCHEMA, **trial, "evaluations_sha256": digest}
        write_json(self.directory / TRIAL_FILE, content)
        return content

    def _end_copies(self) -> None:
        """A child that a submission forked and that goes on as we do would record all twice."""
        if os.getpid() != self._process:
            os._exit(1)


def evaluation_columns(metrics: Sequence[str]) -> list[str]:
    """Columns of eval_measurements.csv: AlgoPerf's names, alphabetical as it writes them.

    Example:
        >>> evaluation_columns(["loss"])[5:9]
        ['score', 'test/loss', 'test/num_examples', 'total_duration']
    """
    general = [
        "accumulated_eval_time",
        "accumulated_logging_time",
        "accumulated_submission_time",
        "global_step",
        "preemption_count",
        "score",
        "total_duration",
        "test/num_examples",
        "validation/num_examples",
    ]
    return sorted(general + [f"{s}/{m}" for s in ("train", "validation", "test") for m in metrics])


def read_evaluations(path: Path) -> list[dict[str, float]]:
    """The rows of an eval_measurements.csv; empty cells are left out, as is a cut last line.

    A line without its newline counts as cut: its last cell may read "0.2" for "0.2345".
    """
    if not path.exists():
        return []
    lines = path.read_text().splitlines(keepends=True)
    rows = list(csv.DictReader(line for line in lines if line.endswith("\n")))
    whole = [row for row in rows if None not in row.values() and None not in row]
    return [{k: float(v) for k, v in row.items() if v != ""} for row in whole]


def _empty(directory: Path) -> None:
    """Delete what an unfinished trial left, but for what it may go on from."""
    for path in directory.iterdir() if directory.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            if path.name != CHECKPOINTS:
                shutil.rmtree(path)
        else:
            path.unlink()


def is_ours(environment: Any) -> bool:
    """Whether the harness wrote this as a trial's meta_data_0.json, and not AlgoPerf.

    AlgoPerf describes no device there.

    Example:
        >>> is_ours({"device_kind": "cpu"}), is_ours({"workload": "mnist"}), is_ours(None)
        (True, False, False)
    """
    return isinstance(environment, Mapping) and "device_kind" in environment


def finite(value: Any) -> Any:
    """A JSON-ready value with None in place of every number that is not finite.

    Example:
        >>> finite({"a": [1.0, float("nan")]})
        {'a': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
