"""A suite as ``algoperf-lite list --suite`` shows it."""

from typing import Any

HELD_OUT_SEED = 0


def declaration(name: str, held_out_seed: int | None = None) -> dict[str, Any]:
    """A suite and its held-out sample, in the form of a suite file that ``score --suite`` reads.

    Args:
        name: of the suite.
        held_out_seed: what the sample is drawn from; `HELD_OUT_SEED` by default.

    Raises:
        UsageError: there is no such suite.
    """
    from algoperf_lite.executors.describing import describe_workload  # noqa: PLC0415
    from algoperf_lite.plan import suite_entry  # noqa: PLC0415
    from algoperf_lite.suites import find_suite  # noqa: PLC0415

    suite = find_suite(name, HELD_OUT_SEED if held_out_seed is None else held_out_seed)
    return {
        "suite": suite.name,
        "held_out_seed": suite.seed,
        "base_workloads": list(suite.base),
        "held_out_workloads": list(suite.held_out),
        "workloads": {
            workload: suite_entry(describe_workload(workload))
            for workload in (*suite.base, *suite.held_out)
        },
    }


def table(declared: dict[str, Any]) -> Any:
    """A line for each base workload, with the variant drawn for it."""
    from rich.table import Table  # noqa: PLC0415

    found = Table(
        "base workload",
        "target",
        "held-out variant",
        "target",
        title=f"Suite {declared['suite']}, held-out variants of seed {declared['held_out_seed']}",
        title_justify="left",
    )
    for name_column in (0, 2):  # names are there to be copied
        found.columns[name_column].overflow = "fold"
    workloads = declared["workloads"]
    held_out = {workloads[name]["base"]: name for name in declared["held_out_workloads"]}
    for base in declared["base_workloads"]:
        variant = held_out.get(base)
        found.add_row(
            base, _target(workloads[base]), variant or "", _target(workloads.get(variant))
        )
    return found


def _target(entry: dict[str, Any] | None) -> str:
    if entry is None:
        return ""
    sign = "<=" if entry["direction"] == "minimize" else ">="
    mark = " (provisional)" if "provisional" in entry else ""
    return f"{entry['target_metric_name']} {sign} {entry['validation_target_value']:g}{mark}"
