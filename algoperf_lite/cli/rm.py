"""``algoperf-lite rm``: remove recorded trials."""

from collections import Counter
from pathlib import Path

import click

from algoperf_lite.cli import options, output
from algoperf_lite.removing import SELECTABLE, Removal, select_removal

SHOWN = 20


@click.command("rm")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "-s", "--submission", multiple=True, metavar="NAME", help="Trials of this; repeat for several."
)
@click.option(
    "-w", "--workload", multiple=True, metavar="NAME", help="Trials on this; repeat for several."
)
@click.option(
    "--study", multiple=True, type=int, metavar="N", help="Trials of this study, from 0; repeat."
)
@click.option(
    "--status",
    multiple=True,
    metavar="STATUS",
    help=f"Trials that ended so; repeat. One of {', '.join(SELECTABLE)}.",
)
@click.option("--yes", is_flag=True, help="Remove them; without it they are only shown.")
@options.as_json
def command(
    results: Path,
    submission: tuple[str, ...],
    workload: tuple[str, ...],
    study: tuple[int, ...],
    status: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Remove the trials in RESULTS that meet all the conditions given.

    Without --yes it shows what it would remove. A submission or workload whose last trial goes is
    no longer declared in suite.json.
    """
    removal = select_removal(
        results, submissions=submission, workloads=workload, studies=study, statuses=status
    )
    if yes:
        removal.carry_out()
    if as_json:
        output.print_json(_json(removal, yes))
    else:
        _print(removal, yes)


def _json(removal: Removal, removed: bool) -> dict:
    return {
        "results": str(removal.results),
        "removed": removed,
        "trials": [{"path": trial.path, "status": status} for trial, status in removal.trials],
        "submissions_gone": list(removal.submissions),
        "workloads_gone": list(removal.workloads),
        "resumed": removal.resumed,
    }


def _print(removal: Removal, removed: bool) -> None:
    console = output.stdout()
    if removal.resumed:
        done = "is now complete" if removed else "stopped: --yes completes it"
        console.print(f"{removal.results}: an earlier removal {done}", soft_wrap=True)
    elif not removal.trials:
        console.print(f"{removal.results}: no such trial; nothing to remove", soft_wrap=True)
        return
    if removal.trials:
        _print_trials(removal, removed)
    for kind, names in (("submission", removal.submissions), ("workload", removal.workloads)):
        for name in names:
            console.print(f"{kind} {name}: its last trial, so suite.json no longer declares it")
    if not removed:
        console.print("Nothing is removed yet: add --yes to remove this.")


def _print_trials(removal: Removal, removed: bool) -> None:
    console = output.stdout()
    for trial, status in removal.trials[:SHOWN]:
        console.print(f"{trial.path}  {status}", soft_wrap=True)
    if (more := len(removal.trials) - SHOWN) > 0:
        console.print(f"and {more} more (--json lists all)")
    statuses = Counter(status for _, status in removal.trials)
    counts = ", ".join(f"{count} {status}" for status, count in statuses.most_common())
    trials = "1 trial" if len(removal.trials) == 1 else f"{len(removal.trials)} trials"
    console.print(f"{'removed' if removed else 'would remove'} {trials}: {counts}")
