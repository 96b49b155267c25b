"""Checks of a workload's loss, metrics and target, and of evaluation over padded batches."""

import math
from typing import Any

import jax
import numpy as np

from algoperf_lite.checks import NotApplicableError, check, expect
from algoperf_lite.checks.workload import trees
from algoperf_lite.checks.workload.subject import EXAMPLES, SAMPLE, Subject, compile_quickly

RELATIVE, ABSOLUTE = 1e-3, 1e-6  # two programs may round a mean over few examples differently


@check("loss", "dataset")
def loss_form(subject: Subject) -> str:
    """The loss is a sum and a count per example, smoothed where asked for."""
    outputs, targets = subject.outputs, subject.batch["targets"]
    found = subject.measure(outputs, targets)["loss"]
    expect(len(found) == 2, f"the loss returns {len(found)} values; it must return (sums, counts)")
    for what, array in zip(("sums", "counts"), found, strict=True):
        expect(
            array.shape == (EXAMPLES,) and array.dtype == np.float32,
            f"the loss's {what} of {EXAMPLES} examples are {array.dtype}{list(array.shape)}; they"
            f" must be float32[{EXAMPLES}], one per example",
        )
        expect(not trees.not_finite(array), f"the loss's {what} are not finite: {array}")
    sums, counts = found
    expect(
        (counts >= 0).all() and counts.sum() > 0,
        f"the loss counts {counts} terms; counts are not negative, and not all zero",
    )

    def smoothed_loss(outputs: Any, targets: Any, amount: Any) -> tuple[Any, Any]:
        return subject.workload.loss(outputs, targets, label_smoothing=amount)

    smoothed = compile_quickly(smoothed_loss, outputs, targets, np.float32(0))
    unsmoothed, _ = smoothed(outputs, targets, np.float32(0))
    apart = trees.distance(unsmoothed, sums)
    expect(apart < RELATIVE, f"label_smoothing=0 changes the loss by {apart:.1e}; 0 is its default")
    some, same_counts = smoothed(outputs, targets, np.float32(0.1))
    expect(not trees.not_finite(some), f"label_smoothing=0.1 makes the loss {some}")
    same = np.array_equal(same_counts, counts)
    expect(same, f"label_smoothing=0.1 changes the counts from {counts} to {same_counts}")
    return f"{float(counts.sum()):g} terms in {EXAMPLES} examples"


@check("metrics", "dataset")
def metrics(subject: Subject) -> str:
    """Metrics are parts per example and finish as a number."""
    if not subject.workload.metrics:
        raise NotApplicableError("there is none beside the loss")
    parts = subject.measure(subject.outputs, subject.batch["targets"])
    for m in subject.workload.metrics:
        expect(
            trees.rows(parts[m.name]) == {EXAMPLES},
            f"{m.name}: {EXAMPLES} examples give parts of {sorted(trees.rows(parts[m.name]))} rows;"
            " give one per example",
        )
    values = subject.finish(parts)
    for m in subject.workload.metrics:
        value = values[m.name]
        expect(
            isinstance(value, float | int),
            f"{m.name}: finish returns {type(value).__name__} {value!r}; return a float",
        )
    return ", ".join(f"{m.name} {values[m.name]:.4g}" for m in subject.workload.metrics)


@check("target", "model", "metrics", "loss", "dataset")
def target(subject: Subject) -> str:
    """The target is a number that an untrained model does not meet."""
    stated = subject.workload.target
    expect(math.isfinite(stated.value), f"the target's value is {stated.value}; state a number")
    expect(
        stated.direction in ("minimize", "maximize"),
        f"the target's direction is {stated.direction!r}; it is 'minimize' or 'maximize'",
    )
    value = subject.by_hand(SAMPLE)[stated.metric]
    expect(
        not stated.met(value),
        f"an untrained model has {stated.metric} {value:.4g} and so meets the target"
        f" {stated.value:g} ({stated.direction}); is it the wrong direction?",
    )
    sign = "<=" if stated.direction == "minimize" else ">="
    return f"{stated.metric} {sign} {stated.value:g}, {value:.4g} untrained"


@check("loss", "metrics", "dataset")
def masking(subject: Subject) -> str:
    """Evaluation of padded batches equals that of the rows alone."""
    params, state = subject.variables
    padded = subject.evaluator.evaluate(params, state, "test")
    what = f"{EXAMPLES} rows padded to {2 * EXAMPLES}"
    return _same(padded, subject.by_hand(EXAMPLES), what, "without padding")


@check("loss", "metrics", "dataset")
def batch_size(subject: Subject) -> str:
    """Evaluation does not depend on the batch size."""
    params, state = subject.variables
    large = subject.evaluator.evaluate(params, state, "validation")
    what = f"{2 * EXAMPLES} rows in batches of {2 * EXAMPLES}"
    return _same(large, subject.by_hand(2 * EXAMPLES), what, f"in batches of {EXAMPLES}")


@check("loss", "metrics", "dataset")
def device_count(subject: Subject) -> str:
    """Evaluation does not depend on the number of devices."""
    devices = jax.local_devices()
    count = max(n for n in (1, 2, 4, 8) if n <= len(devices))
    if count == 1:
        raise NotApplicableError(
            "there is one device; on CPU,"
            " XLA_FLAGS=--xla_force_host_platform_device_count=2 makes two"
        )
    params, state = subject.variables
    one = subject.evaluator.evaluate(params, state, "validation")
    several = subject.evaluator_on(devices[:count]).evaluate(params, state, "validation")
    return _same(several, one, f"on {count} devices", "on one")


def _same(found: dict[str, float], expected: dict[str, float], what: str, other: str) -> str:
    for name, value in expected.items():
        expect(
            math.isclose(found[name], value, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
            or (math.isnan(value) and math.isnan(found[name])),
            f"{name} is {found[name]:.6g} {what} and {value:.6g} {other}; parts of an example must"
            " depend on that example alone, and finish on their sum or their rows",
        )
    return f"{what} and {other}"
