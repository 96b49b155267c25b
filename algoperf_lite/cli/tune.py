"""``algoperf-lite tune``: explore the hyperparameters of a submission."""

from pathlib import Path
from typing import Any

import click

from algoperf_lite.cli import options, output
from algoperf_lite.cli.config import config_option


@click.command("tune")
@config_option
@click.option(
    "-s",
    "--submission",
    required=True,
    metavar="NAME",
    help="NAME, NAME[param=value], PATH.py or algoperf:PATH.py.",
)
@click.option(
    "-w",
    "--workload",
    required=True,
    multiple=True,
    metavar="NAME",
    help="Workload or variant; repeat for several.",
)
@click.option(
    "--points",
    type=int,
    default=8,
    show_default=True,
    help="The default point, and others drawn from the search space.",
)
@click.option(
    "--only", multiple=True, metavar="NAME", help="Hyperparameter to explore; repeat for several."
)
@click.option(
    "--grid",
    multiple=True,
    metavar="NAME=V,V",
    help="Values to try instead of drawing; repeat for every combination.",
)
@click.option("--steps/--no-steps", help="End trials at the step hint, not by time.")
@click.option(
    "--vectorize",
    type=int,
    metavar="K",
    help="Train K points in one program, to the step hint, not timed; then the best alone.",
)
@click.option(
    "--rerun/--no-rerun", default=True, help="With --vectorize: time the best point alone.  [yes]"
)
@click.option(
    "--score-on",
    multiple=True,
    metavar="NAME",
    help="Workload to run the best point on, which is chosen on -w alone; repeat for several.",
)
@click.option(
    "--stop-hopeless/--no-stop-hopeless",
    help="End trials that will miss their target, by forecast.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw and the trials.")
@click.option("--retry-failed/--no-retry-failed", help="Run trials again that ended in an error.")
@options.results("results/tune")
@options.devices
@options.executor
@options.as_json
def command(
    submission: str,
    workload: tuple[str, ...],
    results: Path,
    grid: tuple[str, ...],
    as_json: bool,
    **settings: Any,
) -> None:
    """Explore the hyperparameters of a submission and rank the points.

    Interrupt it whenever you like: the same command goes on, and more points can be asked for.
    """
    from algoperf_lite.cli.progress import ProgressView  # noqa: PLC0415
    from algoperf_lite.cli.tune_view import present, to_json  # noqa: PLC0415
    from algoperf_lite.tune import tune  # noqa: PLC0415
    from algoperf_lite.tune.points import parse_grid  # noqa: PLC0415

    with ProgressView(output.stderr()) as view:
        found = tune(
            submission, workload, results, grid=parse_grid(grid), observe=view.observe, **settings
        )
    if as_json:
        output.print_json(to_json(found))
    else:
        present(found)
