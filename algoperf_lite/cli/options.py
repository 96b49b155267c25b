"""Options that several commands take, worded once."""

import re
from pathlib import Path
from typing import Any, ClassVar

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
devices = click.option(
    "--devices", type=int, help="Local devices to use, data parallel.  [default: all]"
)
executor = click.option(
    "--executor",
    type=click.Choice(["process", "inline", "ray"]),
    default="process",
    show_default=True,
    help="A watched worker process, this process, or the machines of a Ray cluster.",
)


class Bytes(click.ParamType):
    """A number of bytes, with a unit or without."""

    name = "bytes"
    UNITS: ClassVar = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Bytes of ``"4GiB"``, ``"4G"`` or ``"4294967296"``."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", value.strip().lower())
        if not found or not float(found[1]):
            self.fail(f"{value!r} is no amount of memory; write it as in 4GiB", param, ctx)
        return int(float(found[1]) * self.UNITS[found[2]])


memory_limit = click.option(
    "--memory-limit",
    type=Bytes(),
    metavar="SIZE",
    help="Kill a worker that uses more host memory, as in 4GiB.  [default: 90% of the machine's]",
)
hang_after = click.option(
    "--hang-after",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="Kill a worker that gives no sign of life for so long.",
)
ray_address = click.option(
    "--ray-address", metavar="HOST:PORT", help="With --executor ray: the cluster.  [default: here]"
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
