"""Running a plan of trials: skip what is done, run the rest. Imports no JAX."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algoperf_lite import results_lock
from algoperf_lite.errors import UsageError
from algoperf_lite.executors import HANG_SECONDS, Executor, make_executor
from algoperf_lite.plan import declare_suite, plan
from algoperf_lite.records import CHECKPOINTS, SUITE_FILE, TRIAL_FILE, read_json, write_json
from algoperf_lite.registry import absolute
from algoperf_lite.request import (
    check_names,
    check_ways,
    make_protocol,
    refuse_duplicates,
    refuse_on_host_loop,
    refuse_undivided,
)
from algoperf_lite.running import Observer, batches, run_batch, run_trials
from algoperf_lite.spec import BUDGET_FACTOR, TrialSpec

if TYPE_CHECKING:
    from scoring.board import Leaderboard

LONG_SECONDS = 600.0  # trials whose budget is longer leave checkpoints

FAILED = ("error", "invalid")
CHANGES = {
    "workload_fingerprint": "the workload has changed",
    "submission_fingerprint": "the submission's code, search space or values in brackets have"
    " changed",
    "hyperparameters": "the hyperparameter point has changed",
    "seed": "the seed has changed",
}
"""What makes a recorded trial another than the planned one."""


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
        """Score everything in the results directory; see `scoring.score`.

        By training steps where trials were not timed.
        """
        from scoring import score  # noqa: PLC0415

        untimed = any(record.get("timed") is False for record in self.trials)
        return score(self.results, clock="steps" if untimed else "time")


def run(
    workloads: Sequence[str],
    submissions: Sequence[str],
    results: str | Path,
    *,
    suite: str | None = None,
    held_out_seed: int | None = None,
    quick: bool = False,
    studies: int | None = None,
    trials: int | None = None,
    max_steps: int | None = None,
    points: Mapping[int, Mapping[str, Any]] | None = None,
    vectorize: int | None = None,
    stop_hopeless: bool = False,
    seed: int = 0,
    retry_failed: bool = False,
    timed: bool = True,
    checkpoint: bool | None = None,
    devices: int | None = None,
    executor: str | Executor = "process",
    jobs: int = 1,
    memory_limit: int | None = None,
    hang_after: float = HANG_SECONDS,
    ray_address: str | None = None,
    observe: Observer = lambda event: None,
) -> Run:
    """Time submissions on workloads, recording every trial; what is recorded already is kept.

    Args:
        workloads: selectors, see `registry`.
        submissions: selectors.
        results: directory for the records; created if absent.
        suite: name of a suite whose base workloads are run too, see `suites`.
        held_out_seed: with a suite, draw held-out variants from this seed and run them too.
        quick: one trial per study, at each submission's default point; one study by default.
        studies: repetitions of the tuning procedure, with other seeds; 3 by default.
        trials: trials per study; 5 by default for external tuning.
        max_steps: end trials after so many steps instead of a time budget.
        points: instead of what tuning would draw, points by the number of their trial, all with
            one seed; more may be given later. See `tune`, which chooses them.
        vectorize: train up to so many of these points in one program, to `max_steps`; their records
            are not timed, and do not score.
        stop_hopeless: end trials of these points when a forecast says that they will miss their
            target; such records do not score.
        seed: base of every trial's seed.
        retry_failed: run trials again whose record says ``error`` or ``invalid``.
        timed: False for exploring: trials may share a device, have no seconds, end by steps (at
            `max_steps`, else where the budget would be by the step hint), and do not score by time.
        checkpoint: whether evaluations leave a checkpoint that an interrupted trial goes on from;
            by default where trials are expected to last long.
        devices: local devices to use, data parallel; all by default.
        executor: ``"process"``, ``"inline"``, ``"ray"``, or an executor.
        jobs: trials side by side, where they are not timed.
        memory_limit: bytes of host memory that a worker may use; see `make_executor`, which also
            says what the next two are.
        hang_after: in seconds.
        ray_address: with ``executor="ray"``.
        observe: called with JSON-ready events: ``plan``, ``start``, ``progress``, ``done``.

    Returns:
        The records; ``.leaderboard()`` scores them.

    Raises:
        UsageError: an unknown name, or a results directory that holds another kind of run.
        MachineError: unwritable results, a corrupt dataset cache, a device that another run times
            trials on, a directory that another run writes into.

    Example:
        >>> import algoperf_lite
        >>> done = algoperf_lite.run(
        ...     ["clicks_dlrm"], ["nadamw"], "results/mine", quick=True)  # doctest: +SKIP
        >>> done.leaderboard().to_json()["submissions"][0]["name"]  # doctest: +SKIP
        'nadamw'
    """
    check_names(workloads, submissions, suite, held_out_seed)
    protocol = make_protocol(quick, studies, trials, points, seed, max_steps, timed)
    check_ways(points, max_steps, vectorize, stop_hopeless, timed, jobs)
    results = Path(results).absolute()  # a submission may change the working directory
    owned = isinstance(executor, str)
    if owned:
        settings = {"jobs": jobs, "memory_limit": memory_limit, "hang_after": hang_after}
        executor = make_executor(executor, devices, ray_address=ray_address, **settings)
    with ExitStack() as held:
        if owned:
            held.callback(executor.close)
        base, held_out = _suite(suite, held_out_seed, executor)
        workloads = [*workloads, *base, *held_out]
        request = {
            "workloads": [absolute(selector) for selector in workloads],
            "submissions": [absolute(selector) for selector in submissions],
        }
        described = executor.call("describe", request)
        refuse_duplicates(described)
        refuse_undivided(described)
        refuse_on_host_loop(described, vectorize, checkpoint)
        specs = plan(results, protocol, described)
        if results.is_dir() or not results.exists():  # else `declare_suite` says what is wrong
            held.enter_context(results_lock.hold(results))
        specs = [replace(spec, stop_hopeless=stop_hopeless, timed=timed) for spec in specs]
        variants = {absolute(selector) for selector in held_out}
        names = [w["name"] for w in described["workloads"] if w["selector"] in variants]
        declared = declare_suite(results, protocol, described, names)
        todo = [spec for spec in specs if finished(spec, retry_failed) is None]
        for spec in specs:
            if spec not in todo:  # killed between its record and the end of its checkpoint
                shutil.rmtree(spec.directory / CHECKPOINTS, ignore_errors=True)
        for part in results.glob(f".{SUITE_FILE}.*"):  # of a command that was killed as it wrote
            part.unlink(missing_ok=True)
        write_json(results / SUITE_FILE, declared)
        observe(
            {
                "event": "plan",
                "trials": [asdict(s) for s in specs],
                "todo": len(todo),
                "workloads": described["workloads"],
                "environment": described["environment"],
            }
        )
        if todo and timed and vectorize is None:
            held.enter_context(executor.reserve(f"for a run into {results}"))
        if max_steps is None:
            limit = _with_budgets if timed else _with_step_limits
            todo = limit(todo, described, executor, observe)
        on_host = {s["selector"] for s in described["submissions"] if s["host_loop"]}
        todo = _with_checkpoints(todo, checkpoint, executor, on_host)
        if vectorize is not None:
            static = {s["name"]: s["static"] for s in described["submissions"]}
            for batch in batches(todo, vectorize, static):
                run_batch(batch, described, executor, observe)
        else:
            run_trials(todo, described, executor, observe)
    return Run(results, tuple(read_json(s.directory / TRIAL_FILE) or {} for s in specs))


def _suite(
    name: str | None, held_out_seed: int | None, executor: Executor
) -> tuple[list[str], list[str]]:
    """Base workloads and held-out variants of a suite, which takes importing them to know."""
    if name is None:
        return [], []
    drawn = executor.call("suite", {"name": name, "held_out_seed": held_out_seed})
    return drawn["base"], drawn["held_out"]


def finished(spec: TrialSpec, retry_failed: bool = False) -> dict[str, Any] | None:
    """The record of a trial that need not run, or None.

    Raises:
        UsageError: there is a record, but of something else: another point, other code.
    """
    record = read_json(spec.directory / TRIAL_FILE)
    if record is None or record["status"] == "interrupted":
        return None
    if retry_failed and record["status"] in FAILED:
        return None
    if record["status"] == "stopped" and not spec.stop_hopeless:
        return None
    planned = spec.identity()
    for key, what in CHANGES.items():
        if record.get(key) != planned[key]:
            retry = " give --retry-failed," if record["status"] in FAILED else ""
            raise UsageError(
                f"{spec.directory} records another trial: {what} since. To run it anew,{retry}"
                " delete it or use another --results."
            )
    return record


def _with_budgets(
    specs: list[TrialSpec], described: dict[str, Any], executor: Executor, observe: Observer
) -> list[TrialSpec]:
    """The specs with budgets from calibrations, measured now where this device has none."""
    seconds = {}
    for w in described["workloads"]:
        if any(spec.workload == w["selector"] for spec in specs):
            calibration = executor.call(
                "calibrate",
                {"workload": w["selector"]},
                lambda e: observe({"event": "progress", **e}),
            )
            seconds[w["selector"]] = calibration["seconds_per_step"] * w["step_hint"]
    return [
        replace(spec, budget_seconds=seconds[spec.workload] * BUDGET_FACTOR[spec.ruleset])
        for spec in specs
    ]


def _with_step_limits(
    specs: list[TrialSpec], described: dict[str, Any], executor: Executor, observe: Observer
) -> list[TrialSpec]:
    """The specs with limits in steps, as no clock says when a budget of seconds is used up."""
    del executor, observe
    hints = {w["selector"]: w["step_hint"] for w in described["workloads"]}
    return [
        replace(spec, max_steps=round(hints[spec.workload] * BUDGET_FACTOR[spec.ruleset]))
        for spec in specs
    ]


def _with_checkpoints(
    specs: list[TrialSpec], asked: bool | None, executor: Executor, without: Collection[str]
) -> list[TrialSpec]:
    """The specs, those that leave checkpoints marked: as asked, else those that may last long.

    A trial without a budget is expected to last as the calibration of its workload says, if there
    is one. Those of the submissions `without` leave none.
    """
    if asked is not None:
        return [replace(spec, checkpoint=asked) for spec in specs]
    workloads = {spec.workload for spec in specs if spec.budget_seconds is None}
    stored = {w: executor.call("stored_calibration", {"workload": w}) for w in workloads}

    def may_last(spec: TrialSpec) -> float:
        if spec.budget_seconds is not None:
            return spec.budget_seconds
        calibration = stored[spec.workload]
        return spec.max_steps * calibration["seconds_per_step"] if calibration else 0.0

    return [
        replace(spec, checkpoint=spec.submission not in without and may_last(spec) > LONG_SECONDS)
        for spec in specs
    ]
