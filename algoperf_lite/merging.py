"""Putting results directories together into one that scores as one leaderboard. Imports no JAX."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from algoperf_lite.agreement import Reasons, merge_suites
from algoperf_lite.copying import STAGE, Merge
from algoperf_lite.errors import MachineError, UsageError, unknown_name
from algoperf_lite.recorded import read_suite_file, recorded_trials
from algoperf_lite.records import (
    EVALUATIONS_FILE,
    SUITE_FILE,
    TRIAL_FILE,
    read_json,
)
from scoring.walk import TrialPath

_NAME = re.compile(r"\w[\w.+-]*")


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
    reasons.see_names([(str(s.path), s.name_of(n)) for s in read for n in s.submissions])
    copies, identical, unfinished = _copies(read, dest, into, reasons)
    if not into and dest.exists():
        copies, there = _left(copies, dest, suite, reasons)
        identical += there
    reasons.raise_if_any()
    links = [link for source in read for link in source.links]
    notes = [f"{link} is a link: not followed, so not copied" for link in links]
    return Merge(
        dest, suite, tuple(copies), identical, tuple(unfinished),
        (*notes, *reasons.notes, *_lacking(suite, read)), into,
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
    resumes = (dest / STAGE).is_dir()
    if not (into or resumes) and dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
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
    for source in free:
        named = [source.name_of(name) for name in source.submissions]
        for name in sorted({name for name in named if named.count(name) > 1}):
            raise UsageError(
                f"--rename would make {named.count(name)} submissions of {source.path} into one,"
                f" {name}: choose a name that is not taken there"
            )


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
            record = _record(trial, reasons)
            if record is None or record.get("status") == "interrupted":
                unfinished.append(trial.path)
                continue
            reasons.see(str(source.path), place.parts[0], record)
            first = taken.setdefault(place, trial)
            if first is not trial:
                if _same(first, trial):
                    identical += 1
                else:
                    reasons.differ(place.parts[0], first.path, trial.path)
            elif not there:
                copies.append((trial, dest / place))
                for path in _uncopyable(trial.path):
                    reasons.add(
                        f"{path} is a link, or no file: put there what it leads to, or remove it"
                    )
                if into and (dest / place).exists():
                    reasons.add(
                        f"{dest / place} is unfinished, and nothing is overwritten: remove it with"
                        f" `algoperf-lite rm {dest} --status unfinished --status interrupted`"
                    )
    return copies, identical, unfinished


def _record(trial: TrialPath, reasons: Reasons) -> dict[str, Any] | None:
    """What a trial.json holds; None where there is none, or where that is a reason."""
    try:
        return read_json(Path(trial.path) / TRIAL_FILE)
    except (UsageError, MachineError) as error:
        reasons.add(str(error))
        return None


def _uncopyable(trial: str) -> list[str]:
    """What of a trial lies elsewhere or is no file."""
    inside = [os.path.join(at, name) for at, dirs, files in os.walk(trial) for name in dirs + files]
    return [p for p in inside if os.path.islink(p) or not (os.path.isfile(p) or os.path.isdir(p))]


def _left(
    copies: Sequence[tuple[TrialPath, Path]], dest: Path, suite: dict[str, Any], reasons: Reasons
) -> tuple[list[tuple[TrialPath, Path]], int]:
    """What a merge that stopped has not copied to a new directory, and how many it has."""
    origins = {str(to): trial for trial, to in copies}
    there = recorded_trials(dest).trials
    same = {t.path for t in there if t.path in origins and _same(origins[t.path], t)}
    other = [trial.path for trial in there if trial.path not in same]
    if read_json(dest / SUITE_FILE) not in (None, suite):
        other.insert(0, str(dest / SUITE_FILE))
    if other:
        reasons.add(
            f"a merge into {dest} stopped, and it was not this one: {other[0]} is not what this"
            " one would write; choose another -o, or repeat that one"
        )
    return [(trial, to) for trial, to in copies if str(to) not in same], len(same)


def _same(one: TrialPath, other: TrialPath) -> bool:
    """Whether two records are of one run, whatever name it goes by."""
    records = [read_json(Path(trial.path) / TRIAL_FILE) or {} for trial in (one, other)]
    for record in records:
        record.pop("submission", None)
    return records[0] == records[1] and _rows(one) == _rows(other)


def _rows(trial: TrialPath) -> bytes | None:
    path = Path(trial.path) / EVALUATIONS_FILE
    try:
        return path.read_bytes() if path.exists() else None
    except OSError as error:
        raise MachineError(f"cannot read {path}: {error.strerror}") from error


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
