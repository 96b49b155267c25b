"""``algoperf-lite export-logs``: records as logs that AlgoPerf's own scorer scores as ours does."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from algoperf_lite.cli import options, output

if TYPE_CHECKING:
    from algoperf_lite.algoperf.logs import Export

# Its strict mode refuses other numbers (submissions_algorithms, scoring/performance_profile.py).
STRICT_STUDIES, STRICT_TRIALS = 3, 5


@click.command("export-logs")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "dest",
    type=click.Path(path_type=Path),
    metavar="DEST",
    help="A new directory.  [default: RESULTS-algoperf]",
)
@click.option(
    "-w",
    "--workload",
    multiple=True,
    metavar="NAME",
    help="Only these workloads.  [default: all that the directory declares]",
)
@options.suite_file
@click.option(
    "--ruleset",
    type=click.Choice(["external", "self"]),
    help="Only submissions of this ruleset, as AlgoPerf ranks them.  [default: all]",
)
@options.as_json
def command(
    results: Path,
    dest: Path | None,
    workload: tuple[str, ...],
    suite: Path | None,
    ruleset: str | None,
    as_json: bool,
) -> None:
    """Write the trials of RESULTS as logs and targets for AlgoPerf's own scorer.

    It comes to the scores of `score RESULTS --integration algoperf`. Records stay as they are; what
    had to be written otherwise to that end is said.
    """
    from algoperf_lite.algoperf.logs import export_logs  # noqa: PLC0415

    made = export_logs(results, dest, suite, workload or None, ruleset)
    if as_json:
        output.print_json(made.to_json())
        return
    console = output.stdout()
    for line in _lines(made):
        console.print(line, soft_wrap=True)


def _lines(made: "Export") -> Iterator[str]:
    from algoperf_lite.algoperf.logs.export import LOGS, TARGETS_FILE  # noqa: PLC0415

    yield (
        f"wrote {_count(made.trials, 'trial')} of {_count(len(made.submissions), 'submission')} on"
        f" {_count(len(made.workloads), 'workload')} to {made.dest}"
    )
    yield from (f"Note: {note}." for note in _notes(made))
    flag = " --self_tuning_ruleset" if _all_self(made) else ""
    logs, targets = quote(str(made.dest / LOGS)), quote(str(made.dest / TARGETS_FILE))
    yield "score it with AlgoPerf's scorer, in a checkout of mlcommons/submissions_algorithms:"
    yield (
        f"  python3 -m scoring.score_submissions --submission_directory {logs}"
        f" --workload_targets {targets} --compute_performance_profiles{flag}"
    )
    yield f"or with this one: algoperf-lite score {logs} --suite {targets} --integration algoperf"
    scores = ", ".join(f"{name} {score:.4f}" for name, score in made.scores.items())
    yield f"either should say: {scores}"


def _notes(made: "Export") -> Iterator[str]:
    """What is written otherwise than it was recorded, and why."""
    for old, new in made.submissions.items():
        if new != old:
            yield f"{old} is {new} there, as AlgoPerf's scorer reads some characters as patterns"
    for old, new in made.workloads.items():
        if new != old:
            yield f"{old} is {new} there, as AlgoPerf finds the base of a variant by its name"
    for old, new in made.metrics.items():
        if new != old:
            yield f"the metric {old} is {new} there: it is over tokens, AlgoPerf's over words"
    if made.void:
        ends = ", ".join(f"{count} {status}" for status, count in made.void.items())
        count = sum(made.void.values())
        never = "never counts" if count == 1 else "never count"
        yield f"{_count(count, 'trial')} {never} here: {ends}"
    if made.emptied:
        yield (
            f"{_count(made.emptied, 'evaluation')} met the target and"
            f" {'does' if made.emptied == 1 else 'do'} not count here, being of such trials, after"
            " the budget or without a possible time: that cell is left empty"
        )
    if made.moved:
        yield (
            f"{_count(made.moved, 'trial')} met the target later than another of the study, though"
            " at no larger evaluation number, which AlgoPerf goes by: rows without an evaluation"
            " were put before"
        )
    if made.standing_in:
        yield (
            f"{_count(made.standing_in, 'study', 'studies')} without a trial, which AlgoPerf would"
            " take no notice of: a trial without an evaluation was written, so that it is missed"
        )
    if made.board.problems:
        problems = _count(len(made.board.problems), "problem")
        yield f"{problems} with the records; `algoperf-lite score {made.source}` names them"
    tried = made.per_study == {STRICT_TRIALS} or _all_self(made)
    if made.board.studies != STRICT_STUDIES or not tried or made.standing_in:
        yield (
            f"its --strict asks for {STRICT_STUDIES} studies of {STRICT_TRIALS} trials, one under"
            " self-tuning, which these are not; without it, it only warns"
        )


def _all_self(made: "Export") -> bool:
    return {row.ruleset for row in made.board.rows} == {"self"}


def _count(count: int, noun: str, plural: str | None = None) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {plural or noun + 's'}"
