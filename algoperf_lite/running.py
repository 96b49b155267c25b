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
NAMED, NAMED_CHARACTERS = 3, 200  # of the processes that a trial left running, in its reason


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

    def call(left: list[str]) -> list[dict[str, Any]]:
        def notify(event: dict[str, Any]) -> None:
            left.extend(event.pop("left_running", ()))
            if event:
                observe({"event": "progress", "trial": trial, **event})

        return [executor.call("trial", trial, notify)]

    return _recorded([spec], call, described, observe)[0]


def run_batch(
    specs: Sequence[TrialSpec], described: dict[str, Any], executor: Executor, observe: Observer
) -> list[dict[str, Any]]:
    """Run trials in one program, see `Worker.vectorized`, and see to it that records are left."""
    trials = [asdict(spec) for spec in specs]

    def call(left: list[str]) -> list[dict[str, Any]]:
        def notify(event: dict[str, Any]) -> None:
            left.extend(event.pop("left_running", ()))
            trial = trials[event.pop("point", 0)]
            if event:
                observe({"event": "progress", "trial": trial, **event})

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
    call: Callable[[list[str]], list[dict[str, Any]]],
    described: dict[str, Any],
    observe: Observer,
) -> list[dict[str, Any]]:
    """What `call` returns of trials; if the worker is lost or interrupted, records in its stead.

    `call` adds to the list that it is given the command lines of what the trials left running.
    """
    for spec in specs:
        observe({"event": "start", "trial": asdict(spec)})
    left: list[str] = []
    try:
        records = call(left)
    except WorkerLostError as error:
        records = [_record_in_its_place(s, described, "error", str(error)) for s in specs]
    except KeyboardInterrupt:
        for spec in specs:
            found = read_json(spec.directory / TRIAL_FILE)
            if found is None or found["status"] == "interrupted":
                _record_in_its_place(spec, described, "interrupted", "interrupted")
        raise
    if left:
        records = [_with_strays(s, r, left) for s, r in zip(specs, records, strict=True)]
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
    record |= {"status": status, "reason": reason} | ({} if spec.timed else {"timed": False})
    write_json(spec.directory / TRIAL_FILE, record)
    return record


def _with_strays(spec: TrialSpec, record: dict[str, Any], left: Sequence[str]) -> dict[str, Any]:
    """Rewrite the record of a trial that left processes running: what they did is not known."""
    named = "; ".join(line[:NAMED_CHARACTERS] for line in left[:NAMED])
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    count = f"{len(left)} process{'es' * (len(left) > 1)}"
    said = f"left {count} running after it ended: {named}{more}; killed"
    if record["status"] in ("error", "invalid"):
        record = record | {"reason": f"{record['reason']}; it also {said}"}
    else:
        record = record | {"status": "invalid", "reason": said}
    write_json(spec.directory / TRIAL_FILE, record)
    return record
