"""What scoring makes of single trials, for those who look at them one by one."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from algoperf_lite.errors import UsageError
from algoperf_lite.records import SUITE_FILE
from scoring.reader import read_trials
from scoring.suite import load_suite
from scoring.walk import STUDY, TRIAL, WORKLOAD, walk


@dataclass(frozen=True)
class Verdict:
    """What scoring says of a trial.

    Attributes:
        counts: whether it counts as having met its target; None if nothing says which that is.
        problems: what is wrong with its files, and what became of it.
    """

    counts: bool | None = None
    problems: tuple[str, ...] = ()


def verdicts(directories: Iterable[Path]) -> dict[Path, Verdict]:
    """Judges trials by the suite.json of the results directories they lie in.

    All of a results directory is read for that, as some trials void others.

    Args:
        directories: of trials, anywhere.

    Returns:
        A verdict for each, without a suite.json an empty one.
    """
    roots: dict[Path, list[Path]] = {}
    found: dict[Path, Verdict] = {}
    for directory in directories:
        root = results_of(directory)
        if root is not None and (root / SUITE_FILE).exists():
            roots.setdefault(root, []).append(directory)
        else:
            found[directory] = Verdict()
    for root, own in roots.items():
        try:
            judged = _judge(root)
        except UsageError as error:  # a suite that cannot be read hides no trial
            found |= dict.fromkeys(own, Verdict(None, (str(error),)))
            continue
        for directory in own:
            found[directory] = judged.get(os.path.abspath(directory)) or _ignored(directory)
    return found


def layout_of(path: str | Path) -> dict[str, str] | None:
    """Submission, study, workload and trial that a trial's path names; None if it is no such path.

    Example:
        >>> layout_of("r/nadamw/study_0/zipf_lm_jax/trial_1")
        {'submission': 'nadamw', 'study': '0', 'workload': 'zipf_lm', 'trial': '1'}
    """
    names = Path(os.path.abspath(path)).parts[-4:]
    if len(names) < 4:
        return None
    submission, *others = names
    patterns = (STUDY, WORKLOAD, TRIAL)
    matches = [pattern.fullmatch(name) for pattern, name in zip(patterns, others, strict=True)]
    if not all(matches):
        return None
    study, workload, trial = (match[1] for match in matches)
    return {"submission": submission, "study": study, "workload": workload, "trial": trial}


def results_of(trial: Path) -> Path | None:
    """The results directory that a trial lies in, as far as possible as the user wrote it."""
    if layout_of(trial) is None:
        return None
    written = len(trial.parts) >= 4 and ".." not in trial.parts
    return (trial if written else Path(os.path.abspath(trial))).parents[3]


def _judge(root: Path) -> dict[str, Verdict]:
    """Verdicts by absolute path."""
    suite = load_suite(root / SUITE_FILE)
    places = walk(root, suite.names)
    trials, problems = read_trials(places.trials, suite, own_suite=True)
    if not all(trial.timed for trial in trials):  # their seconds mean nothing
        trials, problems = read_trials(places.trials, suite, "steps", own_suite=True)
    said: dict[str, list[str]] = {}
    for problem in (*places.problems, *problems):
        path = os.path.abspath(problem.path)
        said.setdefault(path, []).append(problem.what)
        name = os.path.basename(path)
        said.setdefault(os.path.dirname(path), []).append(f"{name}: {problem.what}")
    judged = {os.path.abspath(place.path): Verdict(False) for place in places.trials}
    for trial in trials:
        path = os.path.abspath(trial.path)
        judged[path] = Verdict(trial.reached)
        voided = trial.status == "invalid" != trial.recorded
        if voided and trial.reason and path not in said:
            said[path] = [trial.reason]  # said once, of the whole workload
    # A second record of a trial is no place of its own, but has its problem.
    for path in said:
        if (layout_of(path) or {}).get("workload") in suite.names:
            judged.setdefault(path, Verdict(False))
    return {path: Verdict(v.counts, tuple(said.get(path, ()))) for path, v in judged.items()}


def _ignored(directory: Path) -> Verdict:
    workload = (layout_of(directory) or {}).get("workload")
    return Verdict(False, (f"workload {workload!r} is not in {SUITE_FILE}: not counted",))
