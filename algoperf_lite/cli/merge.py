"""``algoperf-lite merge``: put results directories together into one leaderboard."""

from pathlib import Path

import click

from algoperf_lite.cli import options, output
from algoperf_lite.errors import UsageError
from algoperf_lite.merging import Merge, plan_merge


@click.command("merge")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "new",
    type=click.Path(path_type=Path),
    metavar="DEST",
    help="A new directory.",
)
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="DEST",
    help="A results directory to add to.",
)
@click.option(
    "--rename",
    multiple=True,
    metavar="OLD=NEW",
    help="Another name for a submission, in all but the first that has it; OLD may be SOURCE/NAME.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@options.as_json
def command(
    sources: tuple[Path, ...],
    new: Path | None,
    into: Path | None,
    rename: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Copy the trials of the results directories SOURCES into one that scores as one leaderboard.

    Refused where settings, device, workloads or targets differ. Nothing is moved or overwritten.
    """
    if (new is None) == (into is None):
        raise UsageError("say where to: -o DEST for a new directory, or --into DEST to add to one")
    merge = plan_merge(
        sources, new or into, into=into is not None, rename=[_renaming(text) for text in rename]
    )
    if not dry_run:
        merge.carry_out()
    if as_json:
        output.print_json(_json(merge, dry_run))
    else:
        _print(merge, dry_run)


def _renaming(text: str) -> tuple[str, str]:
    """Splits at the last "=", as a name such as sgd[lr=1] has some of its own."""
    old, sign, new = text.rpartition("=")
    if not (sign and old and new):
        raise UsageError(f"--rename {text}: write OLD=NEW")
    return old, new


def _json(merge: Merge, dry_run: bool) -> dict:
    return {
        "results": str(merge.dest),
        "dry_run": dry_run,
        "copied": [{"from": trial.path, "to": str(to)} for trial, to in merge.copies],
        "identical": merge.identical,
        "unfinished": list(merge.unfinished),
        "suite": merge.suite,
        "notes": list(merge.notes),
    }


def _print(merge: Merge, dry_run: bool) -> None:
    console = output.stdout()
    suite = merge.suite
    workloads = [*suite["base_workloads"], *suite["held_out_workloads"]]
    lines = [
        f"{'would copy' if dry_run else 'copied'} {len(merge.copies)} trials into {merge.dest},"
        f" which declares {len(suite['submissions'])} submissions and {len(workloads)} workloads"
    ]
    if merge.identical:
        lines.append(f"{merge.identical} were there more than once, and are taken once")
    if merge.unfinished:
        lines.append(f"{len(merge.unfinished)} are unfinished, and left out")
    lines += [f"Note: {note}." for note in merge.notes]
    for line in lines:
        console.print(line, soft_wrap=True)
    if not dry_run:
        console.print(f"score it with: algoperf-lite score {merge.dest}", soft_wrap=True)
