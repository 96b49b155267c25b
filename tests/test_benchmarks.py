"""The benchmarks run and print what they promise; their figures are not judged here."""

import json
from pathlib import Path

import jax
import pytest
import tiny
from click.testing import CliRunner

from algoperf_lite import registry
from algoperf_lite.executors.describing import describe_workload
from algoperf_lite.loaded import LoadedWorkload
from benchmarks import (
    discrimination,
    mnist_mlp,
    optimizer_cost,
    overhead,
    trials,
    vectorize,
    workloads_page,
)
from submissions.nadamw import submission

KEYS = {"bare_s_per_step", "harness_s_per_step", "ratio"}


def test_the_overhead_of_a_workload(tiny_splits):
    found = overhead.compare(tiny.workload, tiny_splits, submission, rounds=2)
    assert set(found) >= KEYS
    assert all(found[key] > 0 for key in KEYS)


def test_both_loops_take_the_same_steps(tiny_splits):
    bare = overhead.BareLoop(tiny.workload, tiny_splits, submission)
    loaded = LoadedWorkload(tiny.workload, tiny_splits, jax.devices()[:1])
    harness = overhead.HarnessLoop(loaded, submission)
    for loop in (bare, harness):
        loop.run(10)
    assert int(bare.state[0]) == int(harness.carry.state.step) == 10
    assert (bare.order.window(0, 10) == harness.order.window(0, 10)).all()


def test_the_gain_of_points_in_one_program(tiny_splits):
    loaded = LoadedWorkload(tiny.workload, tiny_splits, jax.devices()[:1])
    found = vectorize.compare(loaded, submission, points=(2,), rounds=2)
    assert found["gain"]["2"] > 0
    assert set(found["s_per_step"]) == {"1", "2"}


def test_mnist_mlp_prints_json_under_its_name():
    done = CliRunner().invoke(mnist_mlp.main, ["--json", "--rounds", "1"])
    assert set(json.loads(done.stdout)["mnist_mlp"]) >= KEYS


def test_recorded_trials_are_summarised(tmp_path):
    base = {"workload": "w", "submission": "s", "seconds": 2.0, "peak_memory_bytes": 2**20,
            "robust_seconds": 2.0, "parameters": 7}  # fmt: skip
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
    assert (found["parameters"], found["ms_per_step"]) == (7, 200.0)


def test_the_best_point_of_a_grid_is_the_fastest_then_the_best(tmp_path):
    points = [("target_reached", 50, 0.1), ("target_reached", 30, 0.1), ("budget_exhausted", 90, 2)]
    for trial, (status, steps, final) in enumerate(points, start=1):
        write_point(tmp_path, "fast", trial, status, steps, final)
        write_point(tmp_path, "slow", trial, "budget_exhausted", 90, final + trial / 10)
    found = discrimination.summarise(tmp_path)["w"]
    best = found["fast"]["best"]
    assert (best["learning_rate"], best["steps"], best["final"]) == (2.0, 30, 0.1)
    assert found["fast"]["ms_per_step"] == pytest.approx(100)
    assert found["slow"]["best"]["steps"] is None
    assert found["slow"]["best"]["final"] == pytest.approx(0.2)
    assert len(found["slow"]["points"]) == 3


def write_point(results, method, trial, status, steps, final):
    directory = results / "w" / method / "study_0" / "w_jax" / f"trial_{trial}"
    directory.mkdir(parents=True)
    record = {
        "workload": "w", "submission": method, "status": status, "steps": steps,
        "target": {"metric": "loss", "value": 0.1, "direction": "minimize"},
        "hyperparameters": {"learning_rate": float(trial)}, "final": {"validation/loss": final},
        "robust_seconds": steps * (0.1 if method == "fast" else 0.3),
    }  # fmt: skip
    (directory / "trial.json").write_text(json.dumps(record))


@pytest.mark.parametrize("method", discrimination.METHODS)
def test_grids_are_eight_learning_rates_around_the_default(method):
    _, found, _ = registry.find_submission(str(discrimination.GRIDS / f"{method}.py"))
    rates = [point["learning_rate"] for point in found.search_space]
    assert len(rates) == 8
    assert rates[3] == found.default["learning_rate"]
    assert rates[-1] == 128 * rates[0]


def test_the_page_of_workloads_is_what_the_recorded_figures_say():
    root = Path(workloads_page.__file__).parents[1]
    figures = json.loads((root / "benchmarks/results/cpu_2_cores.json").read_text())
    assert (root / "docs/workloads.md").read_text() == workloads_page.render(figures)


def test_recorded_figures_are_of_the_workloads_as_they_are():
    """A workload that has changed must be measured again."""
    root = Path(workloads_page.__file__).parents[1]
    figures = json.loads((root / "benchmarks/results/cpu_2_cores.json").read_text())
    for name, recorded in figures["workloads"].items():
        assert describe_workload(name)["target"] == recorded["target"], name
        assert describe_workload(name)["fingerprint"] == recorded["fingerprint"], name


def test_the_cost_of_a_step_and_of_the_state(tiny_splits):
    loaded = LoadedWorkload(tiny.workload, tiny_splits, jax.devices()[:1])
    momentum = registry.find_submission("heavy_ball")[1]
    (found,) = optimizer_cost.compare_all(loaded, {"heavy_ball": momentum}, rounds=1)
    name, row = found
    assert name == "heavy_ball"
    assert row["ms_per_step"] > 0
    assert row["state_bytes"] == 4 * 58 + 4  # momentum of every parameter, and a count
