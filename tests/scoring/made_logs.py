"""Makes small logs and suites, in AlgoPerf's layout or with this project's trial.json."""

import json
from pathlib import Path

from scoring.leaderboard import from_times
from scoring.suite import parse_suite
from scoring.times import time_table
from scoring.trial import Trial

METRICS = {"loss": 1.0, "accuracy": 0.9, "wer": 0.1}


def declared(base=("a", "b"), held_out=(), metric="loss", **more):
    """The object of a suite file: every target is `METRICS[metric]`."""
    target = {"target_metric_name": metric, "validation_target_value": METRICS[metric]}
    return {
        "base_workloads": list(base),
        "held_out_workloads": list(held_out),
        "workloads": {name: dict(target) for name in (*base, *held_out)},
        **more,
    }


def suite(*args, **kwargs):
    return parse_suite(declared(*args, **kwargs))


def trial_dir(root, submission, workload, study=0, trial=1):
    return Path(root) / submission / f"study_{study}" / f"{workload}_jax" / f"trial_{trial}"


def write_trial(root, submission, workload, rows, study=0, trial=1, metric="loss", record=None):
    """Writes one trial; rows are (seconds, metric value), as numbers or as the text of the csv."""
    path = trial_dir(root, submission, workload, study, trial)
    path.mkdir(parents=True)
    header = f"accumulated_submission_time,global_step,validation/{metric},validation/num_examples"
    lines = [f"{seconds},{10 * i},{value},100" for i, (seconds, value) in enumerate(rows)]
    (path / "eval_measurements.csv").write_text("\n".join([header, *lines]) + "\n")
    if record is not None:
        (path / "trial.json").write_text(
            json.dumps({"schema": 1, "reason": None, "budget_seconds": None, **record})
        )
    return path


def hit(seconds):
    """Rows of a trial that meets the loss target of 1.0 after so many seconds."""
    return [(0.0, 5.0), (seconds, 0.9)]


def untimed_hit(steps):
    """Rows of a trial that has no clock, and meets the loss target of 1.0 after so many steps."""
    return [("", 5.0)] * (steps // 10) + [("", 0.9)]


MISS = [(0.0, 5.0), (100.0, 2.0)]


def board_of(times, base, held_out=(), integration="exact"):
    """A leaderboard of made times {submission: {workload: seconds}}, absent meaning no logs."""
    made = suite(base, held_out)
    trials = [
        Trial(name, 0, workload, 1, float(seconds), 1, "x", None, "made")
        for name, row in times.items()
        for workload, seconds in row.items()
    ]
    return from_times(time_table(trials, made, times), made, integration)


def scores(board):
    return {row.name: row.score for row in board.rows}


def states(board, submission):
    (row,) = (row for row in board.rows if row.name == submission)
    return {workload: cell.state for workload, cell in row.cells.items()}
