"""Reads a `trial.json`, and refuses one that cannot be believed."""

import json
import os
from typing import Any

from algoperf_lite import records as layout
from algoperf_lite.records import SCHEMA, TRIAL_FILE
from scoring.evaluations import MalformedError
from scoring.numbers import LARGEST
from scoring.suite import WorkloadTarget
from scoring.walk import TrialPath

# A trial that ended so never scores, even if a row meets the target.
VOID_STATUSES = frozenset({"error", "interrupted", "invalid", "stopped", "unreadable"})
STATUSES = VOID_STATUSES.union(layout.STATUSES)
# A trial that ended so met no target that it knew of.
_MISSED_STATUSES = frozenset({"budget_exhausted", "diverged"})


def read_record(where: TrialPath) -> dict[str, Any] | None:
    """The record of a trial; None where there is none, as in AlgoPerf's own logs.

    Raises:
        MalformedError: it cannot be read, was written by a newer version, says what it cannot say,
            or is the record of another trial.
    """
    try:
        with open(os.path.join(where.path, TRIAL_FILE), "rb", buffering=0) as file:
            record = json.loads(file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MalformedError(f"cannot be read ({error.strerror}): not counted") from None
    except (ValueError, RecursionError):
        raise MalformedError("is not readable JSON: the trial is not counted") from None
    if not isinstance(record, dict):
        raise MalformedError("holds no JSON object: the trial is not counted")
    _check(record)
    _check_place(record, where)
    reason = record.get("reason")
    if reason is not None:
        # JSON can hold halves of characters, which nothing can print.
        text = reason if isinstance(reason, str) else json.dumps(reason)
        record["reason"] = text.encode("utf-8", "replace").decode()
    return record


def says(record: dict[str, Any] | None, target: WorkloadTarget) -> bool | None:
    """Whether a trial met this target by its record; None where it does not say.

    A record that knows of another target says nothing of this one. One that has lost its target
    still says that it was missed.
    """
    if record is None:
        return None
    own = record.get("target")
    if record["status"] in _MISSED_STATUSES:
        return False if own is None or is_of(own, target) else None
    reached = record["status"] == "target_reached" and own is not None and is_of(own, target)
    return True if reached else None


def ended_elsewhere(record: dict[str, Any] | None, target: WorkloadTarget) -> str | None:
    """Why a trial that missed this target does not tell: it ended when it met an easier one."""
    if record is None or record["status"] != "target_reached":
        return None
    own = record.get("target")
    if own is None or is_of(own, target):
        return None
    return f"ended at the target {own.get('value')!r}, before {target.value!r} was met: not counted"


def is_of(own: dict[str, Any], target: WorkloadTarget) -> bool:
    """Whether the target in a record is this one."""
    direction = own.get("direction", target.direction)
    return (own.get("metric"), own.get("value"), direction) == (
        target.metric,
        target.value,
        target.direction,
    )


def _check(record: dict[str, Any]) -> None:
    schema = record.get("schema")
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        mend = "; upgrade algoperf_lite" if newer else ""
        raise MalformedError(f"has schema {schema!r}, this version reads {SCHEMA}{mend}")
    status = record.get("status")
    if not isinstance(status, str) or status not in STATUSES:
        raise MalformedError(f"has the unknown status {status!r}: the trial is not counted")
    for name in ("budget_seconds", "max_steps"):
        limit = record.get(name)
        if limit is not None and not _are_times([limit]):
            raise MalformedError(f"has {name} {limit!r}: the trial is not counted")
    if not isinstance(record.get("timed", True), bool):
        raise MalformedError(f"has timed {record['timed']!r}: the trial is not counted")
    if not isinstance(record.get("evaluations_sha256"), str | None):
        raise MalformedError("has an evaluations_sha256 that is no text: not counted")
    _of(record, "target", dict)
    compile_seconds = _of(record, "off_clock", dict).get("compile", 0.0)
    rates = _of(record, "window_seconds_per_step", list)
    if not _are_times([compile_seconds, *rates]):
        raise MalformedError("has a time that is no number: the trial is not counted")


def _check_place(record: dict[str, Any], where: TrialPath) -> None:
    """A record that was copied or moved is another trial's: counting it would count that twice."""
    own = tuple(record.get(key) for key in ("study", "workload", "trial"))
    here = (where.study, where.workload, where.number)
    if any(a is not None and a != b for a, b in zip(own, here, strict=True)):
        raise MalformedError(
            f"is the record of study {own[0]!r}, workload {own[1]!r}, trial {own[2]!r}, moved or"
            " copied here: the trial is not counted"
        )


def _of(record: dict[str, Any], key: str, kind: type) -> Any:
    value = record.get(key)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise MalformedError(f"has {key} {value!r}: the trial is not counted")
    return value


def _are_times(values: list[Any]) -> bool:
    """Whether all are numbers that can be seconds; JSON has true, NaN and whole numbers at will."""
    return {*map(type, values)} <= {int, float} and all(0 <= value < LARGEST for value in values)
