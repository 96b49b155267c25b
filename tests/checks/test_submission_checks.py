"""Each check passes a sound submission, and catches a defect planted for it."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import toys

from algoperf_lite.checks import CheckFailedError, CheckWarnedError, NotApplicableError, examine
from algoperf_lite.checks.submission import CHECKS, check_submission, find_subject, small
from algoperf_lite.checks.submission.subject import Curve, Subject
from algoperf_lite.submission import Option

BY_NAME = {check.name: check for check in CHECKS}
CALLS = itertools.count()
LEAKED = []


def step(state, batch, loss_fn, hp, task, key):
    return toys.PlainSgd.update(None, state, batch, loss_fn, hp, task, key)


def halving(history, hp, task):
    return {"learning_rate": hp["learning_rate"] / 2}


def backwards(indices, state, hp, task, key):
    return indices[::-1]


SOUND = toys.plain_sgd(on_eval=halving, select=backwards)


def branching(state, batch, loss_fn, hp, task, key):
    assert hp["learning_rate"] > 0
    return step(state, batch, loss_fn, hp, task, key)


def widening(state, batch, loss_fn, hp, task, key):
    state, scalars = step(state, batch, loss_fn, hp, task, key)
    return state.replace(opt_state={"steps": jnp.float32(1)}), scalars


def counting(state, batch, loss_fn, hp, task, key):
    state, scalars = step(state, batch, loss_fn, hp, task, key)
    return state, {"loss": scalars["loss"] + next(CALLS)}


def changing_in_place(state, batch, loss_fn, hp, task, key):
    state.opt_state["steps"] += 1
    return step(state, batch, loss_fn, hp, task, key)


def leaking(state, batch, loss_fn, hp, task, key):
    LEAKED.append(state.step + 1)
    return step(state, batch, loss_fn, hp, task, key)


def printing(state, batch, loss_fn, hp, task, key):
    jax.debug.print("step {}", state.step)
    return step(state, batch, loss_fn, hp, task, key)


def noisy(state, batch, loss_fn, hp, task, key):
    state, scalars = step(state, batch, loss_fn, hp, task, key)
    noise = jax.pure_callback(lambda: np.float32(next(CALLS)), jax.ShapeDtypeStruct((), np.float32))
    params = jax.tree.map(lambda p: p + 1e-3 * noise, state.params)
    return state.replace(params=params), {"loss": scalars["loss"] + noise}


def climbing(state, batch, loss_fn, hp, task, key):
    state, scalars = step(state, batch, loss_fn, {"learning_rate": -0.0005}, task, key)
    return state.replace(opt_state=state.opt_state), scalars


def keeping_the_start(params, hp, task, key):
    return {"steps": jnp.int32(0), "start": params}


def climb_and_keep(state, batch, loss_fn, hp, task, key):
    kept = state.opt_state["start"]
    state, scalars = climbing(state, batch, loss_fn, hp, task, key)
    return state.replace(opt_state={**state.opt_state, "start": kept}), scalars


BAD = toys.plain_sgd(
    init=keeping_the_start,
    update=climb_and_keep,
    eval_params=lambda s, hp, task: (jax.tree.map(jnp.log, s.params), s.model_state),
    select=lambda indices, *_: indices + 1000,
    on_eval=lambda history, hp, task: {"momentum": 0.9},
)
NOISY = toys.plain_sgd(update=noisy)


def silent(state, batch, loss_fn, hp, task, key):
    return step(state, batch, loss_fn, hp, task, key)[0], {"loss": jnp.float32(0)}


def spaced(**entries):
    return replace(toys.sgd, search_space=entries)


def with_default(**values):
    return replace(toys.sgd, default={**toys.sgd.default, **values})


RANGE = {"min": 0.1, "max": 1.0, "scaling": "log"}
CHOICE = replace(
    with_default(kind="a"),
    options={"kind": {"a": Option(), "b": Option()}},
    search_space={"kind": {"feasible_points": ["a"]}},
)
DEFECTS = {
    "declaration": [
        (spaced(learning_rat=RANGE), "did you mean 'learning_rate'"),
        (CHOICE, "take the entry out"),
        (replace(toys.sgd, ruleset="own"), "it is 'external' or 'self'"),
        (replace(toys.sgd, points={"paper": {"lr": 1.0}}), "unknown hyperparameter 'lr'"),
    ],
    "default_in_space": [(spaced(learning_rate=RANGE), "is 0.05 by default and between 0.1 and 1")],
    "traceable": [(toys.plain_sgd(update=branching), "branches on a number that is not known yet")],
    "form": [
        (toys.plain_sgd(update=widening), r"\['steps'\] comes back as float32\[\], it was int32"),
        (toys.plain_sgd(update=lambda *_: {"loss": 1.0}), "update must return"),
    ],
    "evaluated_form": [
        (toys.plain_sgd(eval_params=lambda s, hp, task: ({}, s.model_state)), "params comes back"),
        (toys.plain_sgd(eval_params=lambda s, hp, task: s.params), "must return .params, model_st"),
    ],
    "purity": [
        (toys.plain_sgd(update=counting), "update gives another program when it is traced again"),
        (toys.plain_sgd(update=changing_in_place), "update changes its state"),
        (toys.plain_sgd(update=leaking), "keeps a traced array beyond its call"),
    ],
    "transfers": [(toys.plain_sgd(update=printing), "update calls the host")],
    "learning": [(BAD, r"the loss is [\d.]+ in the first 5 steps and .* in the last 10 of 60")],
    "resuming": [(NOISY, "differ 6 steps after resuming")],
    "determinism": [
        (NOISY, "between two runs with one seed"),
        (toys.plain_sgd(update=silent), "the same with another seed"),
    ],
    "evaluation": [(BAD, "eval_params returns NaN or infinity in")],
    "feedback": [(BAD, "on_eval changes momentum")],
    "selection": [
        (toys.plain_sgd(select=lambda i, *_: i[:3]), r"it must return int32\[16\]"),
        (BAD, r"select returns .1\d\d\d., and there are 128 examples"),
    ],
}
PLANTED = [(name, *defect) for name, defects in DEFECTS.items() for defect in defects]
SUBJECTS = {}


def subject_of(submission):
    """The same for each check of a submission, so that it is compiled once."""
    return SUBJECTS.setdefault(id(submission), Subject(submission))


def test_every_check_has_a_planted_defect():
    apart = {
        "configuration",
        "recompilation",
        "device_count",
        "donation",
        "hyperparameters",
    }  # tests of their own
    assert {*DEFECTS, *apart} == set(BY_NAME)


def test_a_sound_submission_passes():
    findings = {f.check: f for f in check_submission(subject_of(SOUND))}
    wrong = {name: f.detail for name, f in findings.items() if f.status in ("failed", "warned")}
    assert not wrong
    absent = {name for name, f in findings.items() if f.status == "not applicable"}
    assert absent == {"configuration", "default_in_space"}


@pytest.mark.parametrize(("name", "submission", "message"), PLANTED)
def test_a_planted_defect_is_caught(name, submission, message, monkeypatch):
    # some are planted with what the engine refuses to compile
    monkeypatch.setattr("algoperf_lite.engine.Program._check_rules", lambda *_: None)
    with pytest.raises(CheckFailedError, match=message):
        BY_NAME[name](subject_of(submission))


@pytest.mark.parametrize("name", ["feedback", "selection"])
def test_what_is_not_there_is_not_applicable(name):
    with pytest.raises(NotApplicableError):
        BY_NAME[name](subject_of(toys.sgd))


def test_a_compilation_after_the_first_step_is_caught():
    class Compiling(Subject):
        program = None

        def train(self, *arguments):
            return jax.jit(lambda x: x + next(CALLS))(1.0)

    with pytest.raises(CheckFailedError, match="compilations after the first step"):
        BY_NAME["recompilation"](Compiling(toys.sgd))


@pytest.mark.parametrize(("factor", "passes"), [(1.0005, True), (1.01, False)])
def test_another_curve_on_four_devices_is_caught(factor, passes):
    class Apart(Subject):
        trained, on_several, moved = (
            Curve(scale * np.arange(1.0, 4.0), None, {}) for scale in (1.0, factor, 1.0001)
        )

    if passes:  # as far apart as by rounding
        assert "on 4" in BY_NAME["device_count"](Apart(toys.sgd))
    else:
        with pytest.raises(CheckFailedError, match=r"differ by 1\.0e-02 .* by 1\.0e-04"):
            BY_NAME["device_count"](Apart(toys.sgd))


def test_parameters_kept_in_the_optimizer_state_are_a_warning():
    finding = examine(BY_NAME["donation"], subject_of(BAD))
    assert finding.status == "warned"
    assert "the optimizer state holds the parameters themselves (start/" in finding.detail


@pytest.mark.parametrize(
    ("submission", "message"),
    [(with_default(beta=0.5), "nothing depends on beta"),
     (with_default(kind="a", flag=True), "nothing depends on kind, flag")],
)  # fmt: skip
def test_a_hyperparameter_that_is_not_read_is_a_warning(submission, message):
    with pytest.raises(CheckWarnedError, match=message):
        BY_NAME["hyperparameters"](subject_of(submission))


def test_an_import_that_changes_the_configuration_is_caught_and_undone(tmp_path):
    path = tmp_path / "own.py"
    path.write_text(
        "import jax, toys\nsubmission = toys.sgd\n"
        "jax.config.update('jax_default_matmul_precision', 'highest')\n"
    )
    subject = find_subject(str(path))
    assert jax.config.jax_default_matmul_precision is None
    with pytest.raises(CheckFailedError, match="importing it changes jax_default_matmul_precision"):
        BY_NAME["configuration"](subject)
    assert jax.config.jax_default_matmul_precision is None


def test_what_failed_is_told_once_and_what_needs_it_is_not_applicable():
    subject = Subject(toys.plain_sgd(update=branching))
    findings = [examine(BY_NAME[name], subject) for name in ("traceable", "purity", "learning")]
    assert [f.status for f in findings] == ["failed", "not applicable", "not applicable"]
    assert findings[1].detail == "traced failed above"


def test_the_small_workload_has_every_kind_of_parameter():
    kinds = set(jax.tree.leaves(small.loaded().task().param_kinds))
    assert kinds == {
        "weight", "conv_weight", "embedding", "bias", "norm_scale", "norm_bias", "other"
    }  # fmt: skip
    assert small.loaded().shapes[1]
