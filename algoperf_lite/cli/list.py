"""``algoperf-lite list``: the workloads and submissions there are."""

import sys
from typing import Any

import click

from algoperf_lite.cli import options, output, suite_view
from algoperf_lite.errors import UsageError


@click.command("list")
@click.argument("kind", type=click.Choice(["all", "workloads", "submissions"]), default="all")
@click.option(
    "--suite",
    is_flag=False,
    flag_value="lite",
    metavar="[NAME]",
    help="Show a suite with its held-out variants instead.  [NAME: lite]",
)
@click.option(
    "--held-out-seed", type=int, help="What the held-out variants are drawn from.  [default: 0]"
)
@options.as_json
def command(kind: str, suite: str | None, held_out_seed: int | None, as_json: bool) -> None:
    """Show the workloads and submissions there are, by name, or a suite."""
    if held_out_seed is not None and suite is None:
        raise UsageError("held-out variants are drawn for a suite: give --suite NAME too")
    if suite is not None:
        declared = suite_view.declaration(suite, held_out_seed)
        if as_json:
            output.print_json(declared)
        else:
            output.stdout().print(suite_view.table(declared))
        return
    kinds = {
        "workloads": (_workloads, _workload_table),
        "submissions": (_submissions, _submission_table),
    }
    chosen = {name: pair for name, pair in kinds.items() if kind in ("all", name)}
    found = {name: rows() for name, (rows, _) in chosen.items()}
    if as_json:
        output.print_json(found)
        return
    for name, (_, table) in chosen.items():
        output.stdout().print(table(found[name]))


def _workloads() -> list[dict[str, Any]]:
    from algoperf_lite import environment, preparation, registry  # noqa: PLC0415
    from algoperf_lite.executors.describing import describe_workload  # noqa: PLC0415

    rows = []
    for w in registry.all_workloads():
        row = describe_workload(w.name) | {"about": _about(f"workloads.{w.base or w.name}")}
        if w.tier == "catalog":  # the others are made when they are first used
            row["prepared"] = preparation.is_prepared(w.dataset, environment.data_directory())
        rows.append(row)
    return rows


def _submissions() -> list[dict[str, Any]]:
    from algoperf_lite import registry  # noqa: PLC0415
    from algoperf_lite.executors.describing import describe_submission  # noqa: PLC0415

    rows = []
    for name in registry.known_names("submission"):
        _, submission, _ = registry.find_submission(name)
        rows.append(
            describe_submission(name)
            | {
                "about": _about(f"submissions.{name}"),
                "options": {key: sorted(values) for key, values in submission.options.items()},
                "points": sorted(submission.points),
            }
        )
    return rows


def _about(module: str) -> str:
    """The first line of a module's docstring."""
    doc = sys.modules[module].__doc__ if module in sys.modules else None
    return (doc or "").strip().splitlines()[0] if doc else ""


def _workload_table(rows: list[dict[str, Any]]) -> Any:
    from rich.console import Group  # noqa: PLC0415

    tiers = sorted({row["tier"] for row in rows}, reverse=True)  # lite first
    tables = [_tier_table(tier, [row for row in rows if row["tier"] == tier]) for tier in tiers]
    notes = [
        f"provisional: {row['name']}: {row['target']['provisional']}"
        for row in rows
        if "provisional" in row["target"]
    ]
    if any(row["base"] for row in rows):
        notes.append("_name: a variant, called WORKLOAD_name, as in clicks_dlrm_layernorm")
    if not all(row.get("prepared", True) for row in rows):
        notes.append("not prepared: `algoperf-lite prepare NAME` downloads the data")
    return Group(*tables, *notes)


def _tier_table(tier: str, rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(
        "workload",
        "target",
        "step hint",
        "batch",
        "about",
        title=f"Workloads of the {tier} tier",
        title_justify="left",
    )
    table.columns[0].no_wrap = True  # names are there to be copied
    for row in rows:
        target = row["target"]
        sign = "<=" if target["direction"] == "minimize" else ">="
        mark = " (provisional)" if "provisional" in target else ""
        prepared = "" if row.get("prepared", True) else " Not prepared."
        variant = row["base"] is not None
        suffix = row["name"].removeprefix(f"{row['base']}_")
        table.add_row(
            Text(f"  _{suffix}", "dim") if variant else row["name"],
            f"{target['metric']} {sign} {target['value']:g}{mark}",
            str(row["step_hint"]),
            str(row["batch_size"]),
            "" if variant else row["about"] + prepared,
        )
    return table


def _submission_table(rows: list[dict[str, Any]]) -> Any:
    from rich.console import Group  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(
        "submission", "tuning", "in brackets", "about", title="Submissions", title_justify="left"
    )
    table.columns[0].no_wrap = table.columns[2].no_wrap = True
    for row in rows:
        brackets = [f"{name}=" for name in row["options"]]
        brackets += [f"point={name}" for name in row["points"]]
        table.add_row(row["name"], row["ruleset"], Text("\n".join(brackets)), row["about"])
    notes = [
        "any hyperparameter can be set in brackets, as in nadamw[schedule=rex,learning_rate=0.01];"
        " `algoperf-lite show schedules` draws the schedules, --json has the default points",
        "optax:NAME is any optimizer of optax, as in optax:adabelief",
        "algoperf:PATH.py is a submission written for AlgoPerf",
    ]
    return Group(table, *(Text(note) for note in notes))
