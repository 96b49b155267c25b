"""Running planned trials, alone or several in one program, so that each leaves a record.

Imports no JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from algoperf_lite.errors import UsageError
from algoperf_lite.executors import Executor, WorkerLostError
from algoperf_lite.records import SCHEMA, STATUSES, TRIAL_FILE, finite, read_json, write_json
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

    A record that a lost worker had written in whole stands: the trial had ended.

    `call` adds to the list that it is given the command lines of what the trials left running.
    """
    for spec in specs:
        observe({"event": "start", "trial": asdict(spec)})
    left: list[str] = []
    before = [_version(spec) for spec in specs]
    records: Sequence[dict[str, Any] | None]
    reason = ""
    try:
        records = call(left)
    except WorkerLostError as error:
        records = [_complete(s, version) for s, version in zip(specs, before, strict=True)]
        reason = str(error)
    except KeyboardInterrupt:
        for spec in specs:
            found = read_json(spec.directory / TRIAL_FILE)
            if found is None or found["status"] == "interrupted":
                _record_in_its_place(spec, described, "interrupted", "interrupted")
        raise
    settled = []
    for spec, found in zip(specs, records, strict=True):
        record = found or _record_in_its_place(spec, described, "error", reason)
        settled.append(_with_strays(spec, record, left) if found and left else record)
    for spec, record in zip(specs, settled, strict=True):
        observe({"event": "done", "trial": asdict(spec), "record": record})
    return settled


def _version(spec: TrialSpec) -> tuple[int, int] | None:
    """What changes when a trial.json is written; None if there is none."""
    try:
        status = (spec.directory / TRIAL_FILE).stat()
    except OSError:  # if not because there is none, whoever writes it says why
        return None
    return status.st_ino, status.st_mtime_ns


def _complete(spec: TrialSpec, before: tuple[int, int] | None) -> dict[str, Any] | None:
    """The record that a worker wrote in whole before it was lost; None if it did not.

    Args:
        spec: the trial.
        before: the `_version` of trial.json when it started.
    """
    if _version(spec) == before:
        return None
    try:
        record = read_json(spec.directory / TRIAL_FILE) or {}
    except UsageError:
        return None  # no worker writes that; a submission may have
    ended = record.get("status") in STATUSES and record["status"] != "interrupted"
    mine = all(record.get(key) == value for key, value in finite(spec.identity()).items())
    return record if ended and mine and "evaluations_sha256" in record else None


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
