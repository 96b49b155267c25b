"""``algoperf-lite show``: a trial in full, the trials below a directory, or the schedules."""

from pathlib import Path

import click

from algoperf_lite.cli import options, output
from algoperf_lite.cli.show_records import read_trial, read_trials, trial_directories
from algoperf_lite.errors import UsageError
from algoperf_lite.records import EVALUATIONS_FILE, TRIAL_FILE

SCHEDULES = Path("schedules")
"""The path that stands for the learning-rate schedules, unless trials lie there."""


@click.command("show")
@click.argument("path", type=click.Path(path_type=Path), metavar="PATH|schedules")
@click.option(
    "-s",
    "--submission",
    multiple=True,
    metavar="SELECTOR",
    help="With `schedules`: show the schedule of a submission, NAME[schedule=...,...], instead.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With `schedules`: draw them into FILE, a .png, .svg or .pdf.",
)
@click.option("--all", "each", is_flag=True, help="A line for each trial, however many.")
@options.as_json
def command(
    path: Path, submission: tuple[str, ...], plot: Path | None, each: bool, as_json: bool
) -> None:
    """Look at the trial recorded in PATH, at all trials below PATH, or at the schedules.

    PATH is a trial's directory, or any above it: a study's, a submission's, a results directory.
    """
    if path == SCHEDULES and not trial_directories(path):
        _show_schedules(submission, plot, as_json)
        return
    for option, value in (("-s", submission), ("--plot", plot)):
        if value:
            raise UsageError(f"{option} is for `show schedules`, not for trials: leave it out")
    if not path.is_dir():
        raise UsageError(
            f"{path} is a file: give the directory it lies in"
            if path.exists()
            else f"{path}: no such directory; give one that `run` wrote"
        )
    is_trial = (path / TRIAL_FILE).exists() or (path / EVALUATIONS_FILE).exists()
    found = read_trial(path) if is_trial else read_trials(path)
    if as_json:
        output.print_json(found)
    elif is_trial:
        from algoperf_lite.cli.trial_view import trial_view  # noqa: PLC0415

        output.stdout().print(trial_view(found))
    else:
        from algoperf_lite.cli.trials_view import trials_view  # noqa: PLC0415

        console = output.stdout()
        for part in trials_view(found, str(path), each):
            console.print(part)


def _show_schedules(selectors: tuple[str, ...], plot: Path | None, as_json: bool) -> None:
    from algoperf_lite.cli import schedules_figure, schedules_view  # noqa: PLC0415

    rows = schedules_view.read_schedules(selectors)
    if plot is not None:
        schedules_figure.draw_schedules(rows, plot)
    if as_json:
        output.print_json(rows)
        return
    console = output.stdout()
    console.print(schedules_view.table(rows, console.width))
    if plot is not None:
        console.print(f"drawn: {plot}", soft_wrap=True)
