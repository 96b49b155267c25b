"""Submissions in the styles that the field writes AlgoPerf's API in; styles/ has them."""

import json
import textwrap
from dataclasses import replace

import jax
import numpy as np
import pytest
import tiny

import algoperf_lite
from algoperf_lite import registry
from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.errors import UsageError
from algoperf_lite.executors.inline import InlineExecutor
from algoperf_lite.window import train_window
from algoperf_lite.workload import Target

STYLES = {
    "adamw/submission": 1,
    "nesterov": 4,  # its mesh is over all devices, so a trial must be, too
    "schedule_free": 1,
    "nadamw_fixed": 1,
    "muon/submission": 1,
    "sibling/submission": 1,
    "by_loss_type": 1,
    "two_batches": 1,
    "slow_weights": 1,
}


@pytest.mark.parametrize("name", STYLES)
def test_a_style_trains_without_a_compile_on_the_clock(name, style, run):
    done = run(style(name), devices=STYLES[name])
    assert (done.summary["status"], done.summary["reason"]) == (
        "budget_exhausted",
        "20 of 20 steps taken",
    )
    assert done.steps == [10, 20]
    assert done.losses[1] < 0.9 * done.losses[0] < 0.6
    assert done.summary["host_loop"] is True
    assert done.summary["compiles_on_clock"]["count"] == 0
    assert done.summary["batch_size"] == tiny.workload.batch_size  # none knows this workload


def test_what_is_logged_is_recorded_averaged_over_the_window(style, run):
    done = run(style("logs_metrics"))
    assert [float(row["train_step/step_seen"]) for row in done.logged] == [2.5, 12.5]
    losses = [float(row["train_step/loss"]) for row in done.logged]
    assert losses[1] < losses[0]
    assert all(float(row["train_step/grad_norm"]) > 0 for row in done.logged)


def test_a_submission_ends_its_training_and_may_still_meet_the_target(style, run, never):
    done = run(style("stops"), steps=100)
    assert done.summary["status"] == "budget_exhausted"
    assert "TrainingCompleteError" in done.summary["reason"]
    assert done.steps == [10, 20, 26]  # as AlgoPerf does, the step that raised is counted
    assert done.losses[2] < done.losses[1]
    target = Target("loss", (done.losses[1] + done.losses[2]) / 2, "minimize")
    done = run(style("stops"), replace(never, target=target), steps=100)
    assert (done.summary["status"], done.steps) == ("target_reached", [10, 20, 26])


def windows(program, *lengths):
    """Evaluated parameters after windows of so many steps, and the carry at the end."""
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, 0)
    carry, evaluated = program.init(0, {}), []
    for steps in lengths:
        carry, (params, _) = train_window(Clock(), program, order, carry, steps, {})
        evaluated.append(jax.device_get(params))
    return carry, evaluated


def test_weights_swapped_for_an_evaluation_are_swapped_back(style, make_host):
    program = make_host(style("schedule_free"))
    _, often = windows(program, 4, 4, 2)
    _, once = windows(program, 10)
    close = jax.tree.map(lambda a, b: np.allclose(a, b, rtol=1e-4, atol=1e-6), often[-1], once[-1])
    assert all(jax.tree.leaves(close))
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, 0)
    carry = program.advance(program.init(0, {}), program.batches(order, 0, 10), {})
    trained = jax.device_get(carry.params)
    evaluated, _ = program.eval_params(carry, {})
    apart = jax.tree.map(lambda a, b: np.abs(a - b).max(), trained, evaluated)
    assert min(jax.tree.leaves(apart)) > 1e-3


def test_module_state_is_that_of_the_trial_alone(style, run, make_host):
    program = make_host(style("counts"))
    first, again = run(None, program=program), run(None, program=program)
    assert [float(row["train_step/calls"]) for row in first.logged] == [5.5, 15.5]
    assert [row["train_step/seen"] for row in first.logged] == ["5.5", "15.5"]
    assert first.losses == again.losses
    assert first.logged[-1]["train_step/calls"] == again.logged[-1]["train_step/calls"]


def test_one_that_jits_nothing_hears_of_its_evaluations(style, run, never):
    done = run(style("unjitted"), replace(never, eval_every=2), steps=6)
    assert done.losses[2] < done.losses[1] < done.losses[0]
    assert [float(row["train_step/heard"]) for row in done.logged] == [0.0, 1.0, 2.0]


def test_a_search_space_beside_the_file_makes_it_external(style):
    name, found, _ = registry.find_submission(style("adamw/submission"))
    assert name == "algoperf:adamw"
    assert found.ruleset == "external"
    assert set(found.default) == set(found.search_space)
    assert found.default["learning_rate"] == pytest.approx(0.01)
    name, found, _ = registry.find_submission(style("sibling/submission"))
    assert name == "algoperf:sibling"
    assert found.default == {"learning_rate": 0.02, "weight_decay": 0.01}
    name, found, _ = registry.find_submission(style("nadamw_fixed"))
    assert (name, found.ruleset, found.default) == ("algoperf:nadamw_fixed", "self", {})


@pytest.fixture
def write(tmp_path):
    """Write a submission, whose `update_params` ends in some lines, beside what it imports."""

    def write(body, name="bad", before=""):
        path = tmp_path / f"{name}.py"
        text = (
            "import jax\nimport jax.numpy as jnp\nfrom algoperf import spec\n"
            f"{textwrap.dedent(before)}\n"
            "def init_optimizer_state(*_):\n    return {}\n"
            "def data_selection(workload, input_queue, *_):\n    return next(input_queue)\n"
            "def update_params(current_param_container, model_state, optimizer_state, **_):\n"
            f"{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        )
        if "def get_batch_size" not in before:
            text += "def get_batch_size(name):\n    return 20\n"
        path.write_text(text)
        return f"algoperf:{path}"

    return write


SAME = "return optimizer_state, current_param_container, model_state"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "return current_param_container, model_state",
            "(optimizer_state, parameters, model_state), not 2 values",
        ),
        (
            "return {}, jax.tree.map(lambda p: p[None], current_param_container), model_state",
            "differs at [0]['Dense_0']['bias']",
        ),
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("from algoperf import data_utils", "ModuleNotFoundError: algoperf.data_utils"),
    ],
)
def test_what_goes_wrong_in_a_step_is_a_record_that_says_what(body, told, write, run):
    done = run(write(body))
    assert done.summary["status"] == "error"
    assert told in done.summary["reason"]
    assert done.losses == []


def test_nan_parameters_are_a_divergence(write, run):
    broken = "jax.tree.map(lambda p: p * jnp.nan, current_param_container)"
    done = run(write(f"return optimizer_state, {broken}, model_state"))
    assert done.summary["status"] == "diverged"


@pytest.mark.parametrize(
    ("batch_size", "taken"), [("10", 10), ("{'mnist': 1}[name]", 20), ("-1", None)]
)
def test_the_batch_size_is_the_submissions_where_it_knows_the_workload(
    batch_size, taken, write, make_host
):
    selector = write(SAME, before=f"def get_batch_size(name):\n    return {batch_size}\n")
    if taken is None:
        with pytest.raises(Exception, match="get_batch_size"):
            make_host(selector)
    else:
        assert make_host(selector).batch_size == taken


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("import functools\nstep = functools.partial(jax.pmap, axis_name='batch')", "pmap"),
        ("from algoperf.pytorch_utils import pytorch_setup", "JAX"),
        ("from algorithmic_efficiency import spec", "algorithmic_efficiency"),
    ],
)
def test_files_of_another_era_are_refused_before_anything_runs(before, told, write):
    with pytest.raises(UsageError, match=told):
        registry.find_submission(write(SAME, before=before))


def test_a_study_runs_them_beside_our_own(style, tmp_path):
    executor = InlineExecutor(devices=1)
    ours = tmp_path / "ours.py"
    ours.write_text("import toys\nsubmission = toys.sgd\n")
    done = algoperf_lite.run(
        [tiny.__file__], [style("sibling/submission"), str(ours)], tmp_path / "r",
        quick=True, max_steps=10, executor=executor,
    )  # fmt: skip
    records = {t["submission"]: t for t in done.trials}
    assert {name: (t["status"], t["host_loop"]) for name, t in records.items()} == {
        "algoperf:sibling": ("budget_exhausted", True),
        "ours": ("budget_exhausted", False),
    }
    assert records["algoperf:sibling"]["hyperparameters"]["learning_rate"] == 0.02
    for path in (tmp_path / "r").rglob("trial.json"):
        record = json.loads(path.read_text())
        assert record["host_loop"] is records[record["submission"]]["host_loop"]
