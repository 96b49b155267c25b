"""EDIT: how this differs from its base, and what that stresses in an optimizer."""

from dataclasses import replace

from algoperf_lite import Target
from workloads.clicks_dlrm import workload as base

workload = base.with_variant(
    "my_variant",
    # EDIT: a field of the model: FIELDS
    model=replace(base.model),
    # EDIT: `algoperf-lite targets measure -w my_variant.py` prints the line
    target=Target("loss", 0.49, "minimize"),
)
