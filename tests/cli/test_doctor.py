import json
import os

import pytest

from algoperf_lite import doctor
from algoperf_lite.doctor import Diagnosis, Finding

FINDINGS = (
    Finding("clock", "ok", "fine"),
    Finding("data", "note", "absent", "prepare it"),
    Finding("jitter", "warning", "50%", "wait"),
    Finding("memory", "problem", "none left", "buy [some]"),
)


@pytest.fixture
def finding(monkeypatch):
    """Let a diagnosis come to these findings."""

    def find(*findings):
        monkeypatch.setattr(doctor, "diagnose", lambda *_, **__: Diagnosis(findings, {"a": 1}))

    return find


def test_problems_exit_3_each_with_its_mend_and_come_last(cli, finding):
    finding(*FINDINGS)
    code, out, _ = cli("doctor")
    assert code == 3
    assert out.splitlines()[-1] == "not fit to time on: 1 problem, 1 warning"
    told = ["clock", "data", "prepare it", "jitter", "wait", "memory", "none left", "buy [some]"]
    assert [out.index(word) for word in told] == sorted(out.index(word) for word in told)


def test_warnings_exit_0(cli, finding):
    finding(*FINDINGS[:3], FINDINGS[2])
    code, out, _ = cli("doctor")
    assert code == 0
    assert out.splitlines()[-1] == "fit to time on, with 2 warnings"
    finding(FINDINGS[0])
    assert cli("doctor")[1].splitlines()[-1] == "fit to time on"


def test_json_says_the_same_and_has_the_facts(cli, finding):
    finding(*FINDINGS)
    code, out, _ = cli("doctor", "--json")
    assert code == 3
    said = json.loads(out)
    assert said["fit"] is False
    assert said["counts"] == {"ok": 1, "note": 1, "warning": 1, "problem": 1}
    assert said["checks"][3] == {
        "check": "memory", "status": "problem", "found": "none left", "mend": "buy [some]",
    }  # fmt: skip
    assert said["facts"] == {"a": 1}


def test_too_many_devices_are_a_usage_error(cli, finding, monkeypatch):
    code, _, err = cli("doctor", "--devices", "99")
    assert code == 2
    assert "--devices 99" in err


def test_this_machine_is_looked_at_in_a_process_of_its_own(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path / "home"))
    code, out, err = cli("doctor", "--json", "--devices", "1", "--results", tmp_path / "r")
    said = json.loads(out)
    assert code == (0 if said["fit"] else 3), err
    by_check = {c["check"]: c for c in said["checks"]}
    assert by_check["compile cache"]["status"] == "ok"
    assert "read back" in by_check["compile cache"]["found"]
    assert by_check["device lock"]["status"] == "ok"
    assert len(said["facts"]["worker_speed"]["seconds"]) == 20
    assert {d["state"] for d in said["facts"]["worker_data"]} == {"absent"}
    assert os.listdir(tmp_path / "home") == ["compiled"]  # looking makes nothing else
