"""Records that never score: unfinished, contradicting their directory's suite, or there twice."""

import json
import os
from collections import Counter
from collections.abc import MutableSequence, Sequence
from typing import Any

from algoperf_lite.records import ENVIRONMENT_FILE, TRIAL_FILE, is_ours
from scoring.record import VOID_STATUSES, is_of
from scoring.suite import Suite
from scoring.walk import Problem, TrialPath

Records = MutableSequence[dict[str, Any] | None]


def void_unfinished(trials: Sequence[TrialPath], records: Records, problems: list[Problem]) -> None:
    """Voids trials of ours that have no trial.json: they were killed, or are still running.

    AlgoPerf's own logs never have one. A submission's trials are ours if any of them has one, or
    if the first says of its environment what this project records and AlgoPerf does not.

    Args:
        trials: where they are.
        records: the trial.json of each, or None; the voided get one that says so.
        problems: what is found is added here.
    """
    ours: dict[str, bool] = {}
    for where, record in zip(trials, records, strict=True):
        ours[where.submission] = ours.get(where.submission, False) or record is not None
    first = {where.submission: where for where in reversed(trials)}
    ours = {name: known or _has_our_environment(first[name]) for name, known in ours.items()}
    for i, where in enumerate(trials):
        if records[i] is None and ours[where.submission]:
            reason = f"has no {TRIAL_FILE}: unfinished, not counted"
            problems.append(Problem(where.path, reason))
            records[i] = {"status": "interrupted", "reason": reason}


def _has_our_environment(trial: TrialPath) -> bool:
    try:
        with open(os.path.join(trial.path, ENVIRONMENT_FILE), "rb") as file:
            environment = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return False  # AlgoPerf's may be missing or be anything
    return is_ours(environment)


def void_other_targets(
    trials: Sequence[TrialPath], records: Records, suite: Suite, problems: list[Problem]
) -> None:
    """Voids trials that were run for another target than their own directory's suite declares.

    `run` never lets that happen, so one of the two files has changed. If all trials of a workload
    disagree with the suite in the same way, that is the one that is named. Scoring by a suite from
    elsewhere is another matter: it may have other targets on purpose.

    Args:
        trials: where they are.
        records: the trial.json of each, or None; the voided are changed in place.
        suite: the one that lies in the results directory.
        problems: what is found is added here.
    """
    targets = {target.name: target for target in suite.workloads}
    knowing = Counter()
    other: dict[tuple[str, str], list[int]] = {}
    for i, (where, record) in enumerate(zip(trials, records, strict=True)):
        own = (record or {}).get("target")
        if isinstance(own, dict):
            knowing[where.workload] += 1
            if not is_of(own, targets[where.workload]):
                said = f"{own.get('metric')!r} {own.get('value')!r}"
                other.setdefault((where.workload, said), []).append(i)
    for (workload, said), places in other.items():
        target = targets[workload]
        now = f"{target.metric!r} {target.value!r}"
        what = f"trials of {workload!r} were run for the target {said}, not {now}: not counted"
        if len(places) > 1 and len(places) == knowing[workload]:
            problems.append(Problem(suite.where, what))
        for i in places:
            reason = f"was run for the target {said}, the suite declares {now}: not counted"
            if len(places) == 1 or len(places) < knowing[workload]:
                problems.append(Problem(os.path.join(trials[i].path, TRIAL_FILE), reason))
            _void(records[i], reason)


def void_copies(trials: Sequence[TrialPath], records: Records, problems: list[Problem]) -> None:
    """Voids a record of another submission whose original is here too, by the evaluations' digest.

    A directory that was merely renamed is nobody's copy, and counts. Arguments as above.
    """
    digests = [(record or {}).get("evaluations_sha256") for record in records]
    known = Counter(digests)
    for where, record, digest in zip(trials, records, digests, strict=True):
        if digest is None or known[digest] < 2 or record["status"] in VOID_STATUSES:
            continue
        if record.get("submission") not in (None, where.submission):
            reason = f"is a copy of a trial of {record['submission']!r}: not counted"
            problems.append(Problem(os.path.join(where.path, TRIAL_FILE), reason))
            _void(record, reason)


def _void(record: dict[str, Any], reason: str) -> None:
    if record["status"] not in VOID_STATUSES:
        record.update(status="invalid", reason=reason)
