"""``algoperf-lite check``: whether what one wrote keeps the promises of its contract."""

import os
import sys
from dataclasses import asdict
from typing import Any

import click

from algoperf_lite.cli import options, output

FAKE_DEVICES = "--xla_force_host_platform_device_count"
MARKS = {"ok": "green", "failed": "bold red", "not applicable": "dim"}


@click.group("check")
def command() -> None:
    """Check what you wrote, in seconds; exit 1 if a check fails."""


@command.command("workload")
@click.argument("names", nargs=-1, required=True, metavar="WORKLOAD...")
@options.as_json
def workload(names: tuple[str, ...], as_json: bool) -> int:
    """Check workloads: NAME, NAME[param=value,...] or PATH.py.

    Shapes, data, gradients, modes and evaluation are checked on the workload's own data, a few
    examples at a time; nothing is trained. On CPU the evaluation is also spread over two devices.
    """
    _fake_devices(2)
    from algoperf_lite import environment, registry  # noqa: PLC0415
    from algoperf_lite.checks.workload import CHECKS, check_workload  # noqa: PLC0415

    environment.use_compilation_cache()
    found = []
    for subject in [registry.find_workload(name) for name in names]:
        findings = []
        with output.stderr().status("") as status:
            checking = check_workload(subject)
            for one in CHECKS:
                status.update(f"{subject.name}: {one.about}")
                findings.append(next(checking))
        found.append({"workload": subject.name, "checks": [asdict(f) for f in findings]})
        if not as_json:
            output.stdout().print(_table(found[-1]))
    if as_json:
        output.print_json(found)
    return int(any(c["status"] == "failed" for f in found for c in f["checks"]))


def _fake_devices(count: int) -> None:
    """Let XLA's CPU backend show several devices; no matter where there is an accelerator."""
    flags = os.environ.get("XLA_FLAGS", "")
    if "jax" not in sys.modules and FAKE_DEVICES not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {FAKE_DEVICES}={count}".strip()


def _table(row: dict[str, Any]) -> Any:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    counts = {mark: sum(c["status"] == mark for c in row["checks"]) for mark in MARKS}
    told = ", ".join(f"{count} {mark}" for mark, count in counts.items() if count)
    table = Table("check", "result", "what was seen", title=f"{row['workload']}: {told}",
                  title_justify="left")  # fmt: skip
    table.columns[2].overflow = "fold"  # fingerprints and paths are there to be copied
    for c in row["checks"]:
        about = Text(c["about"])
        table.add_row(about, Text(c["status"], MARKS[c["status"]]), Text(c["detail"]))
    return table
