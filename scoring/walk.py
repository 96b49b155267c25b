"""Finds trial directories: the layout, and what lies in it that does not belong.

<results>/<submission>/study_<i from 0>/<workload>_<jax|pytorch>/trial_<k from 1>/
"""

import difflib
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from algoperf_lite.errors import UsageError
from algoperf_lite.records import SUITE_FILE

STUDY = re.compile(r"study_(0|[1-9][0-9]{0,5})")
WORKLOAD = re.compile(r"(.+)_(?:jax|pytorch)")
TRIAL = re.compile(r"trial_([1-9][0-9]{0,5})")
# What may lie beside the submissions without being remarked on: the suite, pages, pictures.
_ROOT_SUFFIXES = (".json", ".png", ".svg", ".pdf", ".html", ".md", ".log", ".lock")
_ROOT_DIRECTORIES = ("tensorboard",)  # unless it holds studies, as a submission's would


@dataclass(frozen=True)
class Problem:
    """Something on disk that was reported and skipped.

    Attributes:
        path: the file or directory.
        what: what is wrong with it, and what became of it.
    """

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@dataclass(frozen=True)
class TrialPath:
    """Where the record of one trial lies, and whose it is."""

    submission: str
    study: int
    workload: str
    number: int
    path: str

    @property
    def identity(self) -> tuple[str, int, str, int]:
        """What no two trials share."""
        return self.submission, self.study, self.workload, self.number


@dataclass(frozen=True)
class Found:
    """What a results directory holds.

    Attributes:
        trials: of the wanted workloads.
        submissions: that have a directory.
        problems: what does not belong.
        strangers: workloads that have trials and are neither wanted nor known.
    """

    trials: list[TrialPath]
    submissions: list[str]
    problems: list[Problem]
    strangers: tuple[str, ...] = ()


def walk(
    results_dir: str | Path, wanted: Collection[str], known: Collection[str] | None = None
) -> Found:
    """Lists the trials of the wanted workloads, in a fixed order.

    Args:
        results_dir: the directory whose subdirectories are submissions.
        wanted: names of workloads to list.
        known: names that are not wanted now, and are no surprise either.

    Raises:
        UsageError: the directory is missing, is no directory, or holds no submission.
    """
    root = str(results_dir)
    require_directory(root)
    known = set(known or ()) | set(wanted)
    problems: list[Problem] = []
    strangers: dict[str, list[str]] = {}
    trials: dict[tuple, TrialPath] = {}
    submissions = _submissions(root, problems)
    for submission in submissions:
        for trial in _of_submission(os.path.join(root, submission), submission, known, problems):
            if trial.workload not in known:
                strangers.setdefault(trial.workload, []).append(trial.path)
            elif trial.workload in wanted:
                first = trials.setdefault(trial.identity, trial)
                if first is not trial:
                    what = f"the same trial as {first.path}: not counted"
                    problems.append(Problem(trial.path, what))
    if not trials:
        raise _no_trials(root, wanted, strangers)
    for workload, paths in strangers.items():
        times = "" if len(paths) == 1 else f" (and {len(paths) - 1} more like it)"
        what = f"workload {workload!r} is not in the suite: ignored{times}"
        problems.append(Problem(paths[0], what))
    return Found(list(trials.values()), submissions, problems, tuple(strangers))


def without_logs(
    root: str | Path, wanted: Collection[str], found: Found, only_misspelt: bool = False
) -> list[Problem]:
    """Workloads that no submission has a trial of, with a similar name that is on disk.

    Args:
        root: the results directory.
        wanted: names of workloads that count.
        found: what `walk` returned.
        only_misspelt: leave out those that no name on disk is similar to.

    Example:
        >>> found = Found([], [], [], strangers=("zipf_lm",))
        >>> print(*without_logs("r", ["zip_lm"], found))
        r: holds no trial of workload 'zip_lm': did you mean 'zipf_lm', which is ignored?
    """
    there = {trial.workload for trial in found.trials}
    problems = []
    for name in wanted:
        if name in there:
            continue
        near = difflib.get_close_matches(name, sorted(found.strangers), n=1, cutoff=0.6)
        if near or not only_misspelt:
            hint = f"did you mean {near[0]!r}, which is ignored?" if near else "all miss it"
            problems.append(Problem(str(root), f"holds no trial of workload {name!r}: {hint}"))
    return problems


def require_directory(root: str | Path) -> None:
    """Raises a UsageError with the mend if there is no such directory."""
    if os.path.isdir(root):
        return
    if os.path.exists(root):
        raise UsageError(f"{root}: is a file: give the results directory that it lies in")
    raise UsageError(
        f"{root}: no such results directory: give the directory that `run` was given with "
        "--results, or one that holds <submission>/study_0/..."
    )


def require_results(root: str | Path) -> None:
    """Raises a UsageError with the mend if this cannot be a results directory.

    It can be one if it declares a suite or holds a submission. That is told without reading any
    record, and before anything else is asked for.

    Raises:
        UsageError: no such directory, a part of a results directory, nothing that was recorded.
    """
    require_directory(root)
    root = str(root)
    inner = [name for name, is_dir in _entries(root, []) if is_dir]
    if os.path.exists(os.path.join(root, SUITE_FILE)):
        return
    if any(is_submission(os.path.join(root, name)) for name in inner):
        return
    studies = [name for name in inner if STUDY.fullmatch(name)]
    if studies:
        raise _one_submission(root, studies[0])
    parts = Path(os.path.abspath(root)).parts
    study = next((i for i in range(len(parts) - 1, 1, -1) if STUDY.fullmatch(parts[i])), None)
    if study is not None:
        raise UsageError(
            f"{root}: lies in a results directory: give that, {Path(*parts[: study - 1])}"
        )
    raise _no_trials(root, (), ())


def is_submission(path: str | Path, problems: list[Problem] | None = None) -> bool:
    """Whether a directory is a submission's: holds a study.

    Args:
        path: the directory.
        problems: what in it cannot be listed or printed is added here.
    """
    entries = _entries(str(path), [] if problems is None else problems)
    return any(STUDY.fullmatch(name) and is_dir for name, is_dir in entries)


def _one_submission(root: str, study: str) -> UsageError:
    return UsageError(
        f"{root}: holds {study}, so it is one submission's directory: give its parent."
    )


def _submissions(root: str, problems: list[Problem]) -> list[str]:
    names, studies = [], []
    for name, is_dir in _entries(root, problems):
        path = os.path.join(root, name)
        if not is_dir:
            if not name.endswith(_ROOT_SUFFIXES):
                problems.append(Problem(path, "stray file: ignored"))
        elif STUDY.fullmatch(name):
            studies.append(name)
            problems.append(Problem(path, "belongs to no submission: ignored"))
        elif is_submission(path, problems):
            names.append(name)
        elif name not in _ROOT_DIRECTORIES:
            problems.append(Problem(path, "holds no study_<i> directory: ignored"))
    if studies and not names:
        raise _one_submission(root, studies[0])
    return names


def _no_trials(root: str, wanted: Collection[str], strangers: Collection[str]) -> UsageError:
    if strangers:
        return UsageError(
            f"{root}: holds no trial of the suite's workloads ({', '.join(sorted(wanted))}), only"
            f" of {', '.join(sorted(strangers))}: give the suite that it was run with."
        )
    return UsageError(
        f"{root}: holds no trials: run `algoperf-lite run --results {root} ...` first, or give "
        "a directory that holds <submission>/study_0/<workload>_jax/trial_1."
    )


def _of_submission(
    path: str, submission: str, known: Collection[str], problems: list[Problem]
) -> Iterator[TrialPath]:
    """Yields every trial directory below a submission, of whatever workload."""
    for study_path, study in _matching(path, STUDY, "not a study_<i> directory", problems):
        for workload_path, workload in _matching(
            study_path, WORKLOAD, "not a <workload>_jax directory", problems
        ):
            for trial_path, number in _matching(
                workload_path, TRIAL, "not a trial_<k> directory", problems, workload in known
            ):
                yield TrialPath(submission, int(study), workload, int(number), trial_path)


def _matching(
    path: str, pattern: re.Pattern, what: str, problems: list[Problem], complain: bool = True
) -> Iterator[tuple[str, str]]:
    """Yields (path, first group) of the matching directories, and reports the others."""
    for name, is_dir in _entries(path, problems):
        inner = os.path.join(path, name)
        match = pattern.fullmatch(name)
        if match and is_dir:
            yield inner, match[1]
        elif complain:
            problems.append(Problem(inner, f"{what if is_dir else 'stray file'}: ignored"))


def _entries(path: str, problems: list[Problem]) -> list[tuple[str, bool]]:
    """(name, is a directory) of what is visible in a directory, sorted with numbers as numbers."""
    try:
        with os.scandir(path) as entries:
            found = [(e.name, _is_dir(e)) for e in entries if not e.name.startswith(".")]
    except OSError as error:
        problems.append(Problem(path, f"cannot be listed ({error.strerror}): ignored"))
        return []
    for name in [name for name, _ in found if not name.isprintable()]:
        # Bytes that are no text, and line breaks, would spoil every message and table.
        shown = os.path.join(path, name.encode("unicode_escape", "replace").decode())
        problems.append(Problem(shown, "has a name that cannot be printed: ignored"))
    printable = [entry for entry in found if entry[0].isprintable()]
    return sorted(printable, key=lambda entry: _natural(entry[0]))


def _is_dir(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads back to itself


@lru_cache(maxsize=4096)  # the same names occur in every submission
def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
