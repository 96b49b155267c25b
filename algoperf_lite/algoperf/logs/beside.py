"""The JSON files that AlgoPerf has beside evaluations: targets, and what a trial ran on."""

from collections.abc import Mapping, Sequence
from typing import Any

from algoperf_lite.algoperf.logs.names import metric_name
from scoring.details import read_details
from scoring.suite import Suite
from scoring.trial import Trial

VERSION = "algoperf_lite"
"""What the targets name as the version of the benchmark; and before entries that are ours."""


def meta_data(trials: Sequence[Trial], suite: Suite) -> dict[int, dict[str, Any]]:
    """What meta_data_0.json says of each trial, by its `id`: flat, as AlgoPerf's is.

    It must not say `device_kind`, by which scoring tells records of ours from AlgoPerf's logs.

    Args:
        trials: of one workload or of several.
        suite: with their targets.
    """
    targets = {target.name: target for target in suite.workloads}
    said = {}
    for one in read_details(trials, suite):
        trial, target = one.trial, targets[one.trial.workload]
        own = {
            "submission": trial.submission,
            "workload": trial.workload,
            "status": trial.status,
            "reason": trial.reason,
            **{f"environment.{name}": value for name, value in one.environment.items()},
        }
        said[id(trial)] = {
            "workload.target_metric_name": metric_name(target.metric),
            "workload.validation_target_value": target.value,
            "workload.step_hint": target.step_hint,
            "rng_seed": one.record.get("seed"),
            **{f"{VERSION}.{name}": value for name, value in own.items()},
        }
    return said


def targets_json(suite: Suite, bases: Sequence[str], names: Mapping[str, str]) -> dict[str, Any]:
    """What AlgoPerf's `workload_targets*.json` holds.

    Without `max_allowed_runtime_sec`, which its scorer takes and has no use for: what was reached
    after the budget is left out of the logs.

    Args:
        suite: the workloads.
        bases: names of the base workloads, in the order to write them in.
        names: of each workload.
    """
    return {
        "benchmark_version": VERSION,
        "base_workloads": list(bases),
        "held_out_workloads": [names[target.name] for target in suite.held_out],
        "workloads": {
            names[target.name]: {
                "target_metric_name": metric_name(target.metric),
                "target_metric_goal": target.direction,
                "validation_target_value": target.value,
                "step_hint": int(target.step_hint or 0),
            }
            for target in suite.workloads
        },
    }
