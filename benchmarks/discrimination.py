"""Whether workloads tell methods apart: four methods, eight learning rates each, the same for all.

    python -m benchmarks.discrimination [-w NAME ...] [--results DIR] [--json]

Each method runs at its default point with the learning rate multiplied by 1/8, 1/4, ... 16, on each
workload up to the step hint or the target. It is resumable: what is recorded is not run again.
Steps do not depend on what else the machine does, and methods take turns, so that their seconds per
step can be compared with each other.

A workload discriminates if the best points of two methods differ in steps to target by more than
the seeds of the reference do (their standard deviation, from `benchmarks.workloads`).
"""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from statistics import median

import click

import algoperf_lite
from algoperf_lite import registry
from algoperf_lite.cli import output
from algoperf_lite.cli.progress import ProgressView
from algoperf_lite.cli.show import read_trials
from algoperf_lite.submission import Submission
from workloads.suites import SUITES

METHODS = ("nadamw", "nesterov", "adafactor", "muon")
FACTORS = tuple(2.0**k for k in range(-3, 5))
GRIDS = Path(__file__).parent / "grids"


def around(submission: Submission) -> Submission:
    """The submission with a search space of `FACTORS` times its default learning rate."""
    centre = submission.default["learning_rate"]
    points = [{**submission.default, "learning_rate": centre * factor} for factor in FACTORS]
    return replace(submission, search_space=points)


def run(workload: str, results: Path, observe=lambda event: None):
    """Run what is missing of one workload's grids."""
    algoperf_lite.run(
        [workload],
        [str(GRIDS / f"{method}.py") for method in METHODS],
        results / workload,
        studies=1,
        trials=len(FACTORS),
        max_steps=registry.find_workload(workload).step_hint,
        observe=observe,
    )


def summarise(results: Path):
    """For each workload below `results` and each method, every point and the best one.

    Returns:
        ``{workload: {method: {"points": [...], "best": point, "ms_per_step": number}}}``; a point
        is ``learning_rate``, ``steps`` to target (None if it never got there), ``final``, the last
        value of the target metric, and ``ms_per_step``. The best point has the fewest steps, else
        the best final value. A method's ``ms_per_step`` is the median over its points: methods
        took turns, so other work on the machine hit them alike.
    """
    found = defaultdict(lambda: defaultdict(list))
    directions = {}
    for row in read_trials(results):
        if "target" not in row:
            continue  # still running, or interrupted
        target = row["target"]
        directions[row["workload"]] = 1 if target["direction"] == "minimize" else -1
        reached = row["status"] == "target_reached"
        found[row["workload"]][row["submission"]].append(
            {
                "learning_rate": row["hyperparameters"]["learning_rate"],
                "steps": row["steps"] if reached else None,
                "final": row["final"].get(f"validation/{target['metric']}"),
                "ms_per_step": 1e3 * row["robust_seconds"] / row["steps"] if row["steps"] else None,
            }
        )

    def rank(workload, point):
        final = point["final"]
        return (
            point["steps"] or float("inf"),
            float("inf") if final is None else directions[workload] * final,
        )

    return {
        workload: {
            method: {
                "points": points,
                "best": min(points, key=lambda p: rank(workload, p)),
                "ms_per_step": median(p["ms_per_step"] for p in points if p["ms_per_step"]),
            }
            for method, points in sorted(methods.items())
        }
        for workload, methods in sorted(found.items())
    }


@click.command()
@click.option("-w", "--workload", multiple=True, help="[default: the lite suite]")
@click.option("--results", type=click.Path(path_type=Path), default="results/discrimination")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(workload, results, as_json):
    """Run the grids on workloads and print the best point of each method."""
    for name in workload or SUITES["lite"]:
        with ProgressView(output.stderr()) as view:
            run(name, results, view.observe)
    found = summarise(results)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for name, methods in found.items():
        for method, of in methods.items():
            best = of["best"]
            steps = best["steps"] or "never"
            click.echo(
                f"{name} {method}: {steps} steps at learning rate {best['learning_rate']:g},"
                f" ends at {best['final']:.4g}"
            )


if __name__ == "__main__":
    main()
