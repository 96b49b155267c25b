"""Trials that go on from a checkpoint come to the records of those that were not interrupted."""

import copy
import csv
import json
from dataclasses import replace
from itertools import pairwise

import jax
import numpy as np
import pytest
import tiny
import toys

import algoperf_lite
from algoperf_lite import checkpoints, dataset, registry
from algoperf_lite.checkpoints import Checkpoints
from algoperf_lite.clock import Clock
from algoperf_lite.engine import Program
from algoperf_lite.errors import MachineError
from algoperf_lite.executors.inline import InlineExecutor
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.records import TrialRecorder
from algoperf_lite.trial import Limits, Trial
from algoperf_lite.workload import Target
from benchmarks.kill_points import content

NEVER = replace(tiny.workload, target=Target("loss", -1.0, "minimize"))
STEPS = 50


class Everything(toys.PlainSgd):
    """A typed key in its state, a rate that `on_eval` changes, a hyperparameter only it reads."""

    def init(self, params, hp, task, key):
        return {"steps": super().init(params, hp, task, key)["steps"], "key": key}

    def update(self, state, batch, loss_fn, hp, task, key):
        own, noise = jax.random.split(state.opt_state["key"])
        new, scalars = super().update(state, batch, loss_fn, hp, task, key)
        params = jax.tree.map(lambda p: p + 1e-3 * jax.random.normal(noise, p.shape), new.params)
        opt_state = new.opt_state | {"key": own}
        return new.replace(params=params, opt_state=opt_state), scalars

    def on_eval(self, history, hp, task):
        rate = hp["learning_rate"] * np.float32(hp["factor"])  # a number of NumPy, to be kept so
        return {"learning_rate": rate * history[-1].value / history[0].value}


EVERYTHING = Everything(default={"learning_rate": 0.05, "factor": 0.7, "unread": 1.0})
DROPPING = replace(NEVER, model=tiny.Net(dropout=0.2, batch_norm=True))


@pytest.fixture(scope="module")
def make(tiny_splits, home):
    """A function giving a compiled program, data streamed or not, on some devices."""

    def make(submission, workload=NEVER, devices=1, streamed=False):
        splits = tiny_splits
        if streamed:
            splits = dataset.load(workload.dataset, home / "data", most_train_bytes=0)
        loaded = LoadedWorkload(workload, splits, jax.devices()[:devices])
        static, traced = submission.split_hyperparameters(submission.default)
        return Program(loaded, submission, static, traced)

    return make


@pytest.fixture
def run(tmp_path):
    """Run a trial, perhaps up to a row; returns what its record says, and what it notified."""

    def run(name, program, stop_at=None, limits=None, timed=True, **of_trial):
        directory, events = tmp_path / name / "trial", []

        def notify(event):
            events.append(event)
            if stop_at is not None and event.get("step") == stop_at:
                raise KeyboardInterrupt

        kept = Checkpoints(directory / "checkpoint", {"seed": 0}, notify)
        recorder = TrialRecorder(directory, ["loss", "accuracy"], {}, {})
        trial = Trial(lambda: program, dict(program.submission.default), 0,
                      limits or Limits(steps=STEPS), recorder, notify, timed=timed,
                      **{"checkpoints": kept} | of_trial)  # fmt: skip
        if stop_at is not None:
            with pytest.raises(KeyboardInterrupt):
                trial.run()
            return None, events
        summary = trial.run()
        recorder.finish(summary)
        kept.remove()
        return summary, events

    return run


def interrupted(run, program, *stops, **kwargs):
    """The summaries of a trial left alone, and of one interrupted at some rows."""
    read = set(program.read)
    whole, _ = run("whole", program, **kwargs)
    for stop in stops:
        run("resumed", program, stop, **kwargs)
        program.read.intersection_update(read)  # as compiling it anew would leave it
    resumed, _ = run("resumed", program, **kwargs)
    return whole, resumed


def same_records(tmp_path):
    whole, resumed = content(tmp_path / "whole"), content(tmp_path / "resumed")
    assert whole == resumed
    assert [row["global_step"] for row in whole["trial/eval_measurements.csv"]] == [
        str(step) for step in range(10, STEPS + 1, 10)
    ]
    assert len(whole["trial/measurements.csv"]) == STEPS // 10


CASES = {
    "dropout, batch norm, two devices": lambda make: make(EVERYTHING, DROPPING, devices=2),
    "autolrs": lambda make: make(registry.find_submission("autolrs")[1]),
    "on_plateau": lambda make: make(registry.find_submission("on_plateau[patience=1]")[1]),
    "streamed": lambda make: make(EVERYTHING, streamed=True),
}


@pytest.mark.parametrize("case", CASES)
def test_the_curve_goes_on_to_the_bit(case, make, run, tmp_path):
    program = CASES[case](make)
    whole, resumed = interrupted(run, program, 30)
    same_records(tmp_path)
    assert resumed["resumed_at"] == [20]
    assert "resumed_at" not in whole
    assert resumed["final"] == whole["final"]


@pytest.fixture(scope="module")
def program(make):
    return make(EVERYTHING)


def test_it_may_be_interrupted_often(program, run, tmp_path):
    _, resumed = interrupted(run, program, 10, 30, 30, 50)
    same_records(tmp_path)
    assert resumed["resumed_at"] == [20, 40]
    with (tmp_path / "resumed/trial/eval_measurements.csv").open() as file:
        assert [row["preemption_count"] for row in csv.DictReader(file)] == [
            "0",
            "0",
            "1",
            "1",
            "2",
        ]


def test_what_was_read_before_the_interruption_counts_as_read(program, run, monkeypatch):
    monkeypatch.setattr(program, "read", set())
    run("resumed", program, 30)
    assert program.read == {"learning_rate", "factor"}
    program.read.clear()
    monkeypatch.setattr(program.submission, "on_eval", lambda *_: None, raising=False)
    summary, _ = run("resumed", program)
    assert summary["unread_hyperparameters"] == ["unread"]


def test_the_clock_goes_on_and_has_no_checkpoint_on_it(program, run, tmp_path, monkeypatch):
    on_clock, saved = [], []
    measure, save = Clock.measure, Checkpoints.save

    def noted_measure(self, segment, *args, **kwargs):
        on_clock.append(segment)
        try:
            return measure(self, segment, *args, **kwargs)
        finally:
            on_clock.pop()

    def noted_save(self, step, state, kept):
        saved.append((step, list(on_clock), copy.deepcopy(kept["run"]["clock"])))
        save(self, step, state, kept)

    monkeypatch.setattr(Clock, "measure", noted_measure)
    monkeypatch.setattr(Checkpoints, "save", noted_save)
    _, resumed = interrupted(run, program, 30)
    saved = saved[4:]  # of the interrupted one
    assert [step for step, _, _ in saved] == [10, 20, 30, 40]
    assert all(segments == [] for _, segments, _ in saved)
    assert set(resumed["clock"]) == {"data", "update", "eval_params", "on_eval"}
    for (_, _, before), (_, _, after) in pairwise(saved):
        assert after["windows"][: len(before["windows"])] == before["windows"]
        assert all(
            after["segments"][name] > seconds for name, seconds in before["segments"].items()
        )
    assert len(resumed["window_seconds_per_step"]) == STEPS // 10
    assert resumed["seconds"] >= sum(resumed["window_seconds_per_step"]) * 10
    with (tmp_path / "resumed/trial/eval_measurements.csv").open() as file:
        rows = list(csv.DictReader(file))
    for column in ("score", "total_duration", "accumulated_eval_time", "accumulated_logging_time"):
        seconds = [float(row[column]) for row in rows]
        assert sorted(seconds) == seconds, column
    assert resumed["off_clock"]["checkpoints"] > 0


def test_a_trial_without_a_clock_goes_on_too(program, run, tmp_path):
    _, resumed = interrupted(run, program, 30, timed=False)
    same_records(tmp_path)
    assert (resumed["resumed_at"], resumed["timed"], resumed["seconds"]) == ([20], False, None)


def test_a_trial_that_ends_leaves_no_checkpoint_at_its_end(program, run, monkeypatch):
    saved = []
    monkeypatch.setattr(Checkpoints, "save", lambda self, step, *rest: saved.append(step))
    run("whole", program, limits=Limits(steps=25))
    assert saved == [10, 20]


def test_without_checkpoints_nothing_of_them_is_there(program, run, tmp_path):
    summary, _ = run("whole", program, checkpoints=None)
    assert summary["off_clock"]["checkpoints"] == 0.0
    assert not (tmp_path / "whole/trial/checkpoint").exists()


def test_a_damaged_checkpoint_starts_the_trial_over_and_is_told(program, run, tmp_path):
    run("whole", program)
    run("resumed", program, 30)
    next((tmp_path / "resumed").rglob("manifest.ocdbt")).write_bytes(b"")
    summary, events = run("resumed", program)
    same_records(tmp_path)
    assert "resumed_at" not in summary
    assert any("starting over" in event.get("doing", "") for event in events)


def test_a_full_disk_ends_the_run_and_not_the_trial(program, run, tmp_path, monkeypatch):
    def full(path, packed, about):
        if path.name == "30":
            raise OSError(28, "No space left on device")
        write(path, packed, about)

    write = checkpoints._write
    run("whole", program)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "_write", full)
        with pytest.raises(MachineError, match="checkpoint/30: No space left"):
            run("resumed", program)
    summary, _ = run("resumed", program)
    same_records(tmp_path)
    assert summary["resumed_at"] == [20]


@pytest.fixture(scope="module")
def executor():
    return InlineExecutor(devices=1)


@pytest.fixture
def study(executor, tmp_path):
    """Run one trial of a study, perhaps up to a row."""
    path = tmp_path / "slow.py"
    path.write_text("import toys\nsubmission = toys.sgd.fix({'learning_rate': 1e-4})\n")

    def study(stop_at=None, error=KeyboardInterrupt, results="r", **kwargs):
        events = []

        def observe(event):
            events.append(event)
            if stop_at is not None and event.get("step") == stop_at:
                raise error

        kwargs = {"checkpoint": True, "quick": True, "max_steps": STEPS} | kwargs
        call = lambda: algoperf_lite.run(  # noqa: E731
            [tiny.__file__], [str(path)], tmp_path / results, executor=executor, observe=observe,
            **kwargs,
        )  # fmt: skip
        if stop_at is None:
            return call().trials[0]
        with pytest.raises(error):
            call()
        return None

    return study


def trial_files(tmp_path):
    (directory,) = (tmp_path / "r").glob("*/study_0/*/trial_1")
    return directory


def test_an_interrupted_trial_goes_on_with_the_same_command(study, tmp_path):
    whole = study(results="whole")
    study(30)
    directory = trial_files(tmp_path)
    assert json.loads((directory / "trial.json").read_text())["status"] == "interrupted"
    resumed = study()
    assert resumed["resumed_at"] == [20]
    assert content(tmp_path / "r") == content(tmp_path / "whole")
    assert resumed["final"] == whole["final"]
    assert not (directory / "checkpoint").exists()


def test_a_trial_that_is_to_leave_no_checkpoints_uses_none(study, tmp_path):
    study(30)
    assert "resumed_at" not in study(checkpoint=False)
    assert not (trial_files(tmp_path) / "checkpoint").exists()


def test_a_trial_that_failed_starts_over(study, tmp_path, monkeypatch):
    study(30)
    path = trial_files(tmp_path) / "trial.json"
    path.write_text(path.read_text().replace('"interrupted"', '"error"'))  # as of a lost worker
    assert study()["status"] == "error"
    retried = study(retry_failed=True)
    assert (retried["status"], "resumed_at" in retried) == ("budget_exhausted", False)


def test_another_limit_is_another_trial(study, tmp_path):
    study(30, studies=1)
    (tmp_path / "r/suite.json").unlink()
    (trial_files(tmp_path) / "trial.json").unlink()
    longer = study(max_steps=STEPS + 10)
    assert (longer["steps"], "resumed_at" in longer) == (STEPS + 10, False)


def test_a_crash_between_record_and_removal_harms_nothing(study, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "remove", lambda self: None)
        first = study()
    assert (trial_files(tmp_path) / "checkpoint").exists()
    assert study() == first
