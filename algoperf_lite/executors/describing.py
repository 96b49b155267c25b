"""What a worker tells of workloads and submissions, JSON-ready."""

from __future__ import annotations

from typing import Any

from algoperf_lite import registry
from algoperf_lite.declared import check_declared
from algoperf_lite.errors import UsageError
from algoperf_lite.referee import Import
from algoperf_lite.submission import Submission
from algoperf_lite.workload import Workload


def describe_target(workload: Workload) -> dict[str, Any]:
    """A workload's target, JSON-ready."""
    target = workload.target
    described = {"metric": target.metric, "value": target.value, "direction": target.direction}
    return described | ({"provisional": target.provisional} if target.provisional else {})


def describe_workload(selector: str) -> dict[str, Any]:
    """A workload's facts, JSON-ready."""
    w = registry.find_workload(selector)
    return {
        "selector": selector,
        "name": w.name,
        "base": w.base,
        "tier": w.tier,
        "target": describe_target(w),
        "batch_size": w.batch_size,
        "eval_batch_size": w.eval_batch_size,
        "step_hint": w.step_hint,
        "eval_every": w.eval_every,
        "reference": w.reference,
        "fingerprint": w.fingerprint,
    }


def describe_submission(selector: str) -> dict[str, Any]:
    """A submission's facts, JSON-ready.

    Raises:
        UsageError: what it declares is malformed, with the line of its file, or importing it
            changed JAX's configuration or code, which all submissions share, or left a thread.
    """
    watching = Import()
    name, submission, fingerprint = registry.find_submission(selector)
    if offences := watching.offences():
        raise UsageError(
            f"{selector}: importing it {'; '.join(offences)}, which would change everyone's"
            " trials; leave what is shared alone"
        )
    check_declared(selector, submission)
    return {
        "selector": selector,
        "name": name,
        "ruleset": submission.ruleset,
        "default": dict(submission.default),
        "search_space": submission.search_space,
        "static": list(submission.static),
        "own_batch_size": type(submission).batch_size is not Submission.batch_size,
        "host_loop": registry.parse_selector(selector).of_algoperf,
        "fingerprint": fingerprint,
    }
