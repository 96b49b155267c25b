"""``algoperf-lite doctor``: is this machine fit to time on?"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from algoperf_lite.cli import options, output

if TYPE_CHECKING:
    from algoperf_lite.doctor import Diagnosis

UNFIT = 3
MARKS = {"ok": "green", "note": "cyan", "warning": "yellow", "problem": "bold red"}


@click.command("doctor")
@click.option(
    "-w",
    "--workload",
    multiple=True,
    metavar="NAME",
    help="Time the reference on it again and compare; repeat for several.",
)
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results/run"),
    show_default=True,
    help="Where records would go: is there space?",
)
@options.devices
@options.as_json
def command(workload: tuple[str, ...], results: Path, devices: int | None, as_json: bool) -> int:
    """Look whether this machine is fit to time on, and say what to do where it is not.

    Exit 3 if there is a problem. Warnings are no problem, but the times may suffer.
    """
    from algoperf_lite.doctor import diagnose  # noqa: PLC0415

    with output.stderr().status("looking at this machine"):
        found = diagnose(workload, results, devices=devices)
    if as_json:
        output.print_json(to_json(found))
    else:
        _present(found)
    return 0 if found.fit else UNFIT


def to_json(found: "Diagnosis") -> dict[str, Any]:
    """A diagnosis, JSON-ready."""
    checks = [asdict(finding) for finding in found.findings]
    counts = {status: found.count(status) for status in MARKS}
    return {"fit": found.fit, "counts": counts, "checks": checks, "facts": found.facts}


def _present(found: "Diagnosis") -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("check", "", "what was found", title="This machine", title_justify="left")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    table.columns[2].overflow = "fold"  # paths and commands are there to be copied
    for finding in found.findings:
        style = MARKS[finding.status]
        told = Text(finding.found)
        if finding.mend:
            told.append(f"\n-> {finding.mend}", style)
        table.add_row(finding.check, Text(finding.status, style), told)
    output.stdout().print(table)
    output.stdout().print(_verdict(found), soft_wrap=True)


def _verdict(found: "Diagnosis") -> str:
    parts = [(found.count(status), status) for status in ("problem", "warning")]
    told = ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in parts if n)
    if not found.fit:
        return f"not fit to time on: {told}"
    return f"fit to time on{f', with {told}' if told else ''}"
