"""Putting results directories together into one that scores as one leaderboard. Imports no JAX."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from algoperf_lite.agreement import Reasons, merge_suites
from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.recorded import UNFINISHED, read_suite_file, recorded_trials, status_of
from algoperf_lite.records import (
    EVALUATIONS_FILE,
    SUITE_FILE,
    TRIAL_FILE,
    read_json,
    unwritable,
    write_json,
)
from scoring.walk import TrialPath

_NAME = re.compile(r"\w[\w.+-]*")


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
    """

    dest: Path
    suite: dict[str, Any]
    copies: tuple[tuple[TrialPath, Path], ...]
    identical: int = 0
    unfinished: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def carry_out(self) -> None:
        """Copy the trials, each with its trial.json last, and write suite.json after all of them.

        Wherever this stops, what is there is whole or unfinished.

        Raises:
            MachineError: something cannot be read or written.
        """
        for trial, to in self.copies:
            try:
                shutil.copytree(
                    trial.path, to, ignore=shutil.ignore_patterns(TRIAL_FILE, f".{TRIAL_FILE}.*")
                )
            except (OSError, shutil.Error) as error:
                raise unwritable(to, error) from error
            record = read_json(Path(trial.path) / TRIAL_FILE)
            name = to.relative_to(self.dest).parts[0]
            if record.get("submission") not in (None, name):
                record["submission"] = name
                write_json(to / TRIAL_FILE, record)
            else:
                _copy_last(Path(trial.path) / TRIAL_FILE, to / TRIAL_FILE)
        write_json(self.dest / SUITE_FILE, self.suite)


@dataclass
class _Source:
    """A results directory that is read from, with the names its submissions shall have."""

    path: Path
    suite: dict[str, Any]
    trials: list[TrialPath]
    links: list[str]
    names: dict[str, str] = field(default_factory=dict)

    @property
    def submissions(self) -> list[str]:
        declared = self.suite.get("submissions")
        known = {trial.submission for trial in self.trials}
        return sorted(known | set(declared if isinstance(declared, dict) else ()))

    def name_of(self, submission: str) -> str:
        return self.names.get(submission, submission)


def plan_merge(
    sources: Sequence[str | Path],
    dest: str | Path,
    *,
    into: bool = False,
    rename: Sequence[tuple[str, str]] = (),
) -> Merge:
    """Finds out what a merge would do, or why it must not be.

    What must agree is what `run` asks of trials that join a results directory: the settings, the
    device, and each workload's fingerprint, target and role. Beyond that a submission must be the
    same code in all of them, and a trial that lies in several must be the same in each.

    Args:
        sources: results directories.
        dest: where to; a new directory, or with `into` a results directory to add to.
        into: whether `dest` is added to. Nothing in it is changed but suite.json.
        rename: (old, new) names of submissions. An old name that several directories have is
            renamed in all but the first, `dest` being the first with `into`; of the form
            SOURCE/NAME it is renamed in that one.

    Raises:
        UsageError: the directories do not fit together, with all reasons; `dest` is not as it
            should be; a rename that names nothing.

    Example:
        >>> plan_merge(["results/a", "results/b"], "results/both").carry_out()  # doctest: +SKIP
    """
    dest = Path(dest)
    _check_places([Path(source) for source in sources], dest, into)
    first = [_source(dest)] if into else []
    read = [*first, *(_source(Path(source)) for source in sources)]
    _rename(read, rename, into)
    reasons = Reasons()
    suite = merge_suites([(str(s.path), s.suite, s.name_of) for s in read], reasons)
    copies, identical, unfinished = _copies(read, dest, into, reasons)
    reasons.raise_if_any()
    links = [link for source in read for link in source.links]
    notes = [f"{link} is a link: not followed, so not copied" for link in links]
    return Merge(
        dest, suite, tuple(copies), identical, tuple(unfinished),
        (*notes, *reasons.notes, *_lacking(suite, read)),
    )  # fmt: skip


def _check_places(sources: Sequence[Path], dest: Path, into: bool) -> None:
    where = dest.resolve()
    if not sources:
        raise UsageError("name at least one results directory to merge")
    if len({source.resolve() for source in sources}) < len(sources):
        raise UsageError(f"a source is named twice: {', '.join(map(str, sources))}")
    for source in sources:
        here = source.resolve()
        if here == where or here in where.parents or where in here.parents:
            raise UsageError(f"{dest} and {source} lie in each other: choose another destination")
    if not into and dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise UsageError(
            f"{dest} is there already, and nothing is overwritten: choose another -o, or add to it"
            " with --into"
        )


def _source(path: Path) -> _Source:
    suite = read_suite_file(path)
    found = recorded_trials(path)
    return _Source(path, suite, found.trials, found.links)


def _rename(sources: Sequence[_Source], rename: Sequence[tuple[str, str]], into: bool) -> None:
    """Gives submissions the names that were asked for."""
    free = sources[1:] if into else sources
    for old, new in rename:
        if not _NAME.fullmatch(new):
            raise UsageError(
                f"--rename {old}={new}: {new!r} is no name for a directory; take letters, digits,"
                " '_', '-', '.' and '+'"
            )
        having = [source for source in sources if old in source.submissions]
        if having:
            chosen = [source for source in having[1:] or having if source in free]
            name = old
        else:
            place, name = Path(old).parent.resolve(), Path(old).name
            chosen = [s for s in free if s.path.resolve() == place and name in s.submissions]
        if not chosen:
            known = {name for source in free for name in source.submissions}
            raise unknown_name("submission", old, known, "--rename")
        for source in chosen:
            source.names[name] = new


def _copies(
    sources: Sequence[_Source], dest: Path, into: bool, reasons: Reasons
) -> tuple[list[tuple[TrialPath, Path]], int, list[str]]:
    """(trials to copy and where to, how many are there twice, unfinished ones)."""
    taken: dict[Path, TrialPath] = {}
    copies, unfinished, identical = [], [], 0
    for source in sources:
        there = into and source is sources[0]
        for trial in source.trials:
            place = Path(trial.path).relative_to(source.path)
            place = Path(source.name_of(trial.submission), *place.parts[1:])
            if status_of(trial) in (UNFINISHED, "interrupted"):
                unfinished.append(trial.path)
                continue
            reasons.see(str(source.path), place.parts[0], trial)
            first = taken.setdefault(place, trial)
            if first is not trial:
                if _same(first, trial):
                    identical += 1
                else:
                    reasons.differ(place.parts[0], first.path, trial.path)
            elif not there:
                copies.append((trial, dest / place))
                if (dest / place).exists():
                    reasons.add(
                        f"{dest / place} is unfinished, and nothing is overwritten: remove it with"
                        f" `algoperf-lite rm {dest} --status unfinished --status interrupted`"
                    )
    return copies, identical, unfinished


def _same(one: TrialPath, other: TrialPath) -> bool:
    """Whether two records are of one run, whatever name it goes by."""
    records = [read_json(Path(trial.path) / TRIAL_FILE) or {} for trial in (one, other)]
    for record in records:
        record.pop("submission", None)
    return records[0] == records[1] and _rows(one) == _rows(other)


def _rows(trial: TrialPath) -> bytes | None:
    path = Path(trial.path) / EVALUATIONS_FILE
    return path.read_bytes() if path.exists() else None


def _lacking(suite: dict[str, Any], sources: Sequence[_Source]) -> list[str]:
    """Which submissions have no trial on which workloads; these will count as missed."""
    have: dict[str, set[str]] = {}
    for source in sources:
        for trial in source.trials:
            have.setdefault(source.name_of(trial.submission), set()).add(trial.workload)
    declared = [*suite["base_workloads"], *suite.get("held_out_workloads", ())]
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, of in sorted(have.items()):
        alike.setdefault(tuple(w for w in declared if w not in of), []).append(name)
    return [
        f"no trials on {', '.join(missing)}, which counts as missed until they are run:"
        f" {', '.join(names)}"
        for missing, names in alike.items()
        if missing
    ]


def _copy_last(source: Path, to: Path) -> None:
    """Copies a file under another name and renames it, so that it is whole or not there."""
    temporary = to.with_name(f".{to.name}.copy")
    try:
        shutil.copy2(source, temporary)
        temporary.replace(to)
    except OSError as error:
        raise unwritable(to, error) from error
