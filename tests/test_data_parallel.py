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

from algoperf_lite.cli import invoke
from algoperf_lite.engine import Program
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.records import TRIAL_FILE, TrialRecorder, read_json, trial_directory
from algoperf_lite.trial import Limits, Trial
from algoperf_lite.verifying.comparing import read_curve
from algoperf_lite.workload import Target

STEPS = 30
METRICS = ["loss", "accuracy"]
TINY = tiny.__file__


def uneven_loss(outputs, targets, label_smoothing=0.0):
    """Per-token losses of sequences: here class 0 has one token, class 1 has five."""
    sums, counts = tiny.workload.loss(outputs, targets, label_smoothing=label_smoothing)
    tokens = 1.0 + 4.0 * targets
    return sums * tokens, counts * tokens


# 50 and 30 rows are evaluated in batches of 20: each split has a ragged last one
WORKLOAD = replace(tiny.workload, target=Target("loss", -1.0, "minimize"), loss=uneven_loss,
                   model=tiny.Net(dropout=0.3, batch_norm=True))  # fmt: skip


def hardest_weigh_more(state, batch, loss_fn, hp, task, key):
    """SGD on the batch's loss and that of its examples above the median."""

    def loss_of(params):
        losses, _ = loss_fn(params, state.model_state, batch, key, per_example=True)
        hard = jax.lax.stop_gradient(losses >= jnp.median(losses))
        loss, model_state = loss_fn(params, state.model_state, batch, key)
        return loss + jnp.where(hard, losses, 0).sum() / hard.sum(), model_state

    (loss, model_state), grads = jax.value_and_grad(loss_of, has_aux=True)(state.params)
    params = jax.tree.map(lambda p, g: p - hp["learning_rate"] * g, state.params, grads)
    return state.replace(params=params, model_state=model_state), {"loss": loss}


def drawn_anew(indices, state, hp, task, key):
    return jax.random.randint(key, indices.shape, 0, task.num_train_examples, jnp.int32)


CHOOSY = toys.plain_sgd(update=hardest_weigh_more, select=drawn_anew)


@pytest.fixture(scope="module")
def load(tiny_splits):
    """A function that puts the workload on some devices."""
    return cache(lambda n: LoadedWorkload(WORKLOAD, tiny_splits, jax.devices()[:n]))


@pytest.fixture(scope="module")
def curve(load, tmp_path_factory):
    """A function that runs a whole trial on some devices: its program, and what it measured."""

    @cache
    def run(devices):
        hp = {**CHOOSY.default, "learning_rate": 0.1}
        program = Program(load(devices), CHOOSY, {}, hp)
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


def test_a_trial_has_the_same_curve(curve):
    """With dropout, batch norm, examples selected and weighed, counts that differ."""
    (_, one), (_, several) = curve(1), curve(4)
    assert len(one) == 3
    assert len(set(losses(one))) == len(losses(one))  # it does learn
    assert_same_curve(one, several)


def test_the_work_is_divided_and_not_repeated(curve):
    alone, divided = (curve(devices)[0]._compiled_steps for devices in (1, 4))
    assert "all-reduce" not in alone.as_text()
    assert "all-reduce" in divided.as_text()
    assert divided.cost_analysis()["flops"] < 0.6 * alone.cost_analysis()["flops"]


def test_the_same_parameters_are_evaluated_alike(load):
    """What is counted is the same; a sum of losses is of other parts, so its last bits differ."""
    found = {}
    for devices in (1, 2, 4):
        loaded = load(devices)
        put = jax.jit(loaded.init_model, out_shardings=loaded.data.replicated)
        model = put(jax.device_put(jax.random.key(0), loaded.data.replicated))
        splits = ("validation", "test", "train")
        found[devices] = {split: loaded.evaluator.evaluate(*model, split) for split in splits}
    for devices in (2, 4):
        for split, one in found[1].items():
            several = found[devices][split]
            assert several["accuracy"] == one["accuracy"]
            assert several["loss"] == pytest.approx(one["loss"], rel=2e-7)


def command(results, *arguments):
    return invoke(["run", "-s", "sam", "--quick", "--untimed", "--max-steps", str(STEPS),
                   "--executor", "inline", "--results", str(results), *arguments])  # fmt: skip


def test_the_command_line_divides_the_batch_too(load, tmp_path):
    """Two gradients a step. No batch norm here: the gradient of a bias before it is rounding
    errors, of which Adam makes steps as long as any, so that the running averages would differ."""
    found = {}
    for devices in (1, 2):
        results = tmp_path / str(devices)
        command(results, "-w", f"{TINY}[target=-1.0]", "--devices", str(devices))
        trial = trial_directory(results, "sam", 0, "tiny[target=-1.0]", 1)
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
