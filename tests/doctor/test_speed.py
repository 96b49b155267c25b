"""The device's speed: steady, and as calibrated."""

import pytest

from algoperf_lite.doctor import speed
from tests.doctor.given import statuses, the, write


def kernel(seconds, stored=(0.01, 0.01), unreadable=()):
    return {"seconds": seconds, "stored": list(stored), "unreadable": list(unreadable)}


def test_a_steady_device_of_the_calibrated_speed_is_ok():
    assert statuses(speed.judge(kernel([0.0100, 0.0101, 0.0102]))) == ["ok", "ok"]


def test_jitter_is_a_warning_with_the_variation():
    found = the(speed.judge(kernel([0.005, 0.01, 0.015])), "warning")
    assert "vary by 50% (coefficient of variation of 3; 5.0 to 15.0 ms)" in found.found


@pytest.mark.parametrize(("factor", "status"), [(1.2, "warning"), (0.8, "warning"), (1.05, "ok")])
def test_a_device_of_another_speed_is_a_warning(factor, status):
    _, found = speed.judge(kernel([factor * 0.01] * 3))
    assert found.status == status
    assert f"{factor:.2f} times what it took at 2 calibrations" in found.found


def test_without_a_calibration_there_is_a_note_with_the_command():
    found = the(speed.judge(kernel([0.01] * 3, stored=())), "note")
    assert "algoperf-lite calibrate" in found.mend


def test_a_calibration_that_cannot_be_read_is_a_problem():
    found = the(speed.judge(kernel([0.01] * 3, unreadable=["x.json: not JSON"])), "problem")
    assert found.found == "x.json: not JSON"


def test_calibrations_of_this_device_alone_are_compared(tmp_path, monkeypatch):
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path))
    kernels = '"calibration_kernel_seconds": [0.01, 0.03]'
    write(tmp_path, calibration__aDOTjson=f'{{"environment": {{"platform": "cpu"}}, {kernels}}}',
          calibration__bDOTjson='{"environment": {"platform": "gpu"}}',
          calibration__cDOTjson="{", calibration__dDOTjson="{}")  # fmt: skip
    facts = speed.in_worker([], {"platform": "cpu"})
    assert facts["stored"] == [0.02]
    assert len(facts["seconds"]) == speed.REPEATS
    assert len(facts["unreadable"]) == 1


@pytest.mark.parametrize(
    ("stored", "status", "told"),
    [
        (0.002, "ok", "1.00 times the 2.000 ms"),
        (0.001, "warning", "2.00 times"),
        (None, "note", "no calibration is stored"),
    ],
)
def test_the_reference_is_compared_with_its_calibration(stored, status, told):
    found = the([speed.judge_reference("tiny", stored, 0.002)], status)
    assert told in found.found
    assert status == "ok" or "calibrate" in found.mend
