"""Every workload in the tree, and its data prepared once per test session."""

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

import jax
import pytest

import workloads
from algoperf_lite import dataset
from algoperf_lite.workload import Workload

EXAMPLES = 8


@dataclass(frozen=True)
class Found:
    """A workload and the module that defines it."""

    workload: Workload
    module: ModuleType


@functools.cache
def found_workloads():
    """Bases and variants of the modules directly in `workloads`, in name order."""
    names = [entry.name for entry in pkgutil.iter_modules(workloads.__path__) if not entry.ispkg]
    modules = [importlib.import_module(f"workloads.{name}") for name in sorted(names)]
    modules = [module for module in modules if hasattr(module, "workload")]
    return tuple(Found(w, m) for m in modules for w in (m.workload, *m.variants))


def pytest_generate_tests(metafunc):
    if "found" in metafunc.fixturenames:
        metafunc.parametrize("found", found_workloads(), ids=lambda f: f.workload.name)


@pytest.fixture(scope="session")
def load_splits(tmp_path_factory):
    """``load_splits(workload)``: all its splits; variants share those of their base."""
    data_dir, loaded = tmp_path_factory.mktemp("data"), {}

    def load(workload):
        key = workload.dataset.fingerprint
        if key not in loaded:
            loaded[key] = dataset.load(workload.dataset, data_dir)
        return loaded[key]

    return load


@dataclass(frozen=True)
class Sample:
    """A workload with a handful of training examples and freshly initialised variables."""

    workload: Workload
    batch: dict
    params: dict
    model_state: dict

    def evaluate(self, inputs):
        """The model's outputs in evaluation."""
        variables = {"params": self.params, **self.model_state}
        return _evaluate(self.workload.model, variables, inputs)

    def loss(self, params, **options):
        """The mean training loss, without dropout unless `options` say otherwise."""
        options = {"dropout_rate": 0.0, **options}
        variables = {"params": params, **self.model_state}
        outputs, _ = self.train(variables, self.batch["inputs"], **options)
        sums, counts = self.workload.loss(outputs, self.batch["targets"])
        return sums.sum() / counts.sum()

    def train(self, variables, inputs, dropout_rate):
        """Outputs and new collections of the model in training."""
        return self.workload.model.apply(
            variables,
            inputs,
            train=True,
            dropout_rate=dropout_rate,
            rngs={"dropout": jax.random.key(1)},
            mutable=list(self.model_state),
        )


@functools.partial(jax.jit, static_argnums=0)
def _evaluate(model, variables, inputs):
    return model.apply(variables, inputs, train=False)


@functools.partial(jax.jit, static_argnums=0)
def _init(model, key, inputs):
    return model.init({"params": key}, inputs, train=False)


@pytest.fixture(scope="session")
def make_sample(load_splits):
    """``make_sample(workload)``: its `Sample`, made once per session."""
    made = {}

    def make(workload):
        if workload.name not in made:
            batch = jax.tree.map(lambda a: a[:EXAMPLES], load_splits(workload)["train"])
            variables = dict(_init(workload.model, jax.random.key(0), batch["inputs"]))
            params = variables.pop("params")
            made[workload.name] = Sample(workload, batch, params, variables)
        return made[workload.name]

    return make
