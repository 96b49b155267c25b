import json
import math
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
import toys

from algoperf_lite.records import TrialRecorder, read_evaluations
from algoperf_lite.submission import Finished
from algoperf_lite.trial import Limits, Trial
from algoperf_lite.workload import Target

NEVER = replace(tiny.workload, target=Target("loss", -1.0, "minimize"))


@pytest.fixture
def run(make_program, tmp_path):
    """Run a trial of a submission; returns its summary and the rows it wrote."""

    def run(submission, workload=tiny.workload, limits=None, seed=0, change=lambda p: p, **hp):
        limits = limits or Limits(steps=100)
        recorder = TrialRecorder(tmp_path / "trial", ["loss", "accuracy"], hp, {})
        events = []
        trial = Trial(
            lambda: change(make_program(submission, workload, **hp)),
            {**submission.default, **hp},
            seed,
            limits,
            recorder,
            events.append,
        )
        summary = trial.run()
        recorder.finish(summary)
        return summary, read_evaluations(tmp_path / "trial" / "eval_measurements.csv"), events

    return run


def test_the_trial_ends_at_the_first_evaluation_that_meets_the_target(run):
    summary, rows, events = run(toys.sgd)
    assert summary["status"] == "target_reached"
    assert [row["validation/loss"] <= 0.2 for row in rows] == [False] * (len(rows) - 1) + [True]
    assert [row["global_step"] for row in rows] == [10.0 * (i + 1) for i in range(len(rows))]
    assert summary["steps"] == rows[-1]["global_step"] == events[-1]["step"]
    assert summary["seconds"] == rows[-1]["score"] == rows[-1]["accumulated_submission_time"]
    assert rows[-2]["score"] < summary["interpolated_seconds"] <= rows[-1]["score"]


def test_test_and_train_splits_are_evaluated_at_the_end_only(run):
    summary, rows, _ = run(toys.sgd)
    assert all("test/loss" not in row and "train/loss" not in row for row in rows[:-1])
    assert {"test/loss", "train/loss", "test/accuracy"} <= set(rows[-1])
    assert summary["final"]["test/loss"] == rows[-1]["test/loss"]


def test_the_clock_has_its_segments_and_nothing_else(run):
    summary, rows, _ = run(toys.sgd)
    assert set(summary["clock"]) == {"data", "update", "eval_params", "on_eval"}
    on_clock = sum(summary["clock"].values())
    assert summary["seconds"] == pytest.approx(on_clock, abs=summary["clock"]["on_eval"])
    assert summary["off_clock"]["compile"] > 0
    assert summary["off_clock"]["wall"] > on_clock + summary["off_clock"]["evaluation"]
    assert summary["compiles_on_clock"] == {"count": 0, "seconds": 0.0}
    assert len(summary["window_seconds_per_step"]) == len(rows)


def test_same_seed_same_curve_to_the_bit(run):
    first, again, other = (run(toys.sgd, seed=seed)[1] for seed in (1, 1, 2))
    values = [[row["validation/loss"] for row in rows] for rows in (first, again, other)]
    assert values[0] == values[1] != values[2]


def test_max_steps_end_a_trial_even_between_evaluations(run):
    summary, rows, _ = run(toys.sgd, NEVER, Limits(steps=25))
    assert summary["status"] == "budget_exhausted"
    assert summary["reason"] == "25 of 25 steps taken"
    assert [row["global_step"] for row in rows] == [10, 20, 25]


def test_the_budget_ends_a_trial(run):
    summary, rows, _ = run(toys.sgd, NEVER, Limits(seconds=1e-9))
    assert summary["status"] == "budget_exhausted"
    assert len(rows) == 1


def test_a_target_met_after_the_budget_does_not_count(run):
    easy = replace(tiny.workload, target=Target("loss", 1e9, "minimize"))
    assert run(toys.sgd, easy, Limits(seconds=1e9))[0]["status"] == "target_reached"
    assert run(toys.sgd, easy, Limits(seconds=1e-9))[0]["status"] == "budget_exhausted"


def test_a_maximised_target(run):
    high = replace(tiny.workload, target=Target("accuracy", 0.9, "maximize"))
    summary, rows, _ = run(toys.sgd, high)
    assert summary["status"] == "target_reached"
    assert rows[-1]["validation/accuracy"] >= 0.9


def test_divergence_is_a_record(run):
    summary, rows, _ = run(toys.sgd, learning_rate=1e30)
    assert summary["status"] == "diverged"
    assert "step 10" in summary["reason"]
    assert math.isnan(rows[-1]["validation/loss"])


def test_an_exception_in_the_step_is_a_record_that_says_where(run):
    def update(state, batch, loss_fn, hp, task, key):
        raise RuntimeError("no luck")

    summary, rows, _ = run(toys.plain_sgd(update=update))
    assert summary["status"] == "error"
    assert summary["reason"].startswith("RuntimeError: no luck (")
    assert "test_trial.py" in summary["reason"]
    assert rows == []


def test_an_exception_on_the_host_keeps_the_rows_so_far(run):
    def on_eval(history, hp, task):
        if len(history) == 3:
            raise ValueError("third time")

    summary, rows, _ = run(toys.plain_sgd(on_eval=on_eval), NEVER)
    assert summary["status"] == "error"
    assert "third time" in summary["reason"]
    assert [row["global_step"] for row in rows] == [10, 20, 30]
    assert summary["steps"] == 30


def test_a_submission_may_end_its_trial(run):
    def on_eval(history, hp, task):
        raise Finished("nothing left to do")

    summary, rows, _ = run(toys.plain_sgd(on_eval=on_eval), NEVER)
    assert summary["status"] == "budget_exhausted"
    assert summary["reason"] == "ended by the submission: nothing left to do"
    assert "test/loss" in rows[-1]


def test_on_eval_sees_the_history_and_changes_a_number_without_a_compile(run):
    seen = []

    def on_eval(history, hp, task):
        seen.append((history[-1].step, history[-1].value, hp["learning_rate"]))
        return {"learning_rate": 0.0} if len(history) == 2 else None

    summary, rows, _ = run(toys.plain_sgd(on_eval=on_eval), NEVER, Limits(steps=50))
    assert [s[0] for s in seen] == [10, 20, 30, 40]
    assert [s[2] for s in seen] == [0.05, 0.05, 0.0, 0.0]
    losses = [row["validation/loss"] for row in rows]
    assert losses[0] != losses[1] == losses[2] == losses[4]
    assert summary["compiles_on_clock"]["count"] == 0


@pytest.mark.parametrize("changed", [{"kind": "b"}, {"typo": 1.0}])
def test_on_eval_cannot_change_structure(run, changed):
    submission = toys.plain_sgd(on_eval=lambda history, hp, task: changed)
    submission = replace(submission, default={**submission.default, "kind": "a"})
    summary, _, _ = run(submission, NEVER)
    assert summary["status"] == "error"
    assert "on_eval changed" in summary["reason"]


def test_on_eval_sees_the_scalars_and_they_are_recorded(run, tmp_path):
    seen = []

    def update(state, batch, loss_fn, hp, task, key):
        return state, {"loss": jnp.float32(0.5), "step_seen": state.step.astype(jnp.float32)}

    def on_eval(history, hp, task):
        seen.append(history[-1].scalars)

    run(toys.plain_sgd(update=update, on_eval=on_eval), NEVER, Limits(steps=20))
    assert seen == [{"loss": 0.5, "step_seen": 4.5}]
    lines = (tmp_path / "trial" / "measurements.csv").read_text().splitlines()
    assert lines[0].endswith("train_step/loss,train_step/step_seen")
    assert lines[2].endswith("0.5,14.5")


def test_an_undeclared_transfer_in_the_timed_loop_is_an_error(run):
    def sneaky(program):
        place = program.place
        program.place = lambda window: jax.tree.map(np.asarray, place(window))
        return program

    summary, rows, _ = run(toys.sgd, change=sneaky)
    assert summary["status"] == "error"
    assert "Disallowed host-to-device transfer" in summary["reason"]
    assert rows == []


def test_evaluation_parameters_come_from_the_submission(run):
    def zeros(state, hp, task):
        return jax.tree.map(jnp.zeros_like, state.params), state.model_state

    _, rows, _ = run(toys.plain_sgd(eval_params=zeros), NEVER, Limits(steps=20))
    assert [row["validation/loss"] for row in rows] == pytest.approx([math.log(2)] * 2)


def test_a_recompile_inside_the_loop_is_on_the_clock_and_reported(run):
    def on_eval(history, hp, task):
        jax.jit(lambda x: x + len(history))(jax.device_put(jnp.float32(0)))

    summary, rows, _ = run(toys.plain_sgd(on_eval=on_eval), NEVER, Limits(steps=30))
    assert summary["compiles_on_clock"]["count"] >= 2
    assert 0 < summary["compiles_on_clock"]["seconds"] <= summary["clock"]["on_eval"]
    assert rows[-1]["score"] > summary["clock"]["on_eval"]


def test_the_record_is_strict_json_and_names_its_facts(run, tmp_path):
    summary, _, _ = run(toys.sgd, learning_rate=1e30)
    text = (tmp_path / "trial" / "trial.json").read_text()
    stored = json.loads(text, parse_constant=pytest.fail)
    assert stored["schema"] == 1
    assert stored["status"] == "diverged"
    assert stored["final"]["validation/loss"] is None
    for fact in ("flops_per_step", "many_steps_per_dispatch", "peak_memory_bytes", "noisy"):
        assert stored[fact] == summary[fact] is not None
    assert (stored["calibration_kernel_seconds"], stored["drifted"]) == ([0.02, 0.02], False)


def test_a_trial_during_which_the_device_changed_its_speed_is_marked(run, monkeypatch):
    seconds = iter([0.02, 0.023])
    monkeypatch.setattr("algoperf_lite.environment.time_calibration_kernel", lambda: next(seconds))
    summary, _, _ = run(toys.sgd, limits=Limits(steps=10))
    assert (summary["calibration_kernel_seconds"], summary["drifted"]) == ([0.02, 0.023], True)


def test_hyperparameters_that_are_never_read_are_told(run):
    idle = replace(toys.sgd, default={"learning_rate": 0.05, "beta": 0.9, "kind": "a"})
    limits = Limits(steps=20)
    assert run(idle, limits=limits)[0]["unread_hyperparameters"] == ["beta", "kind"]
    assert run(toys.sgd, limits=limits)[0]["unread_hyperparameters"] == []


def test_what_on_eval_reads_is_read_and_unknown_until_it_was_called(run):
    def on_eval(history, hp, task):
        return {"learning_rate": hp["learning_rate"] * hp.get("factor")}

    submission = replace(
        toys.plain_sgd(on_eval=on_eval), default={"learning_rate": 0.05, "factor": 0.5, "x": 1.0}
    )
    assert run(submission, limits=Limits(steps=10))[0]["unread_hyperparameters"] == []
    assert run(submission, limits=Limits(steps=20))[0]["unread_hyperparameters"] == ["x"]
