"""Options that several commands take, worded once."""

from pathlib import Path
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
devices = click.option(
    "--devices", type=int, help="Local devices to use, data parallel.  [default: all]"
)
executor = click.option(
    "--executor",
    type=click.Choice(["process", "inline"]),
    default="process",
    show_default=True,
    help="A watched worker process, or this process.",
)

suite_file = click.option(
    "--suite",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Suite with the targets, this project's or AlgoPerf's.  [default: the suite.json there]",
)
# Named here, as `scoring.clocks.CLOCKS` and `scoring.profiles.INTEGRATIONS` bring NumPy along.
CLOCKS = ("time", "robust", "steps", "time+compile")
INTEGRATIONS = ("exact", "algoperf")
clock = click.option(
    "--clock",
    type=click.Choice(CLOCKS),
    default="time",
    show_default=True,
    help="What to count time by: the clock, the clock without slow windows, training steps, or "
    "the clock with ahead-of-time compilation.",
)
integration = click.option(
    "--integration",
    type=click.Choice(INTEGRATIONS),
    default="exact",
    show_default=True,
    help="Exact integral, or AlgoPerf's 100-point trapezoid.",
)
baseline = click.option(
    "--baseline", metavar="NAME", help="Show the geometric-mean speedup over this submission."
)


def results(default: str) -> Any:
    """``--results DIR``, where a command keeps the records of its trials."""
    return click.option(
        "--results",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        help="Directory of the records; what it holds is not run again.",
    )
