"""``algoperf-lite watch``: a live leaderboard of a run in progress, from another terminal."""

import os
import time
from pathlib import Path

import click

from algoperf_lite.cli import INTERRUPTED, options, output
from algoperf_lite.errors import UsageError
from algoperf_lite.records import SUITE_FILE

NICENESS = 10  # behind whatever is being timed


@click.command("watch")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks.",
)
@click.option("--forever", is_flag=True, help="Go on when all declared trials are there.")
@click.option("--once", is_flag=True, help="Look once, and end.")
@options.as_json
def command(results: Path, every: float, forever: bool, once: bool, as_json: bool) -> int:
    """Watch the run that records into RESULTS, from another terminal.

    Shows the standings so far, the trial that is running and those that ended last; ends with the
    leaderboard when all trials are there. Ctrl-C ends the watching, not the run.
    """
    from algoperf_lite.cli.watch_view import LineView, LiveView, drawing  # noqa: PLC0415
    from algoperf_lite.watching import Watcher, follow  # noqa: PLC0415

    watcher, console = Watcher(results), output.stdout()
    if as_json and not once:
        raise UsageError("--json prints one look: give --once too")
    if once:
        _require_run(results)
        situation = watcher.look()
        if as_json:
            output.print_json(situation.to_json())
        else:
            tall = len(situation.suite.submissions) + console.height if situation.suite else 0
            console.print(drawing(situation, time.time(), tall))
        return 0
    os.nice(NICENESS)
    view = LiveView(console) if console.is_terminal else LineView(console)
    try:
        with view:
            situation = follow(watcher.look, view.show, every, forever, time.sleep)
    except KeyboardInterrupt:
        click.echo("no longer watching; the run, if there is one, goes on", err=True)
        return INTERRUPTED
    _present(situation)
    return 0


def _require_run(results: Path) -> None:
    """One look cannot wait for a run to begin: raises a UsageError if there is none."""
    from scoring.suite import load_suite  # noqa: PLC0415
    from scoring.walk import require_results  # noqa: PLC0415

    require_results(results)
    if not (results / SUITE_FILE).exists():
        raise UsageError(f"{results}: holds no {SUITE_FILE}, so no run that could be watched")
    load_suite(results / SUITE_FILE)


def _present(situation) -> None:
    """Print what became of a run: its leaderboard, and its failures."""
    from algoperf_lite.cli.score import present  # noqa: PLC0415
    from algoperf_lite.cli.watch_words import failures  # noqa: PLC0415
    from scoring import score  # noqa: PLC0415

    if situation.standings is not None:
        present(score(situation.results, clock=situation.clock), figure=None)
    console = output.stdout()
    for line in failures(situation):
        console.print(line, soft_wrap=True)
