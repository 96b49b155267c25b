"""Whether trials of A and of B on one workload may be compared at all."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scoring.details import Details
from scoring.numbers import is_number
from scoring.suite import WorkloadTarget

KINDS = {
    "workload": "the workload's fingerprint: data, model, loss, batch size, step hint",
    "target": "metric and value that end a trial",
    "device": "processor, threads, XLA flags",
    "versions": "Python and the packages",
}
# What decides how many steps a target takes; the others decide how long a step takes.
OF_STEPS = frozenset({"workload", "target"})
_VERSIONS = ("python", "versions")


def differences(
    a: Sequence[Details],
    b: Sequence[Details],
    target_a: WorkloadTarget,
    target_b: WorkloadTarget,
) -> dict[str, str]:
    """What differs between two sets of trials of one workload, though it must not.

    What is not recorded differs from nothing: AlgoPerf's own logs have no `trial.json`.

    Args:
        a: trials of A, read whole.
        b: trials of B.
        target_a: what A's suite declares of the workload.
        target_b: what B's suite declares.

    Returns:
        Kind, a key of `KINDS` -> what differs, A's value first. Empty where all agrees.
    """
    found: dict[str, list[str]] = {}
    targets_a, targets_b = _targets(a, target_a), _targets(b, target_b)
    _note(found, "target", "", targets_a, targets_b)
    of_workload = [
        {d.record["workload_fingerprint"][:12] for d in side if _text(d, "workload_fingerprint")}
        for side in (a, b)
    ]
    _note(found, "workload", "fingerprint", *of_workload)
    facts_a, facts_b = _environments(a), _environments(b)
    for key in sorted({*facts_a, *facts_b}):
        kind = "versions" if key[0] in _VERSIONS else "device"
        _note(found, kind, " ".join(key[1:] or key), facts_a.get(key, ()), facts_b.get(key, ()))
    return {
        kind: f"{kind} differ{'' if kind == 'versions' else 's'}: {'; '.join(whats)}"
        for kind, whats in found.items()
    }


def unknown(a: Sequence[Details], b: Sequence[Details]) -> str:
    """Which side says nothing of device and versions: "A and B", "A", "B" or ""."""
    silent = [
        name
        for name, side in (("A", a), ("B", b))
        if side and not any(isinstance(d.record.get("environment"), dict) for d in side)
    ]
    return " and ".join(silent)


def _text(details: Details, key: str) -> bool:
    return isinstance(details.record.get(key), str)


def _targets(side: Sequence[Details], declared: WorkloadTarget) -> set[str]:
    own = (details.record.get("target") for details in side)
    texts = {
        _target_text(target.get("metric"), target.get("direction"), target.get("value"))
        for target in own
        if isinstance(target, dict)
    }
    return texts | {_target_text(declared.metric, declared.direction, declared.value)}


def _target_text(metric: Any, direction: Any, value: Any) -> str:
    sign = ">=" if direction == "maximize" else "<="
    number = f"{float(value):.6g}" if is_number(value) else str(value)
    return f"{metric} {sign} {number}"


def _environments(side: Sequence[Details]) -> dict[tuple[str, ...], set[str]]:
    """Every value that each fact has in any trial of a side."""
    facts: dict[tuple[str, ...], set[str]] = {}
    for details in side:
        environment = details.record.get("environment")
        for key, value in _flat(environment if isinstance(environment, dict) else {}):
            facts.setdefault(key, set()).add(value)
    return facts


def _flat(environment: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in environment.items():
        if isinstance(value, dict):
            yield from (((key, inner), _plain(item)) for inner, item in value.items())
        else:
            yield (key,), _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _note(
    found: dict[str, list[str]], kind: str, name: str, a: Iterable[str], b: Iterable[str]
) -> None:
    """Notes a fact that has more than one value, be it in trials of one side."""
    sides = sorted(a), sorted(b)
    if len({*sides[0], *sides[1]}) > 1:
        values = " / ".join(", ".join(v or "none" for v in side) or "unknown" for side in sides)
        found.setdefault(kind, []).append(f"{name} {values}".strip())
