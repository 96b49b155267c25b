"""``algoperf-lite calibrate``: reference seconds per step on this device."""

from contextlib import nullcontext
from typing import Any

import click

from algoperf_lite.cli import options, output


@click.command("calibrate")
@click.option(
    "-w",
    "--workload",
    multiple=True,
    metavar="NAME",
    help="Workload; repeat for several.  [default: the lite suite]",
)
@click.option("--again", is_flag=True, help="Measure even where a stored value exists.")
@options.devices
@options.as_json
def command(workload: tuple[str, ...], again: bool, devices: int | None, as_json: bool) -> None:
    """Measure, once per device and versions, what the reference submission needs per step.

    Budgets are the step hint times this. `run` does it by itself where a value is missing. Like
    any timed run, it is refused where another one times trials on the device.
    """
    from algoperf_lite.executors import make_executor  # noqa: PLC0415
    from algoperf_lite.suites import find_suite  # noqa: PLC0415

    names = workload or find_suite("lite").base
    executor = make_executor("process", devices)
    try:
        with output.stderr().status("calibrating"):
            described = executor.call("describe", {"workloads": names, "submissions": []})
            stored = [executor.call("stored_calibration", {"workload": name}) for name in names]
            timing = again or None in stored  # reading what is stored disturbs nobody
            with executor.reserve("for a calibration") if timing else nullcontext():
                found = [
                    executor.call("calibrate", {"workload": name, "again": again})
                    | {"step_hint": w["step_hint"]}
                    for name, w in zip(names, described["workloads"], strict=True)
                ]
    finally:
        executor.close()
    for row in found:
        row["budget_seconds"] = row["seconds_per_step"] * row["step_hint"]
    if as_json:
        output.print_json(found)
    else:
        output.stdout().print(_table(found))


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table  # noqa: PLC0415

    table = Table(
        "workload",
        "reference",
        "ms per step",
        "spread",
        "step hint",
        "budget s",
        title="Reference speed on this device",
        title_justify="left",
    )
    for row in rows:
        spread = max(row["windows"]) / min(row["windows"]) - 1
        table.add_row(
            row["workload"],
            row["reference"],
            f"{1e3 * row['seconds_per_step']:.3f}",
            f"{spread:.0%}",
            str(row["step_hint"]),
            f"{row['budget_seconds']:.2f}",
        )
    return table
