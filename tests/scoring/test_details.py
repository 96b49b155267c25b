"""Trials read whole."""

import json
import math

import numpy as np

from scoring.details import read_details
from scoring.reader import read_records
from tests.scoring.made_logs import MISS, hit, suite, write_trial

SUITE = suite(("a",))
RECORD = {
    "status": "target_reached",
    "seconds": 6.0,
    "flops_per_step": 1e6,
    "clock": {"update": 5.5, "data": 0.5},
    "hyperparameters": {"lr": 0.1},
    "environment": {"platform": "cpu"},
}


def details_of(root):
    (details,) = read_details(read_records(root, SUITE).trials, SUITE)
    return details


def test_a_trial_of_ours(tmp_path):
    path = write_trial(tmp_path, "s", "a", hit(5.0), record=RECORD)
    csv = path / "eval_measurements.csv"
    lines = csv.read_text().splitlines()
    lines = [lines[0] + ",accumulated_eval_time", lines[1] + ",0.25", lines[2] + ",0.75"]
    csv.write_text("\n".join(lines) + "\n")
    found = details_of(tmp_path)
    assert found.seconds.tolist() == [0.0, 5.0]
    assert found.steps.tolist() == [0.0, 10.0]
    assert found.metric.tolist() == [5.0, 0.9]
    assert (found.evaluation_seconds, found.on_clock, found.flops_per_step) == (0.75, 6.0, 1e6)
    assert (found.hyperparameters, found.environment) == ({"lr": 0.1}, {"platform": "cpu"})
    assert found.trial.time == 5.0


def test_a_trial_of_others(tmp_path):
    path = write_trial(tmp_path, "s", "a", MISS)
    (path / "hparams.json").write_text('{"lr": 0.3}')
    (path / "meta_data_0.json").write_text('{"os": "linux"}')
    found = details_of(tmp_path)
    assert (found.record, found.on_clock, found.flops_per_step) == ({}, 100.0, None)
    assert (found.hyperparameters, found.environment) == ({"lr": 0.3}, {"os": "linux"})
    assert found.evaluation_seconds is None


def test_what_is_unreadable_is_left_empty(tmp_path):
    path = write_trial(tmp_path, "s", "a", hit(5.0), record={"status": "error"})
    (path / "eval_measurements.csv").unlink()
    (path / "trial.json").write_text("{")
    (path / "hparams.json").write_text("[1]")
    found = details_of(tmp_path)
    assert [len(found.seconds), len(found.steps), len(found.metric)] == [0, 0, 0]
    assert (found.record, found.hyperparameters, found.environment) == ({}, {}, {})
    assert (found.on_clock, found.evaluation_seconds) == (None, None)


def test_entries_of_another_type_are_left_out_and_the_rest_is_kept(tmp_path):
    wrong = {
        "clock": {"update": "long"},
        "flops_per_step": True,
        "steps": "7",
        "noisy": 1,
        "host_loop": "yes",
        "calibration_kernel_seconds": [0.1, "x"],
        "peak_memory_bytes": 10**400,
    }
    write_trial(tmp_path, "s", "a", hit(5.0), record=RECORD | wrong)
    record = details_of(tmp_path).record
    assert not set(wrong) & set(record)
    assert (record["seconds"], record["status"]) == (6.0, "target_reached")


def test_numbers_that_are_not_finite_are_null(tmp_path):
    record = {**RECORD, "seconds": math.nan, "hyperparameters": {"lr": math.inf}}
    write_trial(tmp_path, "s", "a", hit(5.0), record=record)
    found = details_of(tmp_path)
    assert (found.on_clock, found.hyperparameters) == (5.0, {"lr": None})
    json.dumps(found.record, allow_nan=False)


def test_columns_of_others_that_lack_steps(tmp_path):
    csv = write_trial(tmp_path, "s", "a", MISS) / "eval_measurements.csv"
    csv.write_text(csv.read_text().replace("global_step", "step"))
    assert np.isnan(details_of(tmp_path).steps).all()


def test_tables_of_numbers_hold_numbers_alone(tmp_path):
    wrong = {"clock": {"update": 5.5, "eval_params": None, "on_eval": math.nan}, "off_clock": {}}
    write_trial(tmp_path, "s", "a", hit(5.0), record=RECORD | wrong)
    found = details_of(tmp_path)
    assert (found.record["clock"], found.record["off_clock"]) == ({"update": 5.5}, {})
