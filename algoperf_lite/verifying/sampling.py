"""Which trials of a results directory can be verified, and a sample of them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.recorded import read_suite_file, recorded_trials
from algoperf_lite.records import SUITE_FILE, TRIAL_FILE
from scoring.evaluations import MalformedError
from scoring.reader import read_trials
from scoring.record import read_record
from scoring.suite import load_suite
from scoring.trial import Trial
from scoring.walk import TrialPath, require_results, walk

TRAINED = ("target_reached", "budget_exhausted", "diverged")
"""How trials end that can be run again step for step. No other scores."""


@dataclass(frozen=True)
class Candidate:
    """A recorded trial.

    Attributes:
        where: it lies.
        record: its trial.json.
        wrong: how the record contradicts itself, its suite or another record; empty if it does not.
    """

    where: TrialPath
    record: Mapping[str, Any]
    wrong: str = ""


@dataclass(frozen=True)
class Candidates:
    """What a results directory holds, of the submissions and workloads asked for.

    Attributes:
        suite: its suite.json.
        sound: trials to draw from.
        altered: trials whose files are not as they were left.
        left_out: how many others had which status.
    """

    suite: Mapping[str, Any]
    sound: list[Candidate] = field(default_factory=list)
    altered: list[Candidate] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


def find_candidates(
    results: Path, submissions: Collection[str] = (), workloads: Collection[str] = ()
) -> Candidates:
    """Reads every trial of a results directory and judges it as scoring does.

    Args:
        results: the results directory.
        submissions: names; all if there are none.
        workloads: likewise.

    Raises:
        UsageError: no such directory, a name that no trial has, logs of AlgoPerf's own.
    """
    require_results(results)
    if not any(Path(t.path, TRIAL_FILE).exists() for t in recorded_trials(results, True).trials):
        raise UsageError(
            f"{results}: no trial there has a {TRIAL_FILE}. Either none has ended yet, or these are"
            " AlgoPerf's own logs, which do not say what a rerun takes: verify reads what"
            " `algoperf-lite run` wrote"
        )
    declared = read_suite_file(results)
    suite = load_suite(results / SUITE_FILE)
    places = walk(results, suite.names).trials
    # all are read, as some trials void others; by steps, as untimed ones have no seconds
    trials, problems = read_trials(places, suite, "steps", own_suite=True)
    _check_names(trials, submissions, workloads)
    said: dict[str, list[str]] = {}
    for problem in problems:
        for path in (problem.path, os.path.dirname(problem.path)):
            said.setdefault(path, []).append(f"{os.path.basename(problem.path)} {problem.what}")
    found = Candidates(declared)
    for trial in trials:
        if (not submissions or trial.submission in submissions) and (
            not workloads or trial.workload in workloads
        ):
            _sort_in(found, trial, said.get(trial.path, []))
    return found


def draw(candidates: Sequence[Candidate], count: int, seed: int) -> list[Candidate]:
    """A sample in which no submission or workload comes twice before each has come once.

    Trials are taken in the order of a hash of the seed and their names, so that a draw does not
    depend on what else was recorded later.

    Args:
        candidates: to draw from.
        count: of the sample; all if there are fewer.
        seed: any integer.

    Returns:
        In the order drawn.
    """
    left = sorted(candidates, key=lambda c: _hash(seed, c.where))
    met: Counter[tuple[str, str]] = Counter()
    drawn: list[Candidate] = []

    def staleness(candidate: Candidate) -> tuple[int, int]:
        seen = [met[key] for key in _kinds(candidate.where)]
        return sum(map(bool, seen)), sum(seen)

    while left and len(drawn) < count:
        best = min(left, key=staleness)  # the first of the best
        left.remove(best)
        drawn.append(best)
        met.update(_kinds(best.where))
    return drawn


def _kinds(where: TrialPath) -> list[tuple[str, str]]:
    return [("submission", where.submission), ("workload", where.workload)]


def _hash(seed: int, where: TrialPath) -> bytes:
    return hashlib.sha256(repr((seed, *where.identity)).encode()).digest()


def _check_names(
    trials: Sequence[Trial], submissions: Collection[str], workloads: Collection[str]
) -> None:
    for kind, names in (("submission", submissions), ("workload", workloads)):
        known = {getattr(trial, kind) for trial in trials}
        for name in names:
            if name not in known:
                raise unknown_name(kind, name, known)


def _sort_in(found: Candidates, trial: Trial, problems: Sequence[str]) -> None:
    where = TrialPath(trial.submission, trial.study, trial.workload, trial.number, trial.path)
    try:
        record = read_record(where)
    except MalformedError as error:
        found.altered.append(Candidate(where, {}, f"{TRIAL_FILE} {error}"))
        return
    status = (record or {}).get("status")
    if status not in TRAINED:
        found.left_out[status or "unfinished"] += 1
        return
    voided = trial.status not in TRAINED
    wrong = "; ".join(problems) or (f"{trial.reason}" if voided else "")
    kept = found.altered if wrong else found.sound
    kept.append(Candidate(where, record, wrong))
