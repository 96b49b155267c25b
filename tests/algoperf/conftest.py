"""Trials of submissions in AlgoPerf's API.

Those in styles/ import what only stands in for AlgoPerf, so pytest has no business there.
"""

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jax
import pytest
import tiny

from algoperf_lite import environment, registry
from algoperf_lite.algoperf.program import HostProgram
from algoperf_lite.engine import Program
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.records import TrialRecorder, read_evaluations
from algoperf_lite.trial import Limits, Trial
from algoperf_lite.workload import Target

STYLES = Path(__file__).parent / "styles"

collect_ignore_glob = ["styles/*"]


@pytest.fixture(scope="session")
def never():
    """The tiny workload with a target that no trial reaches."""
    return replace(tiny.workload, target=Target("loss", -1.0, "minimize"))


@pytest.fixture(scope="session")
def load_workload(tiny_splits):
    """A function giving a tiny workload on some devices, compiled once a session."""
    loaded = {}

    def load(workload, devices=1):
        key = repr(workload), devices  # its hash would ask for that of a dictionary in it
        if key not in loaded:
            loaded[key] = LoadedWorkload(workload, tiny_splits, jax.devices()[:devices])
        return loaded[key]

    return load


@pytest.fixture
def style():
    """A function giving the selector of a submission in styles/, by its path there."""
    return lambda name: f"algoperf:{STYLES / name}.py"


@pytest.fixture
def make_host(load_workload, never):
    """A function giving the program of what a selector names, of either kind, on a workload."""

    def make(selector, workload=never, devices=1, **hp):
        _, submission, _ = registry.find_submission(selector)
        point = {**submission.default, **hp}
        loaded = load_workload(workload, devices)
        if selector.startswith("algoperf:"):
            return HostProgram(loaded, submission, point)
        return Program(loaded, submission, *submission.split_hyperparameters(point))

    return make


@pytest.fixture
def run(make_host, never, tmp_path, monkeypatch):
    """A function running a trial: its summary, evaluations and logged scalars."""
    monkeypatch.setattr(environment, "time_calibration_kernel", lambda: 0.1)  # of no concern here

    def run(selector, workload=never, steps=20, seed=0, program=None, devices=1, **hp):
        point = program.static if program else hp
        recorder = TrialRecorder(tmp_path / "trial", ["loss", "accuracy"], point, {})
        trial = Trial(
            lambda: program or make_host(selector, workload, devices, **hp),
            point, seed, Limits(steps=steps), recorder,
        )  # fmt: skip
        summary = recorder.finish(trial.run())
        rows = read_evaluations(tmp_path / "trial" / "eval_measurements.csv")
        logged = tmp_path / "trial" / "measurements.csv"
        lines = logged.read_text().splitlines() if logged.exists() else []
        return SimpleNamespace(
            summary=summary,
            steps=[int(row["global_step"]) for row in rows],
            losses=[row["validation/loss"] for row in rows],
            logged=list(csv.DictReader(lines)),
        )

    return run
