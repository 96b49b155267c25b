"""All checks together, and what one that cannot be made leaves of the others."""

from dataclasses import replace

import pytest
import tiny

from algoperf_lite import device_lock
from algoperf_lite.doctor import cache, device, diagnose, load
from algoperf_lite.errors import UsageError
from algoperf_lite.executors.inline import InlineExecutor
from tests.doctor.given import QUIET, READ, WHO, the


@pytest.fixture
def alone(only_tiny, monkeypatch):
    """An executor here, on a machine without accelerators or other load."""
    monkeypatch.setenv(device_lock.DIRECTORY, str(only_tiny.parent.parent / "locks"))
    monkeypatch.setattr(device, "accelerators", dict)
    monkeypatch.setattr(cache, "in_worker", lambda *_: READ)  # JAX knows one cache in a process
    monkeypatch.setattr(load, "gather", lambda gpus: replace(QUIET, holders=device_lock.holders()))
    return InlineExecutor(devices=1)


def test_all_is_asked_and_judged_with_the_worst_last(alone, tmp_path):
    found = diagnose([tiny.__file__], tmp_path / "r", executor=alone)
    assert found.fit, [f for f in found.findings if f.status == "problem"]
    checks = [finding.check for finding in found.findings]
    assert {"versions", "processor", "memory", "disk: home", "disk: results", "clock", "other load",
            "device", "device lock", "compile cache", "jitter", "speed", "speed: tiny", "data",
            } == set(checks) - {"extras"}  # fmt: skip
    severities = [("ok", "note", "warning", "problem").index(f.status) for f in found.findings]
    assert severities == sorted(severities)
    assert [one["stored"] for one in found.facts["worker_reference"]] == [None]
    assert not list((tmp_path / "calibration").glob("*"))  # nothing is kept that budgets come from
    assert device_lock.holders() == {}
    assert isinstance(found.facts["clock"], dict)


def test_a_device_in_use_is_left_alone(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(load, "gather", lambda gpus: replace(QUIET, holders={"cpu": WHO}))
    monkeypatch.setattr(alone, "call", None)  # not even asked
    found = diagnose(results=tmp_path, executor=alone)
    assert the(found.findings, "problem").check == "device lock"
    assert not found.fit


def test_one_that_is_in_use_beside_another_machine_is_not_timed(alone, tmp_path, monkeypatch):
    monkeypatch.setattr(device, "accelerators", lambda: {"AMD": 1})
    monkeypatch.setattr(device, "choices", lambda: {"JAX_PLATFORMS": "cpu"})
    monkeypatch.setattr(load, "gather", lambda gpus: replace(QUIET, holders={"cpu": WHO}))
    found = diagnose(results=tmp_path, executor=alone)
    assert the(found.findings, "problem").check == "device lock"
    assert "worker_speed" not in found.facts


def test_a_device_taken_at_the_last_moment_is_reported_once(alone, tmp_path, monkeypatch):
    def refuse(purpose):
        return device_lock.hold(["cpu"], purpose)

    def taken(path, device):
        raise device_lock.MachineError("cpu is in use: process 7. Wait for it.")

    monkeypatch.setattr(alone, "reserve", refuse)
    monkeypatch.setattr(device_lock, "_locked", taken)
    found = diagnose(results=tmp_path, executor=alone)
    problem = the(found.findings, "problem")
    assert (problem.found, problem.mend) == ("cpu is in use: process 7", "Wait for it.")
    assert [f.check for f in found.findings].count("device lock") == 1


def test_an_unknown_workload_is_a_usage_error(alone, tmp_path):
    with pytest.raises(UsageError, match="unknown workload"):
        diagnose(["nosuch"], tmp_path, executor=alone)


def test_a_broken_jax_is_a_problem_and_no_traceback(alone, tmp_path, monkeypatch):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "jax.py").write_text("raise RuntimeError('jaxlib is too old')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    found = diagnose(results=tmp_path)
    problem = the(found.findings, "problem")
    assert problem.check == "device"
    assert "jaxlib is too old" in problem.found
    assert "import jax" in problem.mend
    assert "compile cache" in [f.check for f in found.findings]  # the rest is told all the same
