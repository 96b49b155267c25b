"""Reads exported logs as AlgoPerf's scorer does, in a few lines of its own."""

import csv
import math
import re
from pathlib import Path

import numpy as np

TRIAL = re.compile(r"trial_(\d+)")


def read_csv(path):
    """[E] numbers by column, as pandas reads them: an empty cell is NaN."""
    with Path(path).open(newline="") as file:
        header, *rows = csv.reader(file)
    assert rows, f"{path}: pandas reads a table without rows, of which nothing has a minimum"
    assert all(len(row) == len(header) for row in rows), path
    return {
        name: np.array([float(row[i]) if row[i] else math.nan for row in rows])
        for i, name in enumerate(header)
    }


def times(logs, targets):
    """Time to target by submission and workload: of a study that of the first hit by row."""
    found = {}
    for submission in sorted(Path(logs).iterdir()):
        of_study = {}
        for study in sorted(submission.iterdir()):
            for place in study.iterdir():
                workload = place.name.removesuffix("_jax")
                target = targets["workloads"][workload]
                trials = [trial for trial in place.iterdir() if TRIAL.match(trial.name)]
                hits = [hit(read_csv(t / "eval_measurements.csv"), target) for t in trials]
                least = min((h for h in hits if h), default=(None, math.inf))
                of_study.setdefault(workload, []).append(least[1])
        found[submission.name] = {w: float(np.median(t)) for w, t in of_study.items()}
    return found


def hit(columns, target):
    """(row, score) of the first row that meets the target, whatever else it says."""
    metric = columns[f"validation/{target['target_metric_name']}"]
    value = target["validation_target_value"]
    met = metric <= value if target["target_metric_goal"] == "minimize" else metric >= value
    return (int(met.argmax()), float(columns["score"][met.argmax()])) if met.any() else None
