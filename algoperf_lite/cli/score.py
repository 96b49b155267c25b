"""``algoperf-lite score``: turn recorded trials into a leaderboard."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from algoperf_lite.cli import options, output
from algoperf_lite.errors import UsageError, unknown_name, unwritable_output

if TYPE_CHECKING:
    from scoring.board import Leaderboard
    from scoring.suite import Suite

MISSED = 1


@click.command("score")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "-w",
    "--workload",
    multiple=True,
    metavar="NAME",
    help="Score over these workloads only.  [default: all that the directory declares]",
)
@options.suite_file
@options.clock
@click.option(
    "--ruleset",
    type=click.Choice(["external", "self"]),
    help="Only submissions of this ruleset, ranked among themselves.  [default: all]",
)
@options.baseline
@options.integration
@click.option(
    "--require",
    multiple=True,
    metavar="NAME",
    help="Exit with 1 if this submission misses a target, held-out variants included; repeatable.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path),
    metavar="STEM",
    help="Write the performance profiles to STEM.png and STEM.svg.",
)
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, a row for each submission.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print a Markdown table.")
@options.as_json
def command(
    results: Path,
    workload: tuple[str, ...],
    suite: Path | None,
    clock: str,
    ruleset: str | None,
    baseline: str | None,
    integration: str,
    require: tuple[str, ...],
    figure: Path | None,
    as_csv: bool,
    as_markdown: bool,
    as_json: bool,
) -> int:
    """Score the trials recorded in RESULTS and print the leaderboard."""
    form = _only(("--json", as_json), ("--csv", as_csv), ("--markdown", as_markdown))
    from scoring import score  # noqa: PLC0415

    board = score(
        results,
        suite=suite,
        workloads=workload or None,
        integration=integration,
        clock=clock,
        ruleset=ruleset,
        baseline=baseline,
    )
    misses = _misses(board, require, lambda: _declared(results, suite))
    if form is None:
        present(board, figure)
    else:
        _export(board, form)
        if figure is not None:
            _write_figure(board, figure)
    for miss in misses:
        click.echo(miss, err=True)
    return MISSED if misses else 0


def present(board: "Leaderboard", figure: Path | None) -> None:
    """Print a leaderboard; write its profiles beside it if `figure` names a stem."""
    from scoring.tables import leaderboard_view  # noqa: PLC0415

    console = output.stdout()
    console.print(leaderboard_view(board))
    if figure is not None:
        paths = " ".join(str(path) for path in _write_figure(board, figure))
        console.print(f"performance profiles: {paths}", soft_wrap=True)


def _only(*flags: tuple[str, bool]) -> str | None:
    """The one output that was asked for, if any."""
    given = [name for name, is_given in flags if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} exclude each other: give one of them")
    return given[0] if given else None


def _export(board: "Leaderboard", form: str) -> None:
    from scoring.exports import to_csv, to_markdown  # noqa: PLC0415

    if form == "--json":
        output.print_json(board.to_json())
    elif form == "--markdown":
        output.write(to_markdown(board))
    else:
        output.write(to_csv(board))
        _warn(board)


def _warn(board: "Leaderboard") -> None:
    """Say on standard error what a csv has no place for: what is missing, what is wrong."""
    from scoring.wording import notes  # noqa: PLC0415

    for note in notes(board):
        if note.weight == "warning":
            click.echo(note.text, err=True)


def _declared(results: Path, suite: Path | None) -> "Suite":
    from scoring.leaderboard import find_suite  # noqa: PLC0415

    return find_suite(results, suite)


def _misses(
    board: "Leaderboard", required: Sequence[str], declared: Callable[[], "Suite"]
) -> list[str]:
    """A sentence for each workload whose target a required submission misses."""
    rows = {row.name: row for row in board.rows}
    for name in required:
        if name not in rows:
            ruleset = declared().ruleset_of(name)
            if board.ruleset is not None and ruleset not in (None, board.ruleset):
                raise UsageError(
                    f"--require: {name!r} is of the ruleset {ruleset!r}, which --ruleset"
                    f" {board.ruleset} leaves out: leave out one of the two"
                )
            raise unknown_name("submission", name, rows, "--require")
    return [
        f"{name}: misses the target of {workload} ({rows[name].cells[workload].word})"
        for name in dict.fromkeys(required)
        for workload in rows[name].missed
    ]


def _write_figure(board: "Leaderboard", stem: Path) -> list[Path]:
    from scoring.figures import performance_profiles  # noqa: PLC0415

    try:
        return performance_profiles(board, stem)
    except OSError as error:
        raise unwritable_output(stem, error) from error
