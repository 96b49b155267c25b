"""What `algoperf_lite.workload` asks of every workload, as checks that take seconds in all.

They run on the workload's own data, a handful of examples at a time, and train nothing. The order
matters: what a check computes first, later ones use, and where it failed they say so.
"""

from __future__ import annotations

from collections.abc import Iterator

import jax

from algoperf_lite.checks import Check, Finding, examine
from algoperf_lite.checks.workload import data, evaluation, model
from algoperf_lite.checks.workload.subject import Load, Subject
from algoperf_lite.workload import Workload

CHECKS: tuple[Check, ...] = (
    data.sizes,
    data.fingerprint,
    data.data_form,
    model.parameters,
    model.outputs,
    model.determinism,
    model.batch_independence,
    evaluation.loss_form,
    evaluation.metrics,
    evaluation.target,
    model.gradients,
    model.initial_loss,
    model.dropout,
    model.batch_norm,
    data.augmentation,
    evaluation.masking,
    evaluation.batch_size,
    evaluation.device_count,
)


def check_workload(workload: Workload, load: Load | None = None) -> Iterator[Finding]:
    """Run all checks on a workload, in order.

    Args:
        workload: the base workload or variant to check.
        load: gives the splits of a dataset; by default from the user's data directory, prepared
            there if need be.

    Yields:
        A finding for each of `CHECKS`.
    """
    subject = Subject(workload, load)
    with jax.default_matmul_precision("highest"):  # what is compared should differ by rounding only
        for one in CHECKS:
            yield examine(one, subject)


def checks_for(workload: Workload, base: Workload | None) -> tuple[Check, ...]:
    """The checks that a variant can fail where its base passes: those of what it changes."""
    if base is None:
        return CHECKS
    changed = {name for name in FIELDS if getattr(workload, name) != getattr(base, name)}
    return tuple(one for one in CHECKS if changed & set(one.reads))


FIELDS = sorted({name for one in CHECKS for name in one.reads})
