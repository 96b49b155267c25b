"""Copying trials into a results directory, so that it never counts half of one. Imports no JAX."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algoperf_lite.errors import MachineError
from algoperf_lite.records import SUITE_FILE, TRIAL_FILE, read_json, write_json
from scoring.walk import TrialPath

STAGE = ".merging"
"""Directory of a results directory that trials are copied to before they count."""


@dataclass(frozen=True)
class Merge:
    """What a merge does; `carry_out` does it.

    Attributes:
        dest: the directory that everything comes together in.
        suite: what its suite.json will hold.
        copies: trials to copy, and where to.
        identical: how many trials were there more than once, and are taken once.
        unfinished: trials without an end, which are left out.
        notes: what to know before the result is scored.
        into: whether `dest` is added to.
    """

    dest: Path
    suite: dict[str, Any]
    copies: tuple[tuple[TrialPath, Path], ...]
    identical: int = 0
    unfinished: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    into: bool = False

    def carry_out(self) -> None:
        """Copy the trials, all to where nothing looks for trials, then rename each into place.

        A directory that is added to is as it was while trials are copied; its suite.json comes
        before them, as in a run, so that what is not there yet is missed. A new directory gets its
        suite.json last, and does not score before. Planned again, a merge that stopped goes on.

        Raises:
            MachineError: something cannot be read or written.
        """
        stage = self.dest / STAGE
        staged = [(stage / to.relative_to(self.dest), to) for _, to in self.copies]
        try:
            stage.mkdir(parents=True, exist_ok=True)
            for (trial, _), (place, _) in zip(self.copies, staged, strict=True):
                _copy(Path(trial.path), place, place.relative_to(stage).parts[0])
            if self.into:
                write_json(self.dest / SUITE_FILE, self.suite)
            for place, to in staged:
                to.parent.mkdir(parents=True, exist_ok=True)
                place.rename(to)
            if not self.into:
                write_json(self.dest / SUITE_FILE, self.suite)
            shutil.rmtree(stage)
        except OSError as error:
            raise MachineError(
                f"cannot merge into {self.dest}: {error}; mend that, and the same command again"
                " copies the rest"
            ) from error


def _copy(trial: Path, place: Path, submission: str) -> None:
    """Copies a trial, which is from now on of this submission."""
    if place.exists():  # a part, of a merge that stopped
        shutil.rmtree(place)
    shutil.copytree(trial, place, symlinks=True, ignore=shutil.ignore_patterns(f".{TRIAL_FILE}.*"))
    record = read_json(place / TRIAL_FILE) or {}
    if record.get("submission") not in (None, submission):
        write_json(place / TRIAL_FILE, record | {"submission": submission})
