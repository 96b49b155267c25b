"""Removing trials from a results directory, so that what remains is still true. Imports no JAX."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algoperf_lite.errors import MachineError, UsageError, unknown_name
from algoperf_lite.recorded import (
    UNFINISHED,
    UNREADABLE,
    read_suite_file,
    recorded_trials,
    status_of,
)
from algoperf_lite.records import STATUSES, SUITE_FILE, TRIAL_FILE, write_json
from scoring.walk import TrialPath

SELECTABLE = (*STATUSES, UNFINISHED, UNREADABLE)
"""Statuses that trials can be selected by; `unfinished` have no trial.json."""


@dataclass(frozen=True)
class Removal:
    """Trials that would be removed; `carry_out` removes them.

    Attributes:
        results: the results directory.
        trials: each with its status.
        submissions: whose last trial is among them.
        workloads: likewise.
        suite: what suite.json will hold; None where nothing remains, so that it goes too.
    """

    results: Path
    trials: tuple[tuple[TrialPath, str], ...]
    submissions: tuple[str, ...]
    workloads: tuple[str, ...]
    suite: dict[str, Any] | None

    def carry_out(self) -> None:
        """Remove them.

        suite.json is written first, and of each trial its trial.json goes first: wherever this
        stops, what is left is a trial that nobody declares or an unfinished one, never a half one
        that counts.

        Raises:
            MachineError: something cannot be removed.
        """
        if not self.trials:
            return
        try:
            if self.suite is None:
                (self.results / SUITE_FILE).unlink()
            elif self.submissions or self.workloads:
                write_json(self.results / SUITE_FILE, self.suite)
            for trial, _ in self.trials:
                _remove(Path(trial.path), self.results)
        except OSError as error:
            raise MachineError(
                f"cannot remove {error.filename}: {error.strerror or error}; the same command"
                " again removes the rest"
            ) from error


def select_removal(
    results: str | Path,
    *,
    submissions: Collection[str] = (),
    workloads: Collection[str] = (),
    studies: Collection[int] = (),
    statuses: Collection[str] = (),
) -> Removal:
    """Selects trials of a results directory to remove: those that meet every condition given.

    Args:
        results: the results directory.
        submissions: trials of any of these.
        workloads: on any of these.
        studies: of any of these, from 0.
        statuses: that ended in any of these ways, see `SELECTABLE`.

    Raises:
        UsageError: no condition, a name that no trial has, no results directory, or a base
            workload would go whose held-out variants stay.

    Example:
        >>> select_removal("results/mine", statuses=["error"]).carry_out()  # doctest: +SKIP
    """
    results = Path(results)
    if not (submissions or workloads or studies or statuses):
        raise UsageError(
            f"say which trials of {results} to remove: -s NAME, -w NAME, --study N, --status STATUS"
        )
    suite = read_suite_file(results)
    trials = recorded_trials(results).trials
    wanted = {
        "submission": (submissions, lambda trial: trial.submission),
        "workload": (workloads, lambda trial: trial.workload),
        "study": (studies, lambda trial: trial.study),
    }
    for kind, (chosen, of) in wanted.items():
        _refuse_unknown(kind, chosen, {of(trial) for trial in trials}, results)
        trials = [trial for trial in trials if not chosen or of(trial) in chosen]
    for status in statuses:
        if status not in SELECTABLE:
            raise unknown_name("status", status, SELECTABLE)
    found = [(trial, status_of(trial)) for trial in trials]
    found = [(trial, status) for trial, status in found if not statuses or status in statuses]
    return _removal(results, found, suite)


def _removal(
    results: Path, found: Sequence[tuple[TrialPath, str]], suite: dict[str, Any]
) -> Removal:
    chosen = [trial for trial, _ in found]
    kept = [t for t in recorded_trials(results).trials if t not in set(chosen)]
    submissions = _gone(chosen, kept, lambda trial: trial.submission)
    workloads = _gone(chosen, kept, lambda trial: trial.workload)
    remaining = _without(suite, submissions, workloads)
    for name in remaining.get("held_out_workloads", ()):
        base = remaining["workloads"].get(name, {}).get("base")
        if base in workloads:
            raise UsageError(
                f"{results}: the last trials of {base} would go, but its held-out variant {name}"
                f" stays, which counts through it: remove both, with -w {base} -w {name}"
            )
    if not remaining.get("base_workloads"):
        remaining = None
    return Removal(results, tuple(found), tuple(submissions), tuple(workloads), remaining)


def _gone(
    chosen: Sequence[TrialPath], kept: Sequence[TrialPath], of: Callable[[TrialPath], str]
) -> list[str]:
    return sorted({of(trial) for trial in chosen} - {of(trial) for trial in kept})


def _without(
    suite: dict[str, Any], submissions: Collection[str], workloads: Collection[str]
) -> dict[str, Any]:
    """A suite that no longer declares these."""
    changed = dict(suite)
    for key, names in (
        ("base_workloads", workloads),
        ("held_out_workloads", workloads),
        ("workloads", workloads),
        ("submissions", submissions),
    ):
        declared = suite.get(key)
        if isinstance(declared, dict):
            changed[key] = {name: v for name, v in declared.items() if name not in names}
        elif isinstance(declared, list):
            changed[key] = [name for name in declared if name not in names]
    return changed


def _refuse_unknown(
    kind: str, chosen: Collection[Hashable], known: Collection[Hashable], results: Path
) -> None:
    for name in chosen:
        if name not in known:
            raise unknown_name(kind, str(name), map(str, known), str(results))


def _remove(trial: Path, results: Path) -> None:
    """Removes a trial's directory, and the directories above that it leaves empty."""
    (trial / TRIAL_FILE).unlink(missing_ok=True)
    shutil.rmtree(trial)  # unlinks links, never follows them
    for parent in trial.parents:
        if parent == results or any(parent.iterdir()):
            return
        parent.rmdir()
