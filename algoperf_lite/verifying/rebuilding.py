"""From a record back to the trial that made it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from algoperf_lite.errors import UsageError
from algoperf_lite.plan import Protocol, plan
from algoperf_lite.records import SUITE_FILE
from algoperf_lite.spec import TrialSpec
from algoperf_lite.study import CHANGES
from algoperf_lite.verifying.comparing import STEP, Row
from algoperf_lite.verifying.sampling import Candidate
from algoperf_lite.verifying.sources import Described
from algoperf_lite.verifying.verdict import RefusedError


def rebuild(
    candidate: Candidate,
    rows: list[Row],
    submission: Described,
    workload: Described,
    suite: Mapping[str, Any],
    results: Path,
) -> TrialSpec:
    """What to run so that a record comes about again, as many steps as it had and untimed.

    Args:
        candidate: the record.
        rows: its curve.
        submission: the code that it is said to be of, as `Worker.describe` has it.
        workload: likewise.
        suite: the suite.json beside it.
        results: where the rerun is recorded.

    Raises:
        RefusedError: the code has changed since, or the record is not one of the suite's trials.
    """
    record, where = candidate.record, candidate.where
    if record.get("submission_fingerprint") != submission["fingerprint"]:
        own = record.get("submission")
        if own != where.submission:
            raise RefusedError("altered", f"it is a record of {own!r}, whose code this is not")
        raise RefusedError("unverifiable", f"{CHANGES['submission_fingerprint']} since")
    if record.get("workload_fingerprint") != workload["fingerprint"]:
        raise RefusedError("unverifiable", f"{CHANGES['workload_fingerprint']} since")
    steps, last = record.get("steps"), rows[-1].get(STEP, 0.0) if rows else 0.0
    if type(steps) is not int or steps < 1 or steps != last:
        raise RefusedError("altered", f"it says {steps!r} steps, its evaluations end at {last:g}")
    spec = TrialSpec(
        results=str(results),
        submission=submission["selector"],
        submission_name=where.submission,
        submission_fingerprint=submission["fingerprint"],
        workload=workload["selector"],
        workload_name=where.workload,
        workload_fingerprint=workload["fingerprint"],
        ruleset=submission["ruleset"],
        study=where.study,
        trial=where.number,
        hyperparameters=_of(record, "hyperparameters", dict),
        seed=_of(record, "seed", int),
        budget_seconds=record.get("budget_seconds"),  # the submission was told
        max_steps=steps,
        timed=False,
    )
    _check_plan(spec, record, submission, workload, suite)
    return spec


def _check_plan(
    spec: TrialSpec,
    record: Mapping[str, Any],
    submission: Described,
    workload: Described,
    suite: Mapping[str, Any],
) -> None:
    """Refuse a point or a seed that the suite's protocol would not have drawn."""
    settings = {
        name: suite[name] for name in ("studies", "trials", "points", "seed") if name in suite
    }
    if settings.get("points") not in ("default", "search_space") or len(settings) < 4:
        return  # points were chosen, as in an exploration
    drawn_as = submission | {"name": record.get("submission")}  # points depend on the name
    described = {"workloads": [workload], "submissions": [drawn_as]}
    try:
        planned = plan(Path(), Protocol(**settings), described)
    except (UsageError, TypeError) as error:
        raise RefusedError(
            "altered", f"{SUITE_FILE} declares what cannot be run: {error}"
        ) from error
    of_plan = {(s.study, s.trial): s for s in planned}.get((spec.study, spec.trial))
    if of_plan is None:
        raise RefusedError("altered", f"{SUITE_FILE} declares no such study or trial")
    for name, what in (("hyperparameters", "point"), ("seed", "seed")):
        if getattr(of_plan, name) != getattr(spec, name):
            raise RefusedError("altered", f"its {what} is not what the protocol draws for it")


def _of(record: Mapping[str, Any], key: str, kind: type) -> Any:
    value = record.get(key)
    if type(value) is not kind:
        raise RefusedError("altered", f"it has {key} {value!r}")
    return value
