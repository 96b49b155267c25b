"""What a trial.json says, and what it cannot say."""

import json
import math

import pytest

from scoring.evaluations import MalformedError
from scoring.record import STATUSES, VOID_STATUSES, read_record, says
from scoring.walk import TrialPath
from tests.scoring.made_logs import suite

TARGET = suite(("a",)).base[0]
OWN = {"metric": "loss", "value": 1.0, "direction": "minimize"}
PLACE = {"study": 2, "workload": "a", "trial": 3}


def read(tmp_path, **record):
    made = {"schema": 1, "status": "target_reached", **record}
    (tmp_path / "trial.json").write_text(json.dumps(made))
    return read_record(TrialPath("s", 2, "a", 3, str(tmp_path)))


def test_logs_of_others_have_no_record(tmp_path):
    assert read_record(TrialPath("s", 2, "a", 3, str(tmp_path))) is None


def test_a_record_is_read_whole(tmp_path):
    made = {**PLACE, "budget_seconds": 3, "off_clock": {"compile": 0}, "reason": "why", "more": [1]}
    assert read(tmp_path, **made) == {"schema": 1, "status": "target_reached", **made}


def test_what_is_not_known_may_be_left_out_or_null(tmp_path):
    for key in ("study", "budget_seconds", "off_clock", "window_seconds_per_step", "target"):
        assert read(tmp_path, **{key: None})[key] is None


def test_every_status_that_a_trial_can_end_with_is_known(tmp_path):
    for status in STATUSES:
        assert read(tmp_path, status=status)["status"] == status
    assert {"error", "interrupted", "stopped"} <= VOID_STATUSES < STATUSES


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"schema": 2}, "has schema 2, this version reads 1; upgrade"),
        ({"schema": "1"}, "has schema '1', this version reads 1$"),
        ({"status": None}, "unknown status None"),
        ({"status": ["error"]}, "unknown status"),
        ({"budget_seconds": -1}, "has budget_seconds -1"),
        ({"budget_seconds": True}, "has budget_seconds True"),
        ({"budget_seconds": math.inf}, "has budget_seconds inf"),
        ({"timed": "no"}, "has timed 'no'"),
        ({"evaluations_sha256": 5}, "evaluations_sha256 that is no text"),
        ({"off_clock": {"compile": None}}, "a time that is no number"),
        ({"off_clock": {"compile": math.nan}}, "a time that is no number"),
        ({"off_clock": 3}, "has off_clock 3"),
        ({"window_seconds_per_step": [0.1, None]}, "a time that is no number"),
        ({"window_seconds_per_step": {"0": 1}}, "has window_seconds_per_step"),
        ({"target": 3}, "has target 3"),
        ({"study": 1}, "record of study 1, workload None, trial None, moved or copied here"),
        ({**PLACE, "workload": "b"}, "record of study 2, workload 'b', trial 3"),
    ],
)
def test_what_cannot_be_believed_is_refused(tmp_path, record, message):
    with pytest.raises(MalformedError, match=message):
        read(tmp_path, **record)


def test_what_cannot_be_opened_is_refused(tmp_path):
    (tmp_path / "trial.json").mkdir()
    with pytest.raises(MalformedError, match="cannot be read"):
        read_record(TrialPath("s", 2, "a", 3, str(tmp_path)))


@pytest.mark.parametrize(
    ("status", "own", "expected"),
    [
        ("target_reached", OWN, True),
        ("target_reached", OWN | {"value": 2.0}, None),
        ("target_reached", None, None),
        ("budget_exhausted", OWN, False),
        ("diverged", OWN, False),
        ("diverged", OWN | {"direction": "maximize"}, None),
        ("diverged", OWN | {"metric": "accuracy"}, None),
        ("diverged", None, False),
        ("error", OWN, None),
    ],
)
def test_whether_a_record_says_that_a_target_was_met(status, own, expected):
    assert says({"status": status, "target": own}, TARGET) is expected
    assert says(None, TARGET) is None
