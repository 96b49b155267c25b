import csv
import errno
import json
import os
import threading

import pytest

from algoperf_lite import records
from algoperf_lite.errors import MachineError, UsageError

ALGOPERF_HEADER = (
    "accumulated_eval_time,accumulated_logging_time,accumulated_submission_time,global_step,"
    "preemption_count,score,test/accuracy,test/loss,test/num_examples,total_duration,"
    "train/accuracy,train/loss,validation/accuracy,validation/loss,validation/num_examples"
)


@pytest.fixture
def recorder(tmp_path):
    return records.TrialRecorder(tmp_path / "t", ["loss", "accuracy"], {"lr": 0.1}, {})


def test_columns_are_algoperfs_in_its_order(recorder):
    header = (recorder.directory / "eval_measurements.csv").read_text().strip()
    assert header == ALGOPERF_HEADER


def test_rows_are_readable_as_soon_as_they_are_written(recorder):
    recorder.evaluation({"global_step": 10, "validation/loss": 0.5})
    rows = records.read_evaluations(recorder.directory / "eval_measurements.csv")
    assert rows == [{"global_step": 10.0, "validation/loss": 0.5}]


def test_an_unknown_column_is_an_error(recorder):
    with pytest.raises(ValueError, match=r"no such columns: \['val/loss'\]"):
        recorder.evaluation({"val/loss": 1})


def test_a_csv_cut_in_mid_line_reads_up_to_the_cut(recorder):
    for step in (10, 20):
        recorder.evaluation({"global_step": step, "validation/loss": 0.5})
    path = recorder.directory / "eval_measurements.csv"
    path.write_text(path.read_text()[:-5])
    assert [row["global_step"] for row in records.read_evaluations(path)] == [10.0]


def test_a_number_cut_short_is_not_read_as_another_number(recorder):
    for loss in (0.5, 0.2345):
        recorder.evaluation({"validation/loss": loss, "validation/num_examples": 50})
    path = recorder.directory / "eval_measurements.csv"
    path.write_text(path.read_text()[:-2])
    rows = records.read_evaluations(path)
    assert rows == [{"validation/loss": 0.5, "validation/num_examples": 50.0}]


def test_json_is_written_whole_and_without_nan(tmp_path):
    path = tmp_path / "a" / "x.json"
    records.write_json(path, {"a": float("nan"), "b": [float("inf"), 1.5]})
    assert json.loads(path.read_text()) == {"a": None, "b": [None, 1.5]}
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    records.write_json(path, {"a": 1})

    def full(fd):  # fmt: skip
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)  # fmt: skip
    with pytest.raises(MachineError, match=r"cannot write .*No space left"):
        records.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}


def test_an_unfinished_record_is_replaced(recorder):
    recorder.evaluation({"global_step": 10})
    (recorder.directory / "stray").write_text("x")
    again = records.TrialRecorder(recorder.directory, ["loss"], {}, {})
    assert not (again.directory / "stray").exists()
    assert records.read_evaluations(again.directory / "eval_measurements.csv") == []


def test_what_a_trial_may_go_on_from_is_not_replaced(recorder):
    (recorder.directory / "checkpoint" / "10").mkdir(parents=True)
    (recorder.directory / "stray").mkdir()
    (recorder.directory / "trial.json").write_text('{"status": "interrupted"}')
    recorder.evaluation({"global_step": 10})
    again = records.TrialRecorder(recorder.directory, ["loss"], {}, {})
    assert (again.directory / "checkpoint" / "10").exists()
    left = {path.name for path in again.directory.iterdir()}
    assert left == {"checkpoint", "eval_measurements.csv", "hparams.json", "meta_data_0.json"}
    assert records.read_evaluations(again.directory / "eval_measurements.csv") == []


def test_rows_come_back_as_they_were_and_more_can_follow(recorder):
    recorder.evaluation({"global_step": 10, "validation/loss": 0.1 + 0.2})
    recorder.measurement({"global_step": 10, "train_step/loss": 0.7})
    rows = recorder.rows()
    recorder.evaluation({"global_step": 20})
    recorder.measurement({"global_step": 20})
    again = records.TrialRecorder(recorder.directory, ["loss", "accuracy"], {}, {})
    again.restore(rows)
    assert again.rows() == rows
    again.evaluation({"global_step": 30})
    again.measurement({"global_step": 30})
    texts = again.rows()
    assert set(texts) == {"eval_measurements.csv", "measurements.csv"}
    for name, text in texts.items():
        assert text.startswith(rows[name])
        assert [row["global_step"] for row in csv.DictReader(text.splitlines())] == ["10", "30"]


def test_rows_before_the_first_come_back_too(recorder):
    rows = recorder.rows()
    recorder.evaluation({"global_step": 10})
    recorder.restore(rows)
    assert recorder.rows() == rows


def test_a_directory_that_cannot_be_made_is_a_machine_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match=r"choose another place .--results"):
        records.TrialRecorder(tmp_path / "file" / "t", ["loss"], {}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "expected a JSON object"),
        ('{"schema": 99}', "schema 99 is newer than 1"),
        ('{"schema": {}}', "schema {} is no whole number"),
    ],
)
def test_unreadable_json_is_refused_with_the_reason(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        records.read_json(path)


def test_a_missing_json_is_none(tmp_path):
    assert records.read_json(tmp_path / "x.json") is None


def test_measurements_hold_training_scalars(recorder):
    recorder.measurement({"global_step": 10, "train_step/loss": 0.7})
    with (recorder.directory / "measurements.csv").open() as file:
        assert next(csv.DictReader(file))["train_step/loss"] == "0.7"


def test_writers_of_one_file_do_not_meet(tmp_path, monkeypatch):
    path, sync, inner = tmp_path / "x.json", os.fsync, [{"by": "second"}]

    def another_writes_meanwhile(descriptor):
        if inner:
            other = threading.Thread(target=records.write_json, args=(path, inner.pop()))
            other.start()
            other.join()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", another_writes_meanwhile)
    records.write_json(path, {"by": "first"})
    assert json.loads(path.read_text()) == {"by": "first"}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_what_could_not_be_written_whole_is_not_left_behind(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match=r"cannot write .*x\.json: No space left"):
        records.write_json(tmp_path / "x.json", {})
    assert list(tmp_path.iterdir()) == []
