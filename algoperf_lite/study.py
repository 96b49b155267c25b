"""The plan of trials, skipping what is done, running the rest. Imports no JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algoperf_lite.errors import UsageError
from algoperf_lite.executors import Executor, WorkerLostError, make_executor
from algoperf_lite.records import SCHEMA, SUITE_FILE, TRIAL_FILE, read_json, write_json
from algoperf_lite.spec import TrialSpec
from algoperf_lite.tuning import draw_points

if TYPE_CHECKING:
    from scoring.leaderboard import Leaderboard

STUDIES = 3
TRIALS = 5
BUDGET_FACTOR = {"external": 1.0, "self": 1.5}
DECLARED = ("studies", "trials", "points", "seed", "max_steps")
"""Settings that all trials of one results directory share."""

Observer = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Protocol:
    """How much of the tuning procedure to run.

    Attributes:
        studies: repetitions of the tuning procedure.
        trials: trials per study and workload in external tuning (self-tuning has one).
        points: ``"search_space"``, or ``"default"`` for the default point only.
        seed: every trial's seed follows from this, the study and the trial.
        max_steps: end trials after so many steps instead of a time budget, or None.
    """

    studies: int = STUDIES
    trials: int = TRIALS
    points: str = "search_space"
    seed: int = 0
    max_steps: int | None = None

    def __post_init__(self):
        for name in ("studies", "trials"):
            if getattr(self, name) < 1:
                raise UsageError(f"--{name} must be at least 1, not {getattr(self, name)}")
        if self.max_steps is not None and self.max_steps < 1:
            raise UsageError(f"--max-steps must be at least 1, not {self.max_steps}")


@dataclass(frozen=True)
class Run:
    """What `run` did.

    Attributes:
        results: the results directory.
        trials: the record of each trial of the plan, in plan order.
    """

    results: Path
    trials: tuple[dict[str, Any], ...]

    def leaderboard(self) -> Leaderboard:
        """Score everything in the results directory; see `scoring.score`."""
        from scoring import score  # noqa: PLC0415

        return score(self.results)


def run(
    workloads: Sequence[str],
    submissions: Sequence[str],
    results: str | Path,
    *,
    quick: bool = False,
    studies: int | None = None,
    trials: int | None = None,
    max_steps: int | None = None,
    seed: int = 0,
    retry_failed: bool = False,
    devices: int | None = None,
    executor: str | Executor = "process",
    observe: Observer = lambda event: None,
) -> Run:
    """Time submissions on workloads, recording every trial; what is recorded already is kept.

    Args:
        workloads: selectors, see `registry`.
        submissions: selectors.
        results: directory for the records; created if absent.
        quick: one study of one trial at each submission's default point.
        studies: repetitions of the tuning procedure; 3 by default.
        trials: trials per study; 5 by default for external tuning.
        max_steps: end trials after so many steps instead of a time budget.
        seed: base of every trial's seed.
        retry_failed: run trials again whose record says ``error``.
        devices: local devices to use, data parallel; all by default.
        executor: ``"process"``, ``"inline"``, or an executor.
        observe: called with JSON-ready events: ``plan``, ``start``, ``progress``, ``done``.

    Returns:
        The records; ``.leaderboard()`` scores them.

    Raises:
        UsageError: an unknown name, or a results directory that holds another kind of run.
        MachineError: unwritable results, a corrupt dataset cache.

    Example:
        >>> import algoperf_lite
        >>> done = algoperf_lite.run(
        ...     ["clicks_dlrm"], ["nadamw"], "results/mine", quick=True)  # doctest: +SKIP
        >>> done.leaderboard().to_json()["submissions"][0]["name"]  # doctest: +SKIP
        'nadamw'
    """
    if not workloads or not submissions:
        raise UsageError("name at least one workload and one submission (-w NAME -s NAME)")
    if quick and (studies or trials):
        raise UsageError("--quick is one study of one trial; leave out --studies and --trials")
    protocol = Protocol(
        studies=1 if quick else studies or STUDIES,
        trials=1 if quick else trials or TRIALS,
        points="default" if quick else "search_space",
        seed=seed,
        max_steps=max_steps,
    )
    results = Path(results)
    owned = isinstance(executor, str)
    executor = make_executor(executor, devices) if owned else executor
    try:
        request = {"workloads": list(workloads), "submissions": list(submissions)}
        described = executor.call("describe", request)
        _refuse_duplicates(described)
        declare_suite(results, protocol, described)
        specs = plan(results, protocol, described)
        todo = [spec for spec in specs if finished(spec, retry_failed) is None]
        observe({"event": "plan", "trials": [asdict(s) for s in specs], "todo": len(todo),
                 "workloads": described["workloads"],
                 "environment": described["environment"]})  # fmt: skip
        if max_steps is None:
            todo = _with_budgets(todo, described, executor, observe)
        for spec in todo:
            run_trial(spec, executor, observe)
    finally:
        if owned:
            executor.close()
    return Run(results, tuple(read_json(s.directory / TRIAL_FILE) or {} for s in specs))


def plan(results: Path, protocol: Protocol, described: dict[str, Any]) -> list[TrialSpec]:
    """Every trial of a run, in the order they run.

    Trials of different submissions on a workload follow each other, so that a drift of the machine
    hits all alike; the seed depends on study and trial only, so submissions are compared in pairs.
    """
    specs = []
    for study in range(protocol.studies):
        for trial in range(1, protocol.trials + 1):
            seed = trial_seed(protocol.seed, study, trial)
            for workload in described["workloads"]:
                for submission in described["submissions"]:
                    if trial > trials_of(submission["ruleset"], protocol):
                        continue
                    point = _points(submission, protocol, study)[trial - 1]
                    specs.append(_spec(results, protocol, workload, submission, study, trial,
                                       point, seed))  # fmt: skip
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


def finished(spec: TrialSpec, retry_failed: bool = False) -> dict[str, Any] | None:
    """The record of a trial that need not run, or None.

    Raises:
        UsageError: there is a record, but of something else: another point, other code.
    """
    record = read_json(spec.directory / TRIAL_FILE)
    if record is None or record["status"] == "interrupted":
        return None
    if retry_failed and record["status"] == "error":
        return None
    planned = spec.identity()
    for key in ("workload_fingerprint", "submission_fingerprint", "hyperparameters", "seed"):
        if record.get(key) != planned[key]:
            raise UsageError(
                f"{spec.directory} records another trial: its {key} is {record.get(key)},"
                f" now {planned[key]}. Delete it to run again, or choose another --results."
            )
    return record


def declare_suite(results: Path, protocol: Protocol, described: dict[str, Any]) -> None:
    """Write or extend suite.json: what a score of this directory is computed over.

    Raises:
        UsageError: the directory was made with other settings.
    """
    path = results / SUITE_FILE
    suite = read_json(path) or {"schema": SCHEMA, "base_workloads": [], "held_out_workloads": [],
                                "workloads": {}, "submissions": {}}  # fmt: skip
    for name in DECLARED:
        now = getattr(protocol, name)
        if name in suite and suite[name] != now:
            raise UsageError(
                f"{results} was run with {name}={suite[name]}, now {name}={now};"
                " choose another --results directory"
            )
        suite[name] = now
    for w in described["workloads"]:
        if w["name"] not in suite["workloads"]:
            suite["base_workloads"].append(w["name"])
        target = w["target"]
        suite["workloads"][w["name"]] = {
            "target_metric_name": target["metric"], "validation_target_value": target["value"],
            "direction": target["direction"], "step_hint": w["step_hint"], "base": w["base"],
        }  # fmt: skip
    for s in described["submissions"]:
        suite["submissions"][s["name"]] = {"ruleset": s["ruleset"]}
    write_json(path, suite)


def run_trial(spec: TrialSpec, executor: Executor, observe: Observer) -> dict[str, Any]:
    """Run one trial and see to it that a record is left, whatever becomes of the worker."""
    identity = spec.identity()
    observe({"event": "start", "trial": asdict(spec)})
    try:
        record = executor.call("trial", asdict(spec),
                               lambda e: observe({"event": "progress", **e}))  # fmt: skip
    except WorkerLostError as error:
        record = identity | {"status": "error", "reason": str(error), "schema": SCHEMA}
        write_json(spec.directory / TRIAL_FILE, record)
    except KeyboardInterrupt:
        interrupted = {"status": "interrupted", "reason": "interrupted", "schema": SCHEMA}
        write_json(spec.directory / TRIAL_FILE, identity | interrupted)
        raise
    observe({"event": "done", "trial": asdict(spec), "record": record})
    return record


def _with_budgets(
    specs: list[TrialSpec], described: dict[str, Any], executor: Executor, observe: Observer
) -> list[TrialSpec]:
    """The specs with budgets from calibrations, measured now where this device has none."""
    seconds = {}
    for w in described["workloads"]:
        if any(spec.workload == w["selector"] for spec in specs):
            calibration = executor.call("calibrate", {"workload": w["selector"]},
                                        lambda e: observe({"event": "progress", **e}))  # fmt: skip
            seconds[w["selector"]] = calibration["seconds_per_step"] * w["step_hint"]
    return [
        replace(spec, budget_seconds=seconds[spec.workload] * BUDGET_FACTOR[spec.ruleset])
        for spec in specs
    ]


def _points(submission: dict[str, Any], protocol: Protocol, study: int) -> list[dict[str, Any]]:
    """The points of one study; the same on every workload."""
    external = submission["ruleset"] == "external" and protocol.points == "search_space"
    space = submission["search_space"] if external else None
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
        results=str(results), submission=submission["selector"],
        submission_name=submission["name"], submission_fingerprint=submission["fingerprint"],
        workload=workload["selector"], workload_name=workload["name"],
        workload_fingerprint=workload["fingerprint"], ruleset=submission["ruleset"],
        study=study, trial=trial, hyperparameters=point, seed=seed, max_steps=protocol.max_steps,
    )  # fmt: skip


def _refuse_duplicates(described: dict[str, Any]) -> None:
    for kind in ("workloads", "submissions"):
        names = [item["name"] for item in described[kind]]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"{kind} named twice: {', '.join(twice)}; records need distinct names")
