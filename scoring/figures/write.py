"""All figures of a results directory, from one reading of it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from algoperf_lite.errors import unknown_name, unwritable_output
from scoring.details import read_details
from scoring.figures import style
from scoring.figures.clock import clock_figure
from scoring.figures.curves import curves_figure
from scoring.figures.profiles import profiles_figure
from scoring.figures.ratios import ratios_figure
from scoring.figures.scores import scores_figure
from scoring.leaderboard import find_suite, from_records
from scoring.reader import read_records
from scoring.suite import Suite


def write_figures(
    results_dir: str | Path,
    directory: str | Path,
    suite: str | Path | Suite | None = None,
    clock: str = "time",
    *,
    integration: str = "exact",
    ruleset: str | None = None,
    workloads: Iterable[str] | None = None,
    formats: Sequence[str] = style.FORMATS,
) -> list[Path]:
    """Writes the figures of a results directory, for papers.

    `profiles`, `ratios`, `curves`, `scores` and `clock`, each as PDF, SVG and PNG. They are 6.75
    inches wide, the text of a two-column page, or 3.25, one column of it, where that is enough;
    with about 50 submissions one is as tall as a page. Type is 4.5 to 6.5 points and embedded in
    the PDF as text (TrueType). The same records give the same bytes. Where no trial was timed, as
    in an exploration that shared programs, there is no `clock`.

    Args:
        results_dir: see `scoring.score`.
        directory: to write to; made if missing.
        suite: see `scoring.score`.
        clock: see `scoring.score`; learning curves are over on-clock time but for "steps".
        integration: see `scoring.score`.
        ruleset: see `scoring.score`.
        workloads: see `scoring.score`.
        formats: some of "pdf", "svg" and "png".

    Returns:
        The files, by figure and format.

    Raises:
        UsageError: see `scoring.score`; an unknown format.
        MachineError: a file cannot be written.
    """
    for form in formats:
        if form not in style.FORMATS:
            raise unknown_name("format", form, style.FORMATS)
    declared = find_suite(results_dir, suite)
    chosen = declared if workloads is None else declared.select(workloads)
    records = read_records(results_dir, chosen, known=declared.names, clock=clock)
    board = from_records(records, chosen, integration=integration, ruleset=ruleset)
    details = read_details(records.trials, chosen)
    with style.drawing():
        figures = {
            "profiles": profiles_figure(board),
            "ratios": ratios_figure(board),
            "curves": curves_figure(board, details, chosen),
            "scores": scores_figure(board),
        }
        if any(one.trial.timed for one in details):
            figures["clock"] = clock_figure(board, details)
        directory, paths = Path(directory), []
        try:
            for name, figure in figures.items():
                paths += style.save(figure, directory / name, formats)
        except OSError as error:
            raise unwritable_output(directory, error) from error
    return paths
