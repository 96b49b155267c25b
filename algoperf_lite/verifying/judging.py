"""What a rerun says of a record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from algoperf_lite.verifying.comparing import Row, compare
from algoperf_lite.verifying.verdict import Difference, Outcome

Judgement = tuple[Outcome, str, Difference | None]
TRAINING_LOSS = "train_step/loss"
GROWN = 150
"""How much larger than in the training loss up to the first evaluation differences may be anywhere:
rounding errors grow while training. `docs/verifying.md` has the measurements."""
SAME_BITS = ("platform", "device_kind", "device_count", "host_cpu", "host_threads", "xla_flags",
             "device_data_bytes")  # fmt: skip
"""What of an environment, beside versions, must agree for two CPUs to give the same bits."""


def judge(
    recorded: tuple[Mapping[str, Any], Sequence[Row]],
    again: tuple[Mapping[str, Any], Sequence[Row]],
    tolerance: float,
) -> Judgement:
    """Outcome, reason and difference.

    Args:
        recorded: trial.json and curve.
        again: those of the rerun.
        tolerance: see `verify`.
    """
    record, rows = recorded
    rerun, rows_again = again
    data = rerun["data_fingerprint"]
    if record.get("data_fingerprint") != data:
        return "unverifiable", f"the data are others: fingerprint {data}", None
    reasons = other_bits(record, rerun["environment"])
    if not reasons:
        return _judge_bits(record["status"], rows, rerun["status"], rows_again)
    return _judge_within(tolerance, record, rows, rows_again, reasons)


def judge_untrained(rerun: Mapping[str, Any]) -> Judgement:
    """What a rerun says that did not train to its end: nothing, unless it broke the rules."""
    reason = rerun.get("reason")
    if rerun["status"] == "invalid":
        return "differs", f"the rerun was found invalid: {reason}", None
    return "unverifiable", f"the rerun ended in {rerun['status']}: {reason}", None


def other_bits(recorded: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Why a rerun need not have the bits of a record; nothing if it must.

    Args:
        recorded: the trial.json.
        now: the environment of the rerun.

    Example:
        >>> other_bits({"environment": {"platform": "gpu"}}, {"platform": "gpu"})
        ['a gpu']
        >>> other_bits({"environment": {"host_threads": 2}}, {"host_threads": 8})
        ['host_threads 2, now 8']
    """
    then = recorded.get("environment")
    then = _flat(then if isinstance(then, Mapping) else {})
    reasons = [f"{k} {then.get(k)}, now {v}" for k, v in _flat(now).items() if v != then.get(k)]
    if not reasons and now["platform"] != "cpu":
        reasons.append(f"a {now['platform']}")
    if "batch" in recorded:  # `vectorized_trial`
        reasons.append("trained in one program with other points")
    return reasons


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: environment.get(name, "unset") or "none" for name in SAME_BITS}
    versions = environment.get("versions")
    return found | (dict(versions) if isinstance(versions, Mapping) else {})


def _judge_bits(
    status: str, rows: Sequence[Row], status_again: str, rows_again: Sequence[Row]
) -> Judgement:
    difference = compare(rows, rows_again)
    if difference is not None:
        return "differs", describe(difference), difference
    # of a trial that met its target too late, the rerun, which has no clock, says that it met it
    too_late = status == "budget_exhausted" and status_again == "target_reached"
    if status_again != status and not too_late:
        return "differs", f"the record says {status}, the rerun {status_again}", None
    return "equal", "", None


def _judge_within(
    tolerance: float,
    record: Mapping[str, Any],
    rows: Sequence[Row],
    rows_again: Sequence[Row],
    reasons: Sequence[str],
) -> Judgement:
    target = f"validation/{record['target']['metric']}"
    columns = dict.fromkeys((TRAINING_LOSS, "validation/loss"), 0.0)
    if target not in columns:  # an accuracy or an error rate may come near 0
        values = [abs(row.get(target, 0.0)) for row in rows]
        columns[target] = max(filter(math.isfinite, values), default=0.0)
    early = compare(rows[:1], rows_again[:1], {TRAINING_LOSS: 0.0}, tolerance)
    past = early or compare(rows, rows_again, columns, tolerance * GROWN)
    why = f"bits not asked for: {', '.join(reasons)}"
    if past is not None:
        return "differs", f"{describe(past)}; {why}", past
    return "close", why, compare(rows, rows_again, columns)


def describe(difference: Difference) -> str:
    """A difference in words.

    Example:
        >>> describe(Difference(20, "validation/loss", 0.25, 0.5, 0.5, 0.5, 20))
        'from step 20 on: validation/loss 0.25, again 0.5, off by 5.0e-01'
    """
    step, column = difference.step, difference.column
    if column is None:
        return f"from step {step} on: only one of the two was evaluated there"
    values = (difference.recorded, difference.again)
    one, again = ("nothing" if value is None else repr(value) for value in values)
    off = f", off by {difference.relative:.1e}" if math.isfinite(difference.relative) else ""
    return f"from step {step} on: {column} {one}, again {again}{off}"
