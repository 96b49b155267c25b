"""``algoperf-lite report``: a results directory as one page that needs nothing else."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from algoperf_lite.cli import options, output

if TYPE_CHECKING:
    from scoring.report.page import Written


@click.command("report")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="The page to write; one that is there is replaced.",
)
@options.suite_file
@options.clock
@options.integration
@options.baseline
@click.option("--title", metavar="TEXT", help="Title of the page.")
@click.option(
    "--figures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write figures for papers there as well.",
)
@options.as_json
def command(
    results: Path,
    path: Path,
    suite: Path | None,
    clock: str,
    integration: str,
    baseline: str | None,
    title: str | None,
    figures: Path | None,
    as_json: bool,
) -> None:
    """Write the trials recorded in RESULTS as one self-contained HTML page."""
    from scoring.report.page import write_report  # noqa: PLC0415

    written = write_report(
        results,
        path,
        suite,
        title=title,
        written=datetime.now().astimezone().isoformat(" ", "minutes"),
        integration=integration,
        clock=clock,
        baseline=baseline,
    )
    drawn = []
    if figures is not None:
        from scoring.figures import write_figures  # noqa: PLC0415

        drawn = write_figures(results, figures, suite, clock, integration=integration)
    if as_json:
        output.print_json(as_object(written) | {"figures": [str(figure) for figure in drawn]})
        return
    console = output.stdout()
    console.print(
        f"report: {written.path} ({written.bytes / 2**20:.1f} MiB, {written.trials} trials)",
        soft_wrap=True,
    )
    if written.problems:
        output.stderr().print(
            f"! not everything could be counted ({written.problems} problems): the page names them"
            " under Failures",
            soft_wrap=True,
        )
    if drawn:
        console.print(f"figures: {len(drawn)} files in {figures}", soft_wrap=True)


def as_object(written: "Written") -> dict[str, Any]:
    """What ``--json`` prints of a report: ``path``, ``bytes``, ``trials``, ``seconds``, ..."""
    return asdict(written) | {"path": str(written.path)}
