"""``algoperf-lite verify``: train recorded trials again and compare."""

import re
from pathlib import Path
from typing import Any

import click

from algoperf_lite.cli import options, output
from algoperf_lite.errors import UsageError


@click.command("verify")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--sample", type=int, default=3, show_default=True, metavar="N", help="How many trials."
)
@click.option("--all", "each", is_flag=True, help="All trials.")
@click.option(
    "-s", "--submission", multiple=True, metavar="NAME", help="Trials of this; repeat for several."
)
@click.option(
    "-w", "--workload", multiple=True, metavar="NAME", help="Trials on this; repeat for several."
)
@click.option("--seed", type=int, help="Of the draw.  [default: a new one, which is shown]")
@click.option(
    "-S",
    "--selector",
    multiple=True,
    metavar="NAME=PATH.py",
    help="Where the file of a submission or workload is, if not in the working directory.",
)
@click.option(
    "--tolerance",
    type=float,
    default=0.001,
    show_default=True,
    help="On another machine: how far the training loss may be off at first, relative.",
)
@click.option("--devices", type=int, help="Local devices to use.  [default: as recorded]")
@options.executor
@options.memory_limit
@options.ray_address
@options.as_json
def command(
    results: Path,
    sample: int,
    each: bool,
    submission: tuple[str, ...],
    workload: tuple[str, ...],
    selector: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> int:
    """Train a sample of the trials recorded in RESULTS again, and say whether they reproduce.

    On the CPU that recorded them, every number must be the same to the bit. Their times are not
    verified. RESULTS is not written to. Exit code 1 if a trial differs, or none can be verified.
    """
    from algoperf_lite import verify  # noqa: PLC0415
    from algoperf_lite.cli.progress import ProgressView  # noqa: PLC0415

    console = output.stderr()
    with ProgressView(console) as view:

        def observe(event: dict[str, Any]) -> None:
            if event["event"] == "sample":
                text = (
                    f"drawn: {event['drawn']} of {event['trials']} trials, --seed {event['seed']}"
                )
                console.print(text, soft_wrap=True)
            else:
                view.observe(event)

        found = verify(
            results,
            sample=None if each else sample,
            submissions=submission,
            workloads=workload,
            elsewhere=dict(map(_elsewhere, selector)),
            observe=observe,
            **settings,
        )
    if as_json:
        output.print_json(found.to_json())
    else:
        from algoperf_lite.cli.verify_view import verification_view  # noqa: PLC0415

        for part in verification_view(found):
            output.stdout().print(part)
    return int(not found.ok)


def _elsewhere(text: str) -> tuple[str, str]:
    """Splits NAME=PATH.py; names and paths may both have brackets with "=" in them."""
    match = re.fullmatch(r"([^=\[]+(?:\[[^\]]*\])?)=(.+)", text)
    if match is None:
        raise UsageError(f"-S {text}: write NAME=PATH.py")
    return match[1], match[2]
