"""``algoperf-lite compare``: is B slower than A, and is it chance?"""

import sys
from pathlib import Path

import click

from algoperf_lite.cli import options, output


@click.command("compare")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option(
    "-s",
    "--submission",
    multiple=True,
    metavar="NAME",
    help="Of two results directories, this one; repeat for several.  [default: all in both]",
)
@click.option(
    "-w",
    "--workload",
    multiple=True,
    metavar="NAME",
    help="On this workload only; repeat for several.  [default: all that both declare]",
)
@options.suite_file
@options.clock
@click.option(
    "--across",
    multiple=True,
    metavar="KIND",
    help="Compare though this differs: workload, target, device or versions.",
)
@click.option(
    "--at-least",
    type=float,
    default=1.05,
    show_default=True,
    metavar="RATIO",
    help="Mark only what is so many times as slow, or as fast, and beyond chance.",
)
@click.option(
    "--fail-on-regression",
    is_flag=True,
    help="Exit 1 if B is significantly slower, on a workload or over all, or newly failing.",
)
@click.option("--markdown", is_flag=True, help="Print Markdown instead of tables.")
@options.as_json
def command(
    a: Path,
    b: Path,
    submission: tuple[str, ...],
    workload: tuple[str, ...],
    suite: Path | None,
    clock: str,
    across: tuple[str, ...],
    at_least: float,
    fail_on_regression: bool,
    markdown: bool,
    as_json: bool,
) -> int:
    """Compare the times of B with those of A, study by study.

    A and B are two results directories, compared in every submission that both have, or two
    submissions' directories, as in DIR/nadamw DIR/muon.
    """
    from scoring.comparing import view  # noqa: PLC0415
    from scoring.comparing.compare import compare  # noqa: PLC0415
    from scoring.text import printable  # noqa: PLC0415

    report = compare(
        a,
        b,
        submissions=submission,
        workloads=workload or None,
        suite=suite,
        clock=clock,
        across=across,
        at_least=at_least,
    )
    if as_json:
        output.print_json(report.to_json())
    elif markdown:
        sys.stdout.write(view.markdown(report))
    else:
        output.stdout().print(view.ReportView(report))
    if not fail_on_regression:
        return 0
    for regression in report.regressions:
        click.echo(printable(f"regression: {regression}"), err=True)
    for what in report.untested:
        click.echo(printable(f"warning: {what}"), err=True)
    if not (report.regressions or report.tested):
        click.echo(
            "warning: nothing could be tested, for too few studies or too much that differs:"
            " that no regression was found means nothing",
            err=True,
        )
    return 1 if report.regressions else 0
