"""Checks of what a workload states, of its data and of its augmentation."""

import re

import jax

from algoperf_lite.checks import CheckFailedError, NotApplicableError, check, expect
from algoperf_lite.checks.workload.subject import Subject, compile_quickly
from algoperf_lite.checks.workload.trees import different, form, named, not_finite, rows, some
from algoperf_lite.dataset import SPLITS
from algoperf_lite.errors import MachineError, UsageError

FEWEST, MOST = 12, 30  # evaluations in a step hint: fewer are coarse, more take time


@check("step_hint", "eval_every")
def sizes(subject: Subject) -> str:
    """The step hint holds 12 to 30 evaluations."""
    hint, every = subject.workload.step_hint, subject.workload.eval_every
    expect(
        hint % every == 0,
        f"step_hint={hint} is no multiple of eval_every={every}: the last {hint % every} steps are"
        " not evaluated; change either",
    )
    count = hint // every
    expect(
        FEWEST <= count <= MOST,
        f"step_hint={hint} holds {count} evaluations, one in {every} steps; choose eval_every"
        f" between {hint / MOST:.0f} and {hint / FEWEST:.0f}",
    )
    return f"{count} evaluations in {hint} steps"


@check("dataset")
def fingerprint(subject: Subject) -> str:
    """The data loads and has the stated fingerprint."""
    try:
        subject.splits  # noqa: B018  (loading compares the fingerprint)
    except (MachineError, UsageError) as error:
        raise CheckFailedError(str(error)) from error
    stated = subject.workload.dataset.fingerprint
    if stated is None:
        return "none stated; held to what the first load found"
    expect(
        re.fullmatch("[0-9a-f]{64}", stated),
        f"the stated fingerprint {stated!r} is no sha256 of 64 hexadecimal digits",
    )
    return f"{stated[:12]}..."


@check("dataset", "batch_size")
def data_form(subject: Subject) -> str:
    """Splits are inputs and targets, alike in form, with finite numbers."""
    splits = subject.splits
    expect(
        sorted(splits) == sorted(SPLITS),
        f"the splits are {sorted(splits)}; there must be {', '.join(SPLITS)}",
    )
    for name, split in splits.items():
        expect(
            sorted(split) == ["inputs", "targets"],
            f"preprocess returns {sorted(split)} for {name}; it must return inputs and targets",
        )
        expect(
            len(rows(split)) == 1,
            f"arrays of {name} have {sorted(rows(split))} rows; all must have one row per example",
        )
        bad = not_finite(split)
        expect(not bad, f"{name} holds NaN or infinity in {some(bad)}; mend them in preprocess")
    forms = {name: form(jax.tree.map(lambda a: a[:0], split)) for name, split in splits.items()}
    for name in ("validation", "test"):
        expect(
            forms[name] == forms["train"],
            f"rows of {name} are {forms[name]}, those of train {forms['train']}; make them alike",
        )
    counts = {name: rows(split).pop() for name, split in splits.items()}
    batch = subject.workload.batch_size
    expect(
        counts["train"] >= batch,
        f"train has {counts['train']} rows, fewer than batch_size={batch}; make more, or the batch"
        " smaller",
    )
    return ", ".join(f"{name} {counts[name]}" for name in SPLITS) + " rows"


@check("augment", "dataset")
def augmentation(subject: Subject) -> str:
    """Augmentation is a function of its key and keeps the batch's form."""
    if subject.workload.augment is None:
        raise NotApplicableError("it has none")
    batch = subject.batch
    augment = compile_quickly(subject.workload.augment, jax.random.key(0), batch)
    first, again, other = (augment(jax.random.key(seed), batch) for seed in (0, 0, 1))
    expect(
        form(first) == form(batch),
        f"augment returns {form(first)} for a batch of {form(batch)}; it must keep shapes and"
        " dtypes",
    )
    bad = not_finite(first)
    expect(not bad, f"augment makes NaN or infinity in {some(bad)}")
    bad = different(first, again)
    expect(not bad, f"augment gives other {some(bad)} for the same key; draw from the key alone")
    changed = different(first, other)
    expect(changed, "augment gives the same batch for two keys; draw from the key it is given")
    return f"{some(changed)} of {len(named(batch))} arrays depend on the key"
