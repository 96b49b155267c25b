"""The benchmarks run and print what they promise; their figures are not judged here."""

import json

import tiny
from click.testing import CliRunner

from benchmarks import mnist_mlp, overhead, trials
from submissions.nadamw import submission

KEYS = {"bare_s_per_step", "harness_s_per_step", "ratio"}


def test_the_overhead_of_a_workload(tiny_splits):
    found = overhead.compare(tiny.workload, tiny_splits, submission, rounds=2)
    assert set(found) >= KEYS
    assert all(found[key] > 0 for key in KEYS)


def test_both_loops_take_the_same_steps(tiny_splits):
    bare = overhead.BareLoop(tiny.workload, tiny_splits, submission)
    harness = overhead.HarnessLoop(tiny.workload, tiny_splits, submission)
    for loop in (bare, harness):
        loop.run(10)
    assert int(bare.state[0]) == int(harness.carry.state.step) == 10
    assert (bare.order.window(0, 10) == harness.order.window(0, 10)).all()


def test_mnist_mlp_prints_json_under_its_name():
    done = CliRunner().invoke(mnist_mlp.main, ["--json", "--rounds", "1"])
    assert set(json.loads(done.stdout)["mnist_mlp"]) >= KEYS


def test_recorded_trials_are_summarised(tmp_path):
    base = {"workload": "w", "submission": "s", "seconds": 2.0, "peak_memory_bytes": 2**20}
    base["off_clock"] = {"evaluation": 0.1, "compile": 3.0}
    for study, (status, steps) in enumerate(
        [("target_reached", 10), ("target_reached", 30), ("diverged", 5)]
    ):
        directory = tmp_path / "s" / f"study_{study}" / "w_jax" / "trial_1"
        directory.mkdir(parents=True)
        record = {"schema": 1, "status": status, "steps": steps}
        (directory / "trial.json").write_text(json.dumps(base | record))
    (found,) = trials.summarise_all(tmp_path)
    assert (found["trials"], found["reached"], found["steps_median"]) == (3, 2, 20)
    assert found["evaluation_share"] == 0.05
    assert found["peak_memory_mib"] == 1.0
