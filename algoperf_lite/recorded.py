"""The trials that lie in a results directory, finished or not. Imports no JAX."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.records import SUITE_FILE, TRIAL_FILE, read_json
from scoring.walk import STUDY, TRIAL, WORKLOAD, TrialPath

UNFINISHED = "unfinished"
UNREADABLE = "unreadable"
_ANY = re.compile(r"[^.].*")


@dataclass(frozen=True)
class Recorded:
    """What a results directory holds.

    Attributes:
        trials: in a fixed order.
        links: symbolic links that stand where a directory should, and were not followed.
    """

    trials: list[TrialPath]
    links: list[str]


def recorded_trials(results: Path, follow_links: bool = False) -> Recorded:
    """Lists the trials below a results directory.

    Args:
        results: the results directory.
        follow_links: whether to list what links lead to as well, as scoring does.

    Raises:
        MachineError: a directory cannot be listed.
    """
    links: list[str] | None = None if follow_links else []
    trials = [
        TrialPath(submission, int(study), workload, int(number), trial_path)
        for path, submission in _matching(str(results), _ANY, links)
        for study_path, study in _matching(path, STUDY, links)
        for workload_path, workload in _matching(study_path, WORKLOAD, links)
        for trial_path, number in _matching(workload_path, TRIAL, links)
    ]
    return Recorded(sorted(trials, key=lambda trial: trial.identity), links or [])


def read_suite_file(results: Path) -> dict[str, Any]:
    """What `suite.json` in a results directory holds.

    Raises:
        UsageError: no such directory, or it holds none, so that it is no results directory.
    """
    if not results.is_dir():
        raise UsageError(
            f"{results}: no such directory; give one that `run` was given as --results"
        )
    suite = read_json(results / SUITE_FILE)
    if suite is None:
        raise UsageError(
            f"{results}: holds no {SUITE_FILE}, so it is no results directory of algoperf_lite;"
            " give the directory that `run` was given with --results"
        )
    return suite


def status_of(trial: TrialPath) -> str:
    """How a trial ended by its record, or `UNFINISHED`, or `UNREADABLE`.

    Raises:
        MachineError: the record cannot be read.
    """
    try:
        record = read_json(Path(trial.path) / TRIAL_FILE)
    except UsageError:
        return UNREADABLE
    if record is None:
        return UNFINISHED
    status = record.get("status")
    return status if isinstance(status, str) else UNREADABLE


def _matching(path: str, pattern: re.Pattern, links: list[str] | None) -> Iterator[tuple[str, str]]:
    """Yields (path, name or its first group) of the directories whose names match.

    Links are added to `links`; where that is None they count as what they lead to.
    """
    try:
        with os.scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise MachineError(f"{path}: cannot be listed ({error.strerror or error})") from error
    for entry in found:
        if not (match := pattern.fullmatch(entry.name)):
            continue
        if not os.path.isdir(entry.path):  # false of a link that leads nowhere or to itself
            continue
        if links is not None and entry.is_symlink():
            links.append(entry.path)
        else:
            yield entry.path, match[1] if pattern.groups else entry.name
