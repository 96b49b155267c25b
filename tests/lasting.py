"""What of a record and its curve is the same whenever, and beside whatever, a trial runs."""

from algoperf_lite.records import EVALUATIONS_FILE

TIMES = {
    "accumulated_eval_time",
    "accumulated_submission_time",
    "score",
    "total_duration",
}
OF_THE_MOMENT = {
    "calibration_kernel_seconds",
    "clock",
    "compiles_on_clock",
    "contention",
    "drifted",
    "evaluations_sha256",
    "final",
    "interpolated_seconds",
    "noisy",
    "off_clock",
    "peak_memory_bytes",
    "robust_seconds",
    "seconds",
    "window_seconds_per_step",
}


def lasting(record):
    """A trial.json without what differs from run to run."""
    return {key: value for key, value in record.items() if key not in OF_THE_MOMENT}


def curve(results, record, workload="tiny"):
    """The rows of a trial's evaluations without times; text, so that equal means every bit."""
    study = results / record["submission"] / f"study_{record['study']}"
    file = study / f"{workload}_jax" / f"trial_{record['trial']}" / EVALUATIONS_FILE
    head, *lines = file.read_text().splitlines()
    rows = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]
