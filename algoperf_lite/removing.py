"""Removing trials from a results directory, so that what remains is still true. Imports no JAX."""

from __future__ import annotations

import os
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
from algoperf_lite.records import STATUSES, SUITE_FILE, write_json
from scoring.suite import base_of, parse_suite
from scoring.walk import TrialPath

SELECTABLE = (*STATUSES, UNFINISHED, UNREADABLE)
"""Statuses that trials can be selected by; `unfinished` have no trial.json."""
ASIDE = ".removed"
"""Directory of a results directory, laid out like it, for what is being removed."""


@dataclass(frozen=True)
class Removal:
    """Trials that would be removed; `carry_out` removes them.

    Attributes:
        results: the results directory.
        trials: each with its status.
        submissions: whose last trial is among them.
        workloads: likewise.
        suite: what suite.json will hold; None where nothing remains, so that it goes too.
        resumed: whether an earlier removal stopped, which this one completes.
    """

    results: Path
    trials: tuple[tuple[TrialPath, str], ...]
    submissions: tuple[str, ...]
    workloads: tuple[str, ...]
    suite: dict[str, Any] | None
    resumed: bool = False

    def carry_out(self) -> None:
        """Remove them.

        Each trial is first set aside whole by one rename, where nothing looks for trials; files go
        when suite.json is true again. Wherever this stops, a trial counts as before or not at all,
        and the next removal, of whatever, completes this one.

        Raises:
            MachineError: something cannot be removed.
        """
        if not (self.trials or self.resumed):
            return
        aside = self.results / ASIDE
        try:
            for trial, _ in self.trials:
                _set_aside(Path(trial.path), self.results)
            for trial in recorded_trials(aside).trials if aside.is_dir() else ():
                _remove_empty(self.results / Path(trial.path).relative_to(aside), self.results)
            if self.suite is not None and (self.submissions or self.workloads):
                write_json(self.results / SUITE_FILE, self.suite)
            elif self.suite is None and (self.results / SUITE_FILE).exists():
                (self.results / SUITE_FILE).rename(aside / SUITE_FILE)
            shutil.rmtree(aside)  # unlinks links, never follows them
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
        UsageError: no condition, a name that no trial has, no results directory, or what remains
            would be no suite, as where a base workload goes whose held-out variants stay.

    Example:
        >>> select_removal("results/mine", statuses=["error"]).carry_out()  # doctest: +SKIP
    """
    results = Path(results)
    if not (submissions or workloads or studies or statuses):
        raise UsageError(
            f"say which trials of {results} to remove: -s NAME, -w NAME, --study N, --status STATUS"
        )
    resumed = (results / ASIDE).is_dir()
    if resumed and not (results / SUITE_FILE).exists():
        return Removal(results, (), (), (), None, resumed)
    suite = read_suite_file(results)
    trials = recorded_trials(results).trials
    wanted = {
        "submission": (submissions, lambda trial: trial.submission),
        "workload": (workloads, lambda trial: trial.workload),
        "study": (studies, lambda trial: trial.study),
    }
    for kind, (chosen, of) in wanted.items():
        if not resumed:  # which may have removed all that had the name
            _refuse_unknown(kind, chosen, {of(trial) for trial in trials}, results)
        trials = [trial for trial in trials if not chosen or of(trial) in chosen]
    for status in statuses:
        if status not in SELECTABLE:
            raise unknown_name("status", status, SELECTABLE)
    found = [(trial, status_of(trial)) for trial in trials]
    found = [(trial, status) for trial, status in found if not statuses or status in statuses]
    return _removal(results, found, suite, resumed)


def _removal(
    results: Path, found: Sequence[tuple[TrialPath, str]], suite: dict[str, Any], resumed: bool
) -> Removal:
    held_out = suite.get("held_out_workloads") or ()
    # Variants first: a removal that stops leaves none whose base is gone.
    found = sorted(found, key=lambda each: each[0].workload not in held_out)
    chosen = [trial for trial, _ in found]
    # What a link leads to is never removed, and scores.
    going = {os.path.realpath(trial.path) for trial in chosen}
    there = recorded_trials(results, follow_links=True).trials
    kept = [trial for trial in there if os.path.realpath(trial.path) not in going]
    aside = recorded_trials(results / ASIDE).trials if resumed else []
    submissions = _gone([*chosen, *aside], kept, lambda trial: trial.submission)
    workloads = _gone([*chosen, *aside], kept, lambda trial: trial.workload)
    remaining = _without(suite, submissions, workloads)
    if not kept or not remaining.get("base_workloads"):
        remaining = None
    if workloads:
        _check_suite(results, suite, remaining, workloads)
    return Removal(results, tuple(found), tuple(submissions), tuple(workloads), remaining, resumed)


def _gone(
    chosen: Sequence[TrialPath], kept: Sequence[TrialPath], of: Callable[[TrialPath], str]
) -> list[str]:
    return sorted({of(trial) for trial in chosen} - {of(trial) for trial in kept})


def _check_suite(
    results: Path, suite: dict[str, Any], remaining: dict[str, Any] | None, gone: Sequence[str]
) -> None:
    """Refuses to leave a suite that cannot be scored."""
    for name in suite.get("held_out_workloads") or ():
        entry = (suite.get("workloads") or {}).get(name) or {}
        base = entry.get("base") or base_of(name, suite["base_workloads"])
        if base in gone and name not in gone:
            raise UsageError(
                f"{results}: the last trials of {base} would go, but its held-out variant {name}"
                f" stays, which counts through it: remove both, with -w {base} -w {name}"
            )
    if remaining is not None:
        parse_suite(remaining, where=str(results / SUITE_FILE))


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


def _set_aside(trial: Path, results: Path) -> None:
    place = results / ASIDE / trial.relative_to(results)
    if place.exists():  # removed before, and run again since
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    trial.rename(place)


def _remove_empty(gone: Path, results: Path) -> None:
    """Removes the directories that a trial leaves empty."""
    for parent in gone.parents:
        if parent == results or (parent.exists() and any(parent.iterdir())):
            return
        if parent.exists():
            parent.rmdir()
