"""Running planned trials, alone or several in one program, so that each leaves a record.

Imports no JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from algoperf_lite.executors import Executor, WorkerLostError
from algoperf_lite.records import SCHEMA, TRIAL_FILE, read_json, write_json
from algoperf_lite.scheduling import Sharing
from algoperf_lite.spec import TrialSpec

Observer = Callable[[dict[str, Any]], None]


def run_trials(
    specs: Sequence[TrialSpec], described: dict[str, Any], executor: Executor, observe: Observer
) -> None:
    """Run trials one after another, or side by side where the executor has slots for that."""

    def run_on(spec: TrialSpec, slot: Executor, observe: Observer) -> None:
        run_trial(spec, described, slot, observe)

    if tuple(executor.slots) == (executor,):  # in this thread: nothing may come between
        for spec in specs:
            run_on(spec, executor, observe)
    else:
        Sharing(executor.slots, run_on, observe).run(specs)


def run_trial(
    spec: TrialSpec, described: dict[str, Any], executor: Executor, observe: Observer
) -> dict[str, Any]:
    """Run one trial and see to it that a record is left, whatever becomes of the worker."""
    trial = asdict(spec)

    def call() -> list[dict[str, Any]]:
        def notify(event: dict[str, Any]) -> None:
            observe({"event": "progress", "trial": trial, **event})

        return [executor.call("trial", trial, notify)]

    return _recorded([spec], call, described, observe)[0]


def run_batch(
    specs: Sequence[TrialSpec], described: dict[str, Any], executor: Executor, observe: Observer
) -> list[dict[str, Any]]:
    """Run trials in one program, see `Worker.vectorized`, and see to it that records are left."""
    trials = [asdict(spec) for spec in specs]

    def notify(event: dict[str, Any]) -> None:
        trial = trials[event.pop("point", 0)]
        observe({"event": "progress", "trial": trial, **event})

    def call() -> list[dict[str, Any]]:
        return executor.call("vectorized", {"trials": trials}, notify)

    return _recorded(specs, call, described, observe)


def batches(
    specs: Sequence[TrialSpec], most: int, static: Mapping[str, Sequence[str]]
) -> list[list[TrialSpec]]:
    """Trials that can share a program: the same cell, names and values that are not traced.

    Args:
        specs: trials.
        most: of one program. Batches are of about one size, as each size is compiled anew.
        static: names of the numbers that are not traced either, by submission.
    """
    groups: dict[str, list[TrialSpec]] = {}
    for spec in specs:
        fixed = {
            name: value if _is_static(value) or name in static[spec.submission_name] else "traced"
            for name, value in sorted(spec.hyperparameters.items())
        }
        key = repr((spec.workload, spec.submission, spec.study, spec.seed, fixed))
        groups.setdefault(key, []).append(spec)
    found = []
    for group in groups.values():
        count = -(-len(group) // most)
        ends = [round(len(group) * k / count) for k in range(count + 1)]
        found += [group[a:b] for a, b in pairwise(ends)]
    return found


def _is_static(value: Any) -> bool:
    return isinstance(value, bool) or not isinstance(value, int | float)


def _recorded(
    specs: Sequence[TrialSpec],
    call: Callable[[], list[dict[str, Any]]],
    described: dict[str, Any],
    observe: Observer,
) -> list[dict[str, Any]]:
    """What `call` returns of trials; if the worker is lost or interrupted, records in its stead."""
    for spec in specs:
        observe({"event": "start", "trial": asdict(spec)})
    try:
        records = call()
    except WorkerLostError as error:
        records = [_record_in_its_place(s, described, "error", str(error)) for s in specs]
    except KeyboardInterrupt:
        for spec in specs:
            found = read_json(spec.directory / TRIAL_FILE)
            if found is None or found["status"] == "interrupted":
                _record_in_its_place(spec, described, "interrupted", "interrupted")
        raise
    for spec, record in zip(specs, records, strict=True):
        observe({"event": "done", "trial": asdict(spec), "record": record})
    return records


def _record_in_its_place(
    spec: TrialSpec, described: dict[str, Any], status: str, reason: str
) -> dict[str, Any]:
    """Write the trial.json that the worker did not live to write."""
    target = next(w["target"] for w in described["workloads"] if w["selector"] == spec.workload)
    record = {"schema": SCHEMA} | spec.identity()
    record |= {"target": target, "environment": described["environment"]}
    record |= {"status": status, "reason": reason}
    write_json(spec.directory / TRIAL_FILE, record)
    return record
