"""``algoperf-lite score``: turn recorded trials into a leaderboard."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from algoperf_lite.cli import options, output
from algoperf_lite.records import unwritable

if TYPE_CHECKING:
    from scoring.board import Leaderboard


@click.command("score")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "-w",
    "--workload",
    multiple=True,
    metavar="NAME",
    help="Score over these workloads only.  [default: all that the directory declares]",
)
@click.option(
    "--suite",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Suite to score over.  [default: RESULTS/suite.json]",
)
@click.option(
    "--integration",
    type=click.Choice(["exact", "algoperf"]),
    default="exact",
    show_default=True,
    help="Exact integral, or AlgoPerf's 100-point trapezoid.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path),
    metavar="STEM",
    help="Write the performance profiles to STEM.png and STEM.svg.",
)
@options.as_json
def command(
    results: Path,
    workload: tuple[str, ...],
    suite: Path | None,
    integration: str,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Score the trials recorded in RESULTS and print the leaderboard."""
    from scoring import score  # noqa: PLC0415

    board = score(results, suite=suite, workloads=workload or None, integration=integration)
    if as_json:
        output.print_json(board.to_json())
        if figure is not None:
            _write_figure(board, figure)
    else:
        present(board, figure)


def present(board: "Leaderboard", figure: Path | None) -> None:
    """Print a leaderboard; write its profiles beside it if `figure` names a stem."""
    from scoring.tables import leaderboard_view  # noqa: PLC0415

    console = output.stdout()
    console.print(leaderboard_view(board))
    if figure is not None:
        paths = " ".join(str(path) for path in _write_figure(board, figure))
        console.print(f"performance profiles: {paths}", soft_wrap=True)


def _write_figure(board: "Leaderboard", stem: Path) -> list[Path]:
    from scoring.figures import performance_profiles  # noqa: PLC0415

    try:
        return performance_profiles(board, stem)
    except OSError as error:
        raise unwritable(stem, error) from error
