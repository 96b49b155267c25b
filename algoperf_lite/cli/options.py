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


def results(default: str) -> Any:
    """``--results DIR``, where a command keeps the records of its trials."""
    return click.option(
        "--results",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        help="Directory of the records; what it holds is not run again.",
    )
