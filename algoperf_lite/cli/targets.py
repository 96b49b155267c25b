"""``algoperf-lite targets measure``: what a workload's validation target should be."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from algoperf_lite.cli import options, output
from algoperf_lite.cli.config import config_option

if TYPE_CHECKING:
    from algoperf_lite.targets.choice import Candidate
    from algoperf_lite.targets.measure import Measurement


@click.group("targets")
def command() -> None:
    """Measure the validation targets of workloads."""


@command.command("measure")
@config_option
@click.option(
    "-w",
    "--workload",
    required=True,
    multiple=True,
    metavar="NAME",
    help="Workload or variant; repeat for several.",
)
@click.option(
    "-s",
    "--submission",
    multiple=True,
    metavar="NAME",
    help="Method to search; repeat for several.  [default: adamw nadamw nesterov heavy_ball]",
)
@click.option(
    "--points",
    type=int,
    default=8,
    show_default=True,
    help="Points searched of each method; 0 for the reference alone.",
)
@click.option(
    "--seeds",
    type=int,
    default=20,
    show_default=True,
    help="Seeds of the reference and of the best point found.",
)
@click.option(
    "--budget-minutes", type=float, help="Start no further trial of a workload after so long."
)
@options.results("results/targets")
@options.devices
@options.executor
@options.as_json
def measure_command(
    workload: tuple[str, ...],
    submission: tuple[str, ...],
    budget_minutes: float | None,
    results: Path,
    as_json: bool,
    **settings: Any,
) -> int:
    """Measure what the validation target of a workload should be.

    The reference runs to the step hint over many seeds; methods are searched, and the best point
    is run again over as many. Interrupt it whenever you like: the same command goes on.
    """
    from algoperf_lite.cli.progress import ProgressView  # noqa: PLC0415
    from algoperf_lite.targets.measure import METHODS, measure  # noqa: PLC0415

    seconds = None if budget_minutes is None else 60 * budget_minutes
    found = []
    for name in workload:
        with ProgressView(output.stderr()) as view:
            one = measure(
                name, results, methods=submission or METHODS, budget_seconds=seconds,
                observe=view.observe, **settings,
            )  # fmt: skip
        found.append(one)
        if not as_json:
            _present(one)
    if as_json:
        output.print_json([to_json(one) for one in found])
    return 0 if all(one.chosen for one in found) else 1


def to_json(found: "Measurement") -> dict[str, Any]:
    """A measurement, JSON-ready; ``target`` is null where none fits."""
    return {
        "workload": found.workload,
        "metric": found.metric,
        "direction": found.direction,
        "step_hint": found.step_hint,
        "reference": found.reference,
        "seeds": len(found.curves),
        "target": _candidate(found.chosen, found.step_hint) if found.chosen else None,
        "candidates": [_candidate(c, found.step_hint) for c in found.candidates],
        "searched": found.searched,
        "winner": found.winner,
        "algoperf_target": found.algoperf_target,
        "complete": found.complete,
    }


def _candidate(c: "Candidate", step_hint: int) -> dict[str, Any]:
    return {
        "value": c.value,
        "reached": c.reached,
        "seeds": c.seeds,
        "steps": list(c.steps),
        "median_steps": c.median_steps,
        "variation": c.variation,
        "fits": c.fits(step_hint),
    }


def _present(found: "Measurement") -> None:
    console = output.stdout()
    if found.candidates:
        console.print(_table(found))
    if found.searched:
        best = found.searched[found.winner] if found.winner else math.nan
        console.print(
            f"searched {len(found.searched)} points; the best ends at {best:.4g}: {found.winner}",
            soft_wrap=True,
        )
    if found.algoperf_target is not None:
        console.print(
            f"AlgoPerf's target, the median of the best values of its {len(found.winner_best)}"
            f" seeds: {found.algoperf_target:.4g}",
            soft_wrap=True,
        )
    console.print(_verdict(found), soft_wrap=True)
    if not found.complete:
        console.print("not all trials are done: the same command again goes on", soft_wrap=True)


def _table(found: "Measurement") -> Any:
    from rich.table import Table  # noqa: PLC0415

    table = Table(
        f"{found.metric}",
        "reached",
        "median steps",
        "of the hint",
        "variation",
        "fits",
        title=f"{found.workload}: {found.reference} over {len(found.curves)} seeds,"
        f" step hint {found.step_hint}",
        title_justify="left",
    )
    for c in found.candidates:
        share = c.median_steps / found.step_hint
        table.add_row(
            f"{c.value:g}",
            f"{c.reached} of {c.seeds}",
            f"{c.median_steps:g}" if math.isfinite(c.median_steps) else "never",
            f"{share:.0%}" if math.isfinite(share) else "",
            f"{c.variation:.1%}" if math.isfinite(c.variation) else "",
            "chosen" if c == found.chosen else "yes" if c.fits(found.step_hint) else "no",
        )
    return table


def _verdict(found: "Measurement") -> str:
    from algoperf_lite.targets import choice, measure  # noqa: PLC0415

    if found.chosen is not None:
        fewer = len(found.curves) < found.seeds
        of = f" (from {len(found.curves)} of {found.seeds} seeds)" if fewer else ""
        return (
            f"paste into the workload{of}:\n"
            f'    target=Target("{found.metric}", {found.chosen.value:g}, "{found.direction}"),'
        )
    if len(found.curves) < measure.FEWEST_SEEDS:
        return f"no target yet: {len(found.curves)} seeds, {measure.FEWEST_SEEDS} are needed"
    low, high = choice.BAND
    return (
        f"no value fits: at least {choice.ENOUGH_REACH:.0%} of the seeds should reach it, at"
        f" {low:.0%} to {high:.0%} of the step hint in the median, with a variation of at most"
        f" {choice.MOST_VARIATION:.0%}. Change the step hint, the evaluation split's size or the"
        " model"
    )
