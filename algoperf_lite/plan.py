"""The plan of trials: how many, in which order, at which points and seeds. Imports no JAX."""

from __future__ import annotations

import glob
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from algoperf_lite.environment import device_name
from algoperf_lite.errors import UsageError
from algoperf_lite.records import (
    FRAMEWORK_SUFFIX,
    SCHEMA,
    SUITE_FILE,
    TRIAL_FILE,
    read_json,
)
from algoperf_lite.registry import without_directory
from algoperf_lite.spec import TrialSpec
from algoperf_lite.tuning import draw_points

STUDIES = 3
TRIALS = 5
DECLARED = ("studies", "trials", "points", "seed", "max_steps", "timed")
"""Settings that all trials of one results directory share."""


@dataclass(frozen=True)
class Protocol:
    """How much of the tuning procedure to run.

    Attributes:
        studies: repetitions of the tuning procedure.
        trials: trials per study and workload in external tuning (self-tuning has one).
        points: ``"search_space"``, or ``"default"`` for the default point only, or ``"given"``.
        given: points to explore by the number of their trial, all with one seed and under any
            ruleset; further ones may join those in a results directory.
        seed: every trial's seed follows from this, the study and the trial.
        max_steps: end trials after so many steps instead of a time budget, or None.
        timed: whether trials have a clock.
    """

    studies: int = STUDIES
    trials: int = TRIALS
    points: str = "search_space"
    seed: int = 0
    max_steps: int | None = None
    timed: bool = True
    given: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def __post_init__(self):
        for name in ("studies", "trials"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, not {getattr(self, name)}")
        if self.seed < 0:
            raise UsageError(f"--seed must be at least 0, not {self.seed}")
        if self.max_steps is not None and self.max_steps < 1:
            raise UsageError(f"--max-steps must be at least 1, not {self.max_steps}")


def plan(results: Path, protocol: Protocol, described: dict[str, Any]) -> list[TrialSpec]:
    """Every trial of a run, in the order they run.

    Trials of different submissions on a workload follow each other, so that a drift of the machine
    hits all alike; the seed depends on study and trial only, so submissions are compared in pairs.
    """
    if protocol.points == "given":
        return [
            _spec(results, protocol, workload, submission, 0, trial, dict(point),
                  trial_seed(protocol.seed, 0, 1))
            for trial, point in protocol.given.items()
            for workload in described["workloads"]
            for submission in described["submissions"]
        ]  # fmt: skip
    specs = []
    for study in range(protocol.studies):
        points = {s["name"]: _points(s, protocol, study) for s in described["submissions"]}
        for trial in range(1, protocol.trials + 1):
            seed = trial_seed(protocol.seed, study, trial)
            for workload in described["workloads"]:
                for submission in described["submissions"]:
                    if trial > trials_of(submission["ruleset"], protocol):
                        continue
                    point = points[submission["name"]][trial - 1]
                    specs.append(
                        _spec(results, protocol, workload, submission, study, trial, point, seed)
                    )
    return specs


def trials_of(ruleset: str, protocol: Protocol) -> int:
    """Trials per study and workload under a ruleset."""
    return 1 if ruleset == "self" else protocol.trials


def trial_seed(base: int, study: int, trial: int) -> int:
    """A trial's seed: a 31-bit hash, the same for every submission and workload.

    Example:
        >>> trial_seed(0, 0, 1) != trial_seed(0, 0, 2)
        True
    """
    return int(np.random.SeedSequence([base, study, trial]).generate_state(1)[0] >> 1)


def declare_suite(
    results: Path,
    protocol: Protocol,
    described: dict[str, Any],
    held_out: Collection[str] = (),
) -> dict[str, Any]:
    """What a score of a results directory is computed over, this run included.

    Args:
        results: the results directory.
        protocol: the run's settings.
        described: what `Worker.describe` says of its workloads and submissions.
        held_out: names of the workloads that are held-out variants; the others are base workloads.

    Returns:
        The content for suite.json. What an earlier run declared stays, unless no trial of it was
        ever recorded.

    Raises:
        UsageError: the directory holds trials made with other settings, on another device, on a
            workload of the same name that differs, or that was held out and now is not.
    """
    if results.exists() and not results.is_dir():
        raise UsageError(f"--results {results} is a file; give a directory")
    empty = {"schema": SCHEMA, "base_workloads": [], "held_out_workloads": [],
             "workloads": {}, "submissions": {}}  # fmt: skip
    suite = (read_json(results / SUITE_FILE) if _recorded(results) else None) or empty
    if suite is not empty:
        suite.setdefault("timed", True)  # of a directory from before there were others
    settings = {name: getattr(protocol, name) for name in DECLARED}
    # How many threads an untimed trial had depends on how many ran beside it; its record says.
    settings["device"] = device_name(described["environment"], threads=protocol.timed)
    if protocol.points == "given" == suite.get("points"):
        settings["trials"] = suite["trials"] = max(suite["trials"], protocol.trials)
    for name, now in settings.items():
        if name in suite and suite[name] != now:
            raise UsageError(
                f"{results} was run with {name}={suite[name]}, now {name}={now};"
                " choose another --results directory"
            )
        suite[name] = now
    for w in described["workloads"]:
        known = suite["workloads"].get(w["name"])
        role = "held_out_workloads" if w["name"] in held_out else "base_workloads"
        if known is None:
            suite[role].append(w["name"])
        elif w["name"] not in suite[role]:
            raise UsageError(
                f"{results} holds {w['name']} among its {_other(role)}, this run would have it"
                f" among its {role}; choose another --results directory"
            )
        elif known["fingerprint"] != w["fingerprint"] and _recorded(results, w["name"]):
            raise UsageError(
                f"{results} was run with another version of workload {w['name']}: fingerprint"
                f" {known['fingerprint'][:12]}, now {w['fingerprint'][:12]}; choose another"
                " --results directory"
            )
        suite["workloads"][w["name"]] = suite_entry(w)
    for s in described["submissions"]:
        suite["submissions"][s["name"]] = {
            "ruleset": s["ruleset"],
            "selector": without_directory(s["selector"]),
        }
    return suite


def suite_entry(described: dict[str, Any]) -> dict[str, Any]:
    """What a suite file says of a workload, from what `describing.describe_workload` says."""
    target = described["target"]
    return {
        "target_metric_name": target["metric"],
        "validation_target_value": target["value"],
        "direction": target["direction"],
        "step_hint": described["step_hint"],
        "base": described["base"],
        "tier": described["tier"],
        "fingerprint": described["fingerprint"],
    } | ({"provisional": target["provisional"]} if "provisional" in target else {})


def _other(role: str) -> str:
    return "base_workloads" if role == "held_out_workloads" else "held_out_workloads"


def _recorded(results: Path, workload: str = "*") -> bool:
    """Whether any trial (of a workload) has a record below a results directory."""
    name = workload if workload == "*" else glob.escape(workload)
    pattern = f"*/study_*/{name}{FRAMEWORK_SUFFIX}/trial_*/{TRIAL_FILE}"
    return next(results.glob(pattern), None) is not None


def _points(submission: dict[str, Any], protocol: Protocol, study: int) -> list[dict[str, Any]]:
    """The points of one study; the same on every workload."""
    external = submission["ruleset"] == "external" and protocol.points == "search_space"
    space = submission["search_space"] if external else None
    if external and not space:
        raise UsageError(
            f"submission {submission['name']} has nothing to tune: give it a search_space, declare"
            " ruleset='self', or use --quick (with --studies N for N seeds)"
        )
    seed_text = f"{submission['name']}/{study}/{protocol.seed}"
    return draw_points(space, submission["default"], protocol.trials, seed_text)


def _spec(
    results: Path,
    protocol: Protocol,
    workload: dict[str, Any],
    submission: dict[str, Any],
    study: int,
    trial: int,
    point: dict[str, Any],
    seed: int,
) -> TrialSpec:
    return TrialSpec(
        results=str(results),
        submission=submission["selector"],
        submission_name=submission["name"],
        submission_fingerprint=submission["fingerprint"],
        workload=workload["selector"],
        workload_name=workload["name"],
        workload_fingerprint=workload["fingerprint"],
        ruleset=submission["ruleset"],
        study=study,
        trial=trial,
        hyperparameters=point,
        seed=seed,
        max_steps=protocol.max_steps,
    )
