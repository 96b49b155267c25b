"""What recorded trials cost beside their on-clock time, and how their seeds spread.

    python -m benchmarks.trials RESULTS [--json]

For each submission and workload of a results directory: trials, how many reached the target, steps
and on-clock seconds to it (median, coefficient of variation of steps), evaluation as a share of
on-clock time, compile seconds (the most of any trial), and peak memory.
"""

import json
import statistics
from collections import defaultdict
from pathlib import Path

import click

from algoperf_lite.cli.show import read_trials


def summarise(rows):
    """The figures of the trials of one submission on one workload."""
    reached = [row for row in rows if row["status"] == "target_reached"]
    steps = [row["steps"] for row in reached]
    measured = [row for row in rows if row.get("seconds")]
    return {
        "trials": len(rows),
        "reached": len(reached),
        "steps_median": statistics.median(steps) if steps else None,
        "steps_range": _range(steps),
        "steps_cv": statistics.stdev(steps) / statistics.mean(steps) if len(steps) > 1 else None,
        "steps_sd": statistics.stdev(steps) if len(steps) > 1 else None,
        "parameters": measured[0].get("parameters") if measured else None,
        "ms_per_step": statistics.median(1e3 * r["robust_seconds"] / r["steps"] for r in measured)
        if measured else None,
        "seconds_median": statistics.median(r["seconds"] for r in reached) if reached else None,
        "seconds_range": _range([r["seconds"] for r in reached]),
        "evaluation_share": statistics.median(
            r["off_clock"]["evaluation"] / r["seconds"] for r in measured
        ) if measured else None,
        "compile_seconds": max(r["off_clock"]["compile"] for r in measured) if measured else None,
        "peak_memory_mib": max(r["peak_memory_bytes"] for r in measured) / 2**20
        if measured else None,
    }  # fmt: skip


def summarise_all(results):
    """`summarise` for each workload and submission of a results directory."""
    groups = defaultdict(list)
    for row in read_trials(results):
        if "submission" in row:
            groups[row["workload"], row["submission"]].append(row)
    return [
        {"workload": workload, "submission": submission} | summarise(rows)
        for (workload, submission), rows in sorted(groups.items())
    ]


def _range(values):
    return [min(values), max(values)] if values else None


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(results, as_json):
    """Summarise the trials recorded in RESULTS."""
    found = summarise_all(results)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for row in found:
        click.echo(" ".join(f"{k}={_short(v)}" for k, v in row.items()))


def _short(value):
    if isinstance(value, float):
        return f"{value:.4g}"
    return "[" + ",".join(map(_short, value)) + "]" if isinstance(value, list) else str(value)


if __name__ == "__main__":
    main()
