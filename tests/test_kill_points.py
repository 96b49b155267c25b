"""A study that is killed again and again comes to the records of one that never was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import kill_points

KILLS = 100
ROOT = Path(__file__).parent.parent
WITHIN_SECONDS = 600


@pytest.fixture(scope="module")
def told():
    """What a campaign of kills tells. It forks, which a process that has used JAX must not."""
    command = [sys.executable, "-m", "benchmarks.kill_points", "--kills", str(KILLS), "--json"]
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True,
                         timeout=WITHIN_SECONDS, check=False)  # fmt: skip
    assert run.stdout, run.stderr
    print(run.stdout)
    return json.loads(run.stdout)


def test_no_record_differs_and_no_trial_is_lost(told):
    assert told["kills"] == KILLS
    assert told["differing"] == []
    assert told["trials"] == told["studies"] * kill_points.STUDY["trials"] > 0


def test_kills_fell_everywhere(told):
    assert {"compiling", "training", "saving a checkpoint"} <= set(told["phases"])
    assert len(told["phases"]) >= 6
    assert len(told["trials_ended"]) >= 4


def test_trials_went_on_from_checkpoints(told):
    assert told["resumed"] > 0


@pytest.fixture
def results(tmp_path):
    """A record as `kill_points.content` reads them."""
    trial = tmp_path / "results" / "trial_1"
    (trial / "checkpoint" / "5").mkdir(parents=True)
    (trial / "checkpoint" / "5" / "file").write_text("1")
    (trial / "trial.json").write_text(json.dumps({"seconds": 1.0, "steps": 5}))
    (trial / "eval_measurements.csv").write_text("global_step,score,loss\n5,0.1,0.25\n")
    return tmp_path / "results"


def test_what_is_compared_is_all_but_times(results):
    assert kill_points.content(results) == {
        "trial_1/trial.json": {"steps": 5},
        "trial_1/eval_measurements.csv": [{"global_step": "5", "loss": "0.25"}],
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("trial.json", '{"steps": 6}'),
        ("eval_measurements.csv", "global_step,score,loss\n5,0.1,0.250000001\n"),
        ("eval_measurements.csv", "global_step,score,loss\n5,0.1,0.25\n5,0.1,0.25\n"),
        ("stray.json", "{}"),
    ],
)
def test_what_differs_is_seen(results, file, text):
    before = kill_points.content(results)
    (results / "trial_1" / file).write_text(text)
    assert kill_points.content(results) != before
