"""Seconds and memory that scoring takes, over made logs of three sizes.

    python -m benchmarks.scoring [--json] [--recorded] [--repeats 5]

Logs are made in AlgoPerf's layout in a temporary directory: 20 workloads, half of them held-out
variants, five studies of one trial, 60 evaluations of 15 columns each; a size is a number of
submissions. With `--recorded` every trial has this project's trial.json too, with the digest of its
evaluations. Every measurement is a process of its own, with the files in the page cache:

    seconds        of the whole command `algoperf-lite score DIR --suite FILE --json`, from its
                   start to its end: the median of the repeats
    least_seconds  the least of them, which other work on the machine disturbs least
    cpu_seconds    of processor, all threads together: the least of them
    score_seconds  of the call `scoring.score` alone, arrow's import included: the least of them
    peak_mb        peak resident memory of the command in 10^6 bytes: the largest of them; as Linux
                   tells it, where alone this runs
"""

import hashlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

import click
import numpy as np

from algoperf_lite import environment
from algoperf_lite.records import EVALUATIONS_FILE, TRIAL_FILE, evaluation_columns

SUBMISSIONS = (4, 19, 37)
BASES, STUDIES, ROWS = 10, 5, 60
METRICS = ("accuracy", "loss")
TARGET = 1.0
# The peak of a process since it was started, which its rusage mixes with that of its parent.
COMMAND = """
import sys
from algoperf_lite.cli import invoke
code = invoke()
with open("/proc/self/status") as file:
    peak = next(line.split()[1] for line in file if line.startswith("VmHWM"))
print(peak, file=sys.stderr)
sys.exit(code)
"""
SCORE_ALONE = """
import sys, time
from scoring.leaderboard import score
start = time.perf_counter()
score(sys.argv[1], sys.argv[2])
print(time.perf_counter() - start)
"""


def make_logs(root, submissions, recorded=False):
    """Writes logs and their suite; returns {"trials":, "rows":, "csv_mb":, "suite": path}."""
    rng = np.random.default_rng(0)
    bases = [f"workload{i}" for i in range(BASES)]
    variants = [f"{name}_variant" for name in bases]
    trials = written = 0
    for s in range(submissions):
        for study in range(STUDIES):
            for workload in bases + variants:
                path = Path(root, f"submission{s}", f"study_{study}", f"{workload}_jax", "trial_1")
                written += _write_trial(path, rng, recorded, study, workload)
                trials += 1
    target = {"target_metric_name": "loss", "validation_target_value": TARGET}
    suite = Path(root, "targets.json")
    suite.write_text(
        json.dumps(
            {
                "base_workloads": bases,
                "held_out_workloads": variants,
                "workloads": {name: target for name in bases + variants},
            }
        )
    )
    return {"trials": trials, "rows": trials * ROWS, "csv_mb": written / 1e6, "suite": suite}


def _write_trial(path, rng, recorded, study, workload):
    path.mkdir(parents=True)
    seconds = np.cumsum(rng.uniform(5.0, 15.0, ROWS))
    # About nine trials of ten meet the target, at some evaluation of the last third.
    loss = TARGET + np.linspace(2.0, rng.uniform(-1.0, 0.1), ROWS) + rng.uniform(-0.1, 0.1, ROWS)
    columns = {name: rng.uniform(0.1, 1.0, ROWS) for name in evaluation_columns(METRICS)}
    columns |= dict.fromkeys(("accumulated_submission_time", "score"), seconds)
    columns["preemption_count"] = np.zeros(ROWS, int)
    columns["global_step"] = 100 * np.arange(1, ROWS + 1)
    columns["validation/loss"] = loss
    columns |= {f"{split}/num_examples": np.full(ROWS, 5000) for split in ("test", "validation")}
    rows = zip(*(map(repr, column.tolist()) for column in columns.values()), strict=True)
    text = "\n".join([",".join(columns), *map(",".join, rows), ""]).encode()
    (path / EVALUATIONS_FILE).write_bytes(text)
    if recorded:
        status = "target_reached" if (loss <= TARGET).any() else "budget_exhausted"
        record = _record(study, workload, seconds, status, hashlib.sha256(text).hexdigest())
        (path / TRIAL_FILE).write_text(json.dumps(record, indent=1) + "\n")
    return len(text)


def _record(study, workload, seconds, status, digest):
    rates = (np.diff(seconds, prepend=0.0) / 100).tolist()
    return {
        "schema": 1,
        "study": study,
        "workload": workload,
        "trial": 1,
        "budget_seconds": float(seconds[-1]),
        "status": status,
        "reason": None,
        "off_clock": {"compile": 3.0},
        "window_seconds_per_step": rates,
        "environment": {"versions": {name: "1.0" for name in ("jax", "jaxlib", "flax", "optax")}},
        "evaluations_sha256": digest,
    }


def measure(root, suite, repeats):
    """Figures of the command and of the call, over fresh processes that take turns."""
    command = [sys.executable, "-c", COMMAND, "score", str(root), "--suite", str(suite), "--json"]
    alone = [sys.executable, "-c", SCORE_ALONE, str(root), str(suite)]
    runs, calls = [], []
    for _ in range(repeats):
        runs.append(_run(command))
        done = subprocess.run(alone, check=True, capture_output=True, text=True)
        calls.append(float(done.stdout))
    seconds, cpu, peak = zip(*runs, strict=True)
    return {
        "seconds": median(seconds),
        "peak_mb": max(peak),
        "least_seconds": min(seconds),
        "cpu_seconds": min(cpu),
        "score_seconds": min(calls),
    }


def _run(command):
    """(seconds, processor seconds, peak resident megabytes) of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, cpu, float(done.stderr.split()[-1]) * 1024 / 1e6


def compare(sizes, recorded, repeats):
    """A row of figures per size."""
    found = []
    for submissions in sizes:
        root = tempfile.mkdtemp(prefix="scoring_")
        try:
            made = make_logs(root, submissions, recorded)
            suite = made.pop("suite")
            figures = measure(root, suite, repeats)
        finally:
            shutil.rmtree(root)
        found.append({**made, **{name: round(value, 4) for name, value in figures.items()}})
    return found


def describe_machine():
    """What the figures depend on."""
    described = environment.describe(1)
    described["versions"]["pyarrow"] = version("pyarrow")
    return described


@click.command()
@click.option("--recorded", is_flag=True, help="Give every trial a trial.json.")
@click.option("--repeats", default=5, show_default=True, help="Processes per size.")
@click.option(
    "--submissions",
    type=int,
    multiple=True,
    default=SUBMISSIONS,
    help="Sizes; a submission is 100 trials.  [default: 4 19 37]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(recorded, repeats, submissions, as_json):
    """Measure scoring over made logs."""
    found = compare(submissions, recorded, repeats)
    if as_json:
        about = {"environment": describe_machine(), "recorded": recorded, "repeats": repeats}
        click.echo(json.dumps({**about, "sizes": found}, indent=1))
        return
    for row in found:
        click.echo(
            f"{row['trials']} trials, {row['rows']} rows, {row['csv_mb']:.1f} MB:"
            f" {row['seconds']:.2f} s (least {row['least_seconds']:.2f} s), {row['peak_mb']:.0f} MB"
        )


if __name__ == "__main__":
    main()
