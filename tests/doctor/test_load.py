"""What else computes, and who holds the device."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from algoperf_lite import environment
from algoperf_lite.doctor import load
from tests.doctor.given import GIB, QUIET, WHO, statuses, the

HOG = load.Running(77, "hog", 1.0)


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, "ok", "0.05 of 2 cores in use; load average 0.10 0.20 0.30"),
        ({"busy": 1.0, "top": (HOG,)}, "warning", "most by: 1.00 hog (process 77)"),
        ({"busy": 1.0}, "warning", "1.00 of 2 cores in use"),
        ({"stolen": 0.1}, "warning", "hypervisor gave 10%"),
        ({"on_gpus": (replace(HOG, takes=GIB),)}, "warning", "hog (process 77, 1.0 GiB)"),
        ({"on_gpus": (replace(HOG, takes=None),)}, "warning", "hog (process 77)"),
        ({"gpu_error": "no driver"}, "warning", "nvidia-smi: no driver"),
    ],
)
def test_other_load(change, status, told):
    assert told in the(load.judge(replace(QUIET, **change)), status).found


def test_a_process_that_computes_is_seen_and_named(monkeypatch):
    monkeypatch.setattr(load, "MOST_NAMED", 1000)  # other tests compute, too
    monkeypatch.setattr(load, "LEAST", 0.0)
    code = "import time\nt = time.monotonic()\nwhile time.monotonic() < t + 60: pass"
    hog = subprocess.Popen([sys.executable, "-c", code])
    try:
        facts = load.gather(gpus=False)
    finally:
        hog.kill()
        hog.wait()
    names = {p.pid: p.name for p in facts.top}
    assert names[hog.pid].startswith(f"{Path(sys.executable).name} -c import timet =")
    assert facts.busy > 0.1
    assert facts.cores == environment.host_threads()
    assert os.getpid() not in [p.pid for p in facts.top]


@pytest.mark.parametrize(
    ("script", "processes", "error"),
    [
        ("echo '12, /usr/bin/a, b, 300'; echo '13, evil\033[2J, [N/A]'; echo 'No running'",
         (load.Running(12, "/usr/bin/a, b", 300 * 2**20), load.Running(13, "evil[2J", None)), None),
        ("echo 'Driver/library version mismatch'; exit 18", (), "Driver/library version mismatch"),
        ("exec sleep 5", (), "no answer within 0.05 s"),
    ],
)  # fmt: skip
def test_nvidia_smi_is_asked(tmp_path, monkeypatch, script, processes, error):
    (tool := tmp_path / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(load, "PATIENCE_SECONDS", 0.05 if error and "answer" in error else 20)
    monkeypatch.setattr(load, "SAMPLE_SECONDS", 0.01)
    facts = load.gather(gpus=True)
    assert (facts.on_gpus, facts.gpu_error) == (processes, error)


def test_without_nvidia_smi_nothing_is_known_of_gpus(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(load, "SAMPLE_SECONDS", 0.01)
    assert load.gather(gpus=True).gpu_error is None


def test_who_holds_the_device_is_a_problem_and_of_another_device_a_note():
    facts = replace(QUIET, holders={"gpu-0": WHO})
    found = the(load.judge_lock(facts, ["gpu-0", "gpu-1"]), "problem")
    assert "gpu-0: process 7 times trials on it since 2026-01-01T10:00" in found.found
    assert "--untimed" in found.mend
    assert statuses(load.judge_lock(facts, ["gpu-1"])) == ["note"]
    assert statuses(load.judge_lock(facts, None)) == ["problem"]
    assert statuses(load.judge_lock(QUIET, ["gpu-0"])) == ["ok"]
