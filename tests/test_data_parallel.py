"""The same trial on 1, 2 and 4 devices: the batch is divided, the curve stays.

Of points in one program `test_vectorized` says so, of streamed data and evaluation `test_streaming`
and `test_evaluation` say more.
"""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny
import toys

from algoperf_lite import dataset
from algoperf_lite.cli import invoke
from algoperf_lite.engine import Program
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.records import TRIAL_FILE, TrialRecorder, read_json, trial_directory
from algoperf_lite.trial import Limits, Trial
from algoperf_lite.verifying.comparing import read_curve
from algoperf_lite.workload import Target
from submissions.sam import submission as sam

STEPS = 30
METRICS = ["loss", "accuracy"]
TINY = tiny.__file__


def uneven_loss(outputs, targets, label_smoothing=0.0):
    """Per-token losses of sequences: here class 0 has one token, class 1 has five."""
    sums, counts = tiny.workload.loss(outputs, targets, label_smoothing=label_smoothing)
    tokens = 1.0 + 4.0 * targets
    return sums * tokens, counts * tokens


# 50 and 30 rows are evaluated in batches of 20: each split has a ragged last one
WORKLOAD = replace(tiny.workload, target=Target("loss", -1.0, "minimize"), loss=uneven_loss)


def hardest_half(state, batch, loss_fn, hp, task, key):
    """SGD on the examples of the batch that have the larger losses."""

    def loss_of(params):
        losses, model_state = loss_fn(params, state.model_state, batch, key, per_example=True)
        chosen = jax.lax.stop_gradient(losses >= jnp.median(losses))
        return jnp.where(chosen, losses, 0).sum() / chosen.sum(), model_state

    (loss, model_state), grads = jax.value_and_grad(loss_of, has_aux=True)(state.params)
    params = jax.tree.map(lambda p, g: p - hp["learning_rate"] * g, state.params, grads)
    return state.replace(params=params, model_state=model_state), {"loss": loss}


def drawn_anew(indices, state, hp, task, key):
    return jax.random.randint(key, indices.shape, 0, task.num_train_examples, jnp.int32)


CHOOSY = toys.plain_sgd(update=hardest_half, select=drawn_anew)


CASES = {
    # Two gradients. No batch norm: the gradient of a bias before it is rounding errors, of which
    # Adam makes steps as long as any, so that the running averages, if not the losses, do differ.
    "streamed": (replace(WORKLOAD, model=tiny.Net(dropout=0.3)), sam),
    "choosy": (replace(WORKLOAD, model=tiny.Net(dropout=0.3, batch_norm=True)), CHOOSY),
}


@pytest.fixture(scope="module")
def load(home, tiny_splits):
    """A function that puts a workload on some devices."""
    streamed = dataset.load(tiny.workload.dataset, home / "data", most_train_bytes=0)

    @cache
    def load(name, devices):
        splits = streamed if name == "streamed" else tiny_splits
        return LoadedWorkload(CASES[name][0], splits, jax.devices()[:devices])

    with pytest.MonkeyPatch.context() as patch:  # which takes longer than a trial here
        patch.setattr("algoperf_lite.environment.time_calibration_kernel", lambda: 0.02)
        yield load


@pytest.fixture(scope="module")
def curve(load, tmp_path_factory):
    """A function that runs a whole trial on some devices: its program, and what it measured."""

    @cache
    def run(name, devices):
        submission = CASES[name][1]
        hp = {**submission.default, "learning_rate": 0.3}
        static, traced = submission.split_hyperparameters(hp)
        program = Program(load(name, devices), submission, static, traced)
        recorder = TrialRecorder(tmp_path_factory.mktemp("trial"), METRICS, hp, {})
        summary = Trial(lambda: program, hp, 3, Limits(steps=STEPS), recorder).run()
        assert summary["status"] == "budget_exhausted", summary["reason"]
        return program, read_curve(recorder.directory)

    return run


def losses(rows):
    return np.array([v for row in rows for k, v in row.items() if k.endswith("/loss")])


def assert_same_curve(one, several):
    assert [row.keys() for row in one] == [row.keys() for row in several]
    assert np.abs(losses(one) - losses(several)).max() <= 1e-5
    assert {k: v for k, v in one[-1].items() if "accuracy" in k} == {
        k: v for k, v in several[-1].items() if "accuracy" in k
    }


@pytest.mark.parametrize(("name", "devices"), [("streamed", 2), ("choosy", 4)])
def test_a_trial_has_the_same_curve(curve, name, devices):
    _, one = curve(name, 1)
    program, several = curve(name, devices)
    assert len(one) == 3
    assert len(set(losses(one))) == len(losses(one))  # it does learn
    assert program.loaded.data.streamed == (name == "streamed")
    assert_same_curve(one, several)


def test_the_work_is_divided_and_not_repeated(curve):
    alone, divided = (curve("choosy", devices)[0]._compiled_steps for devices in (1, 4))
    assert "all-reduce" not in alone.as_text()
    assert "all-reduce" in divided.as_text()
    assert divided.cost_analysis()["flops"] < 0.6 * alone.cost_analysis()["flops"]


@pytest.mark.parametrize(("name", "devices"), [("streamed", 2), ("choosy", 4)])
def test_the_same_parameters_are_evaluated_alike(load, name, devices):
    """What is counted is the same; a sum of losses is of other parts, so its last bits differ."""
    found = {}
    for count in (1, devices):
        loaded = load(name, count)
        put = jax.jit(loaded.init_model, out_shardings=loaded.data.replicated)
        model = put(jax.device_put(jax.random.key(0), loaded.data.replicated))
        splits = ("validation", "test", "train")
        found[count] = {split: loaded.evaluator.evaluate(*model, split) for split in splits}
    for split, one in found[1].items():
        several = found[devices][split]
        assert several["accuracy"] == one["accuracy"]
        assert several["loss"] == pytest.approx(one["loss"], rel=2e-7)


def command(results, *arguments):
    return invoke(["run", "-s", "nesterov", "--quick", "--untimed", "--max-steps", str(STEPS),
                   "--executor", "inline", "--results", str(results), *arguments])  # fmt: skip


def test_the_command_line_divides_the_batch_too(load, tmp_path):
    found = {}
    for devices in (1, 2):
        results = tmp_path / str(devices)
        command(results, "-w", f"{TINY}[target=-1.0]", "--devices", str(devices))
        trial = trial_directory(results, "nesterov", 0, "tiny[target=-1.0]", 1)
        assert read_json(trial / TRIAL_FILE)["environment"]["device_count"] == devices
        found[devices] = read_curve(trial)
    assert_same_curve(found[1], found[2])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ("batch_size=30", "batch_size 30 does not divide over 4 devices (remainder 2)"),
        ("eval_batch_size=30", "eval_batch_size 30 does not divide over 4 devices (remainder 2)"),
    ],
)
def test_batches_that_do_not_divide_are_refused_before_anything_runs(
    capsys, tmp_path, changed, message
):
    assert command(tmp_path / "r", "-w", f"{TINY}[{changed}]", "--devices", "4") == 2
    assert f"tiny[{changed}]: {message}; use --devices" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
