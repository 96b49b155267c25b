"""Seconds that a report takes, and its size, over made records of a full campaign.

    python -m benchmarks.report [--json] [--keep DIR] [--submissions 20]

Records are made in a temporary directory: by default 20 submissions on 9 workloads, 3 studies of 5
trials, 25 evaluations each, every trial with its trial.json and hyperparameters. `--keep` writes
them to DIR, and the report beside them, to look at.

    trials        in the report
    seconds       of `write_report`: reading, scoring, putting together, writing
    bytes         of the page
    plotly_bytes  what of that is the plotting library
"""

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np

from algoperf_lite.records import EVALUATIONS_FILE, SUITE_FILE, TRIAL_FILE, trial_directory
from scoring.report.page import write_report

WORKLOADS, STUDIES, TRIALS, EVALUATIONS = 9, 3, 5, 25
TARGET, EVERY = 1.0, 50
ENVIRONMENT = {"platform": "cpu", "device_count": 1, "versions": {"jax": "1.0", "numpy": "1.0"}}


def make_records(root, submissions, workloads=WORKLOADS, studies=STUDIES, trials=TRIALS):
    """Writes a results directory; every submission and workload has a speed of its own."""
    rng = np.random.default_rng(0)
    names = [f"workload_{w}" for w in range(workloads)]
    pace = rng.uniform(0.5, 1.5, (submissions, 1)) * rng.uniform(0.7, 1.4, (submissions, workloads))
    for s in range(submissions):
        for study in range(studies):
            for trial in range(1, trials + 1):
                point = 10 ** rng.uniform([-4, -3], -1)
                for w, workload in enumerate(names):
                    path = trial_directory(root, f"submission_{s:02d}", study, workload, trial)
                    _write_trial(path, rng, pace[s, w], point.tolist(), (study, workload, trial))
    target = {"target_metric_name": "loss", "validation_target_value": TARGET}
    suite = {
        "schema": 1,
        "base_workloads": names,
        "workloads": {name: target for name in names},
        "submissions": {f"submission_{s:02d}": {"ruleset": "external"} for s in range(submissions)},
        "studies": studies,
        "trials": trials,
        "points": "search_space",
    }
    (root / SUITE_FILE).write_text(json.dumps(suite))


def _write_trial(path, rng, pace, point, place):
    (rate, decay), (study, workload, trial) = point, place
    # The farther the learning rate is from 0.01, the later the target is met, if it is at all.
    slope = pace / (1 + 0.5 * (np.log10(rate) + 2) ** 2)
    metric = 4 * np.exp(-slope * np.linspace(0.1, 2.5, EVALUATIONS))
    metric = (metric + rng.uniform(0, 0.1, EVALUATIONS)).tolist()
    per_step = rng.uniform(0.008, 0.009, EVALUATIONS)
    seconds = np.cumsum(EVERY * per_step).tolist()
    hit = next((i for i, value in enumerate(metric) if value <= TARGET), None)
    end = EVALUATIONS if hit is None else hit + 1
    path.mkdir(parents=True)
    header = "accumulated_submission_time,global_step,accumulated_eval_time,validation/loss"
    rows = [
        f"{seconds[i]!r},{EVERY * (i + 1)},{0.02 * (i + 1)!r},{metric[i]!r}" for i in range(end)
    ]
    (path / EVALUATIONS_FILE).write_text("\n".join([header, *rows, ""]))
    total = seconds[end - 1]
    record = {
        "schema": 1, "study": study, "workload": workload, "trial": trial,
        "status": "target_reached" if hit is not None else "budget_exhausted", "reason": None,
        "budget_seconds": seconds[-1], "seconds": total, "steps": EVERY * end,
        "robust_seconds": total * float(rng.normal(1, 0.02)), "noisy": bool(rng.random() < 0.03),
        "drifted": bool(rng.random() < 0.03), "seed": int(rng.integers(2**31)),
        "clock": {"data": 0.002, "update": total - 0.006, "eval_params": 0.003, "on_eval": 0.001},
        "off_clock": {"compile": float(rng.uniform(3, 5)), "evaluation": 0.02 * end},
        "compiles_on_clock": {"count": 0, "seconds": 0.0},
        "window_seconds_per_step": per_step[:end].tolist(),
        "calibration_kernel_seconds": rng.uniform(0.0115, 0.0125, 2).tolist(),
        "flops_per_step": 6.4e8, "peak_memory_bytes": 2**30, "environment": ENVIRONMENT,
        "hyperparameters": {"learning_rate": rate, "weight_decay": decay},
    }  # fmt: skip
    (path / TRIAL_FILE).write_text(json.dumps(record))


def measure(root, submissions, **sizes):
    """The figures of one report over made records in `root`; see `make_records` for sizes."""
    make_records(root, submissions, **sizes)
    written = asdict(write_report(root, root / "report.html"))
    return {key: written[key] for key in ("trials", "seconds", "bytes", "plotly_bytes")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--submissions", default=20, show_default=True)
@click.option("--keep", type=click.Path(path_type=Path), help="Make the records here.")
def main(as_json, submissions, keep):
    """Time a report over made records, and weigh it."""
    with tempfile.TemporaryDirectory() as temporary:
        root = keep or Path(temporary)
        root.mkdir(parents=True, exist_ok=True)
        found = measure(root, submissions)
    if as_json:
        click.echo(json.dumps(found))
    else:
        click.echo(
            f"{found['trials']:,} trials: {found['bytes'] / 1e6:.2f} MB, of which plotly"
            f" {found['plotly_bytes'] / 1e6:.2f}, in {found['seconds']:.2f} s"
        )


if __name__ == "__main__":
    main()
