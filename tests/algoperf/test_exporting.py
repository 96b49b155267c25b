"""Submissions of ours written as AlgoPerf's: the same curve, and nothing of ours imported."""

import ast
import json
import re
import sys
from dataclasses import replace

import jax
import numpy as np
import pytest
import tiny

from algoperf_lite import registry
from algoperf_lite.algoperf.exporting.adapter import kinds
from algoperf_lite.algoperf.exporting.export import export
from algoperf_lite.algoperf.exporting.imports import redirected
from algoperf_lite.algoperf.loading import load
from algoperf_lite.algoperf.program import HostProgram
from algoperf_lite.algoperf.stand_in.spec import ParameterType
from algoperf_lite.algoperf.submission import find
from algoperf_lite.batches import BatchOrder
from algoperf_lite.engine import Program
from algoperf_lite.errors import UsageError
from algoperf_lite.loaded import LoadedWorkload

ALLOWED = {"jax", "optax", "numpy", "algoperf", *sys.stdlib_module_names}
WITH_STATE = replace(tiny.workload, model=tiny.Net(batch_norm=True, dropout=0.2))
WITH_DROPOUT = replace(tiny.workload, model=tiny.Net(dropout=0.2))

RULE = '''"""A rule of one's own: ünïcode, all arguments of the loss, parameters kept as such."""

import jax
import optax

from algoperf_lite import (
    OptaxSubmission,  # the contract
)
from submissions import schedules
import beside.factors, math; import beside.factors as again


def rule(hp, task):
    matrix = jax.tree.map(lambda kind: kind == "weight", task.param_kinds)
    return optax.chain(
        optax.masked(optax.trace(0.9), matrix),
        optax.scale(beside.factors.HALF * math.sqrt(again.FOUR)),
        optax.scale_by_learning_rate(schedules.learning_rate(hp, task)),
    )


class Smoothed(OptaxSubmission):
    def init(self, params, hp, task, key):
        return params, super().init(params, hp, task, key)

    def eval_params(self, state, hp, task):
        return state.params, state.model_state

    def update(self, state, batch, loss_fn, hp, task, key):
        smoothing = hp["smoothing"] / task.batch_size

        def smooth(*arguments):
            losses, model_state = loss_fn(*arguments, dropout_rate=hp["dropout_rate"],
                                          label_smoothing=smoothing, per_example=True)
            return (losses * losses).mean(), model_state

        start, inner = state.opt_state
        state = state.replace(opt_state=inner)
        state, scalars = super().update(state, batch, smooth, hp, task, key)
        return state.replace(opt_state=(start, state.opt_state)), scalars


chosen = Smoothed(
    rule,
    default={"learning_rate": 0.1, "schedule": "linear", "horizon_fraction": 0.5,
             "dropout_rate": 0.0, "smoothing": 0.0},
    search_space=[{"learning_rate": 0.03, "schedule": "cosine", "horizon_fraction": 0.9,
                   "dropout_rate": 0.3, "smoothing": 2.0}],
)
'''


@pytest.fixture
def my_rule(tmp_path):
    """A user's file that imports what lies beside it, and a submission by another name."""
    folder = tmp_path / "mine"
    (folder / "beside").mkdir(parents=True)
    (folder / "my-rule.py").write_text(RULE, encoding="utf-8")
    (folder / "beside" / "factors.py").write_text("HALF = 0.5\nFOUR = 4\n")
    yield folder / "my-rule.py"
    sys.path[:] = [entry for entry in sys.path if entry != str(folder)]
    for name in [name for name in sys.modules if name.partition(".")[0] == "beside"]:
        del sys.modules[name]


def evaluated(program, hp, windows=(10, 6)):
    """The weights to evaluate after each window of training, and the scalars of each."""
    carry = program.init(0, hp)
    order, done = BatchOrder(program.loaded.data.num_train, program.batch_size, 0), 0
    seen, scalars = [], []
    for steps in windows:
        carry = program.advance(carry, program.batches(order, done, steps), hp)
        seen.append(jax.tree.map(np.array, program.eval_params(carry, hp)))
        scalars.append(set(carry.sums))
        done += steps
    return seen, scalars


def difference(ours, theirs):
    """The distance of two pytrees, relative to their length."""
    pairs = list(zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True))
    distance = sum(np.sum((a - b) ** 2) for a, b in pairs)
    return np.sqrt(distance / sum(np.sum(a**2) for a, _ in pairs))


def imported(folder):
    """Packages that the files below a folder import by absolute names."""
    nodes = [n for f in folder.rglob("*.py") for n in ast.walk(ast.parse(f.read_text("utf-8")))]
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    return {name.partition(".")[0] for name in names}


@pytest.fixture
def both_ways(tiny_splits, tmp_path):
    """A function that trains a submission and what is exported of it: how their weights differ."""

    def run(selector, workload=tiny.workload, devices=1, space=",search_space=none"):
        loaded = LoadedWorkload(workload, tiny_splits, jax.devices()[:devices])
        submission = registry.find_submission(selector)[1]
        folder = export(selector, tmp_path / "out").folder
        assert imported(folder) <= ALLOWED
        back = find(f"algoperf:{folder}/submission.py{space}")[1]
        static, traced = submission.split_hyperparameters(submission.default | back.default)
        program = Program(loaded, submission, static, traced)
        host = HostProgram(loaded, back, back.default)
        ours, scalars = evaluated(program, program.hyperparameters(traced))
        theirs, logged = evaluated(host, {})
        assert logged == [scalars[0], set()]  # of every hundredth step
        assert difference(theirs, evaluated(host, {})[0]) == 0  # a first trial leaves nothing
        return difference(ours, theirs)

    return run


@pytest.mark.parametrize(
    ("selector", "workload"),
    [
        ("nadamw", WITH_DROPOUT),
        ("schedule_free_adamw[learning_rate=0.05]", tiny.workload),  # evaluated at other weights
        ("sam[schedule=rex,rho=0.05]", tiny.workload),  # two gradients
        ("nadamw_sequential[horizon_fraction=0.12]", tiny.workload),  # self-tuning, keeps weights
        ("optax:lion[learning_rate=0.001]", tiny.workload),
    ],
)
def test_what_is_exported_trains_as_the_original_does(both_ways, selector, workload):
    assert both_ways(selector, workload) < 1e-6


def test_a_users_file_takes_along_what_lies_beside_it(both_ways, my_rule):
    assert both_ways(str(my_rule), WITH_STATE, devices=4, space="") < 1e-6


def test_an_exported_directory_holds_what_algoperf_asks_for(tmp_path):
    written = export("nadamw[weight_decay=0.1]", tmp_path / "My rule", ["Ada L.", "C. B."], ["X"])
    top = {path.name for path in written.files if path.parent == written.folder}
    assert top == {"__init__.py", "submission.py", "submission_info.yml",
                   "tuning_search_space.json"}  # fmt: skip
    assert {p for p in written.folder.rglob("*") if p.is_file()} == set(written.files)
    ours = registry.find_submission("nadamw[weight_decay=0.1]")[1].search_space
    space = json.loads((written.folder / "tuning_search_space.json").read_text())
    assert space == ours
    assert "weight_decay" not in space
    info = (written.folder / "submission_info.yml").read_text()
    rows = dict(re.fullmatch(r'(\w+): "(.*)"', line).groups() for line in info.splitlines())
    assert rows | {"description": ""} == {
        "submission_name": "nadamw[weight_decay=0.1]",
        "submission_folder": "my_rule",
        "authors": "Ada L., C. B.",
        "affiliations": "X",
        "version": "1.0",
        "ruleset": "external",
        "framework": "JAX",
        "description": "",
    }
    assert rows["description"].startswith("NadamW, by default with linear warmup")
    file = load(written.folder / "submission.py")
    assert file.get_batch_size("wmt") == 128
    with pytest.raises(ValueError, match="no batch size is stated for zipf_lm"):
        file.get_batch_size("zipf_lm")
    assert file.prepare_for_eval is None  # it evaluates what it trains


def test_a_self_tuning_submission_has_no_search_space(tmp_path):
    written = export("nadamw_default", tmp_path / "out")
    assert not (written.folder / "tuning_search_space.json").exists()
    info = (written.folder / "submission_info.yml").read_text()
    assert 'ruleset: "self-tuning"\n' in info
    assert 'authors: ""  # fill in: separated by commas\n' in info


def test_an_external_one_whose_values_are_all_fixed_has_one_point_to_search(tmp_path):
    path = tmp_path / "fixed.py"
    path.write_text("import optax\nfrom algoperf_lite import OptaxSubmission\n"
                    "submission = OptaxSubmission(lambda hp, task: optax.sgd(hp['learning_rate']),"
                    " default={'learning_rate': 0.1})\n")  # fmt: skip
    written = export(str(path), tmp_path / "out")
    space = json.loads((written.folder / "tuning_search_space.json").read_text())
    assert space == [{"learning_rate": 0.1}]


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("on_plateau", "its on_eval.. has no counterpart, as AlgoPerf shows no evaluations"),
        ("autolrs", "its select.. has no counterpart, as AlgoPerf hands out whole batches"),
    ],
)
def test_what_algoperf_has_no_call_for_is_refused(tmp_path, selector, message):
    with pytest.raises(UsageError, match=message):
        export(selector, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("from algoperf_lite import run", "imports run from algoperf_lite, which"),
        ("import algoperf_lite.engine", "imports something from algoperf_lite.engine, which"),
        ("from workloads.losses import ctc", "imports ctc from workloads.losses, which"),
    ],
)
def test_what_cannot_go_along_is_refused(tmp_path, line, message):
    path = tmp_path / "greedy.py"
    path.write_text(f"def late():\n    {line}\n\nfrom submissions.nadamw import submission\n")
    with pytest.raises(UsageError, match=message):
        export(str(path), tmp_path / "out")


def test_a_file_called_as_what_drives_it_is_refused(tmp_path):
    path = tmp_path / "adapter.py"
    path.write_text("from submissions.nadamw import submission\n")
    with pytest.raises(UsageError, match=r"would lie at adapter\.py, as another does; rename"):
        export(str(path), tmp_path / "out")


def test_packages_that_algoperf_does_not_bring_are_named(tmp_path):
    path = tmp_path / "curvature.py"
    path.write_text("import scipy.linalg, flax\nfrom submissions.nadamw import submission\n")
    assert export(str(path), tmp_path / "out").needs == ("scipy",)


def test_what_exists_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists and is left alone"):
        export("nadamw", tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("é = 1; from ours.a import b  # é", "é = 1; from .a import b  # é"),
        ("from ours.a import (\n    c,  # see\n    d)", "from .a import (\n    c,  # see\n    d)"),
        ("import os, ours.a as a, sys as s", "import os; from . import a as a; import sys as s"),
        ("import ours", "from .. import ours"),
        ("import ours as o", "from .. import ours as o"),
        ("from ours import a\nimport os", "from . import a\nimport os"),
        ("from .a import b; from ourselves import c", "from .a import b; from ourselves import c"),
        ("if x:\n  import ours.a.b", "if x:\n  from .a import b as _ours_a_b; from .. import ours"),
    ],
)  # fmt: skip
def test_imports_are_pointed_elsewhere_and_nothing_else_changes(source, expected):
    def moved(name):
        return name if name.split(".")[0] == "ours" else None

    assert redirected(source, "ours", moved) == expected


def test_of_types_only_tables_are_taken_where_names_say_nothing():
    params = {"Embed": {"table": np.zeros((3, 2))}, "Dense_0": {"kernel": 0, "my_bias": 0}}
    types = {"embed": {"table": ParameterType.EMBEDDING},
             "dense_0": {"kernel": ParameterType.BIAS, "my_bias": ParameterType.BIAS}}  # fmt: skip
    assert kinds(params, types) == {
        "Embed": {"table": "embedding"},
        "Dense_0": {"kernel": "weight", "my_bias": "other"},
    }
