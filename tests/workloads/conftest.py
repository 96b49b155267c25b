"""Every workload in the tree, and its data prepared once per test session."""

import functools
import importlib
import pkgutil
from dataclasses import dataclass
from types import ModuleType

import pytest

import workloads
from algoperf_lite import dataset, registry
from algoperf_lite.checks.workload import checks_for
from algoperf_lite.checks.workload.subject import Subject
from algoperf_lite.workload import Workload


@dataclass(frozen=True)
class Found:
    """A workload, and the module that defines it.

    Attributes:
        workload: base workload or variant.
        module: where it is from.
        base: what it is a variant of, None for a base workload.
    """

    workload: Workload
    module: ModuleType
    base: Workload | None


@functools.cache
def found_workloads():
    """Bases and variants of the modules directly in `workloads`, in name order."""
    names = [entry.name for entry in pkgutil.iter_modules(workloads.__path__) if not entry.ispkg]
    modules = [importlib.import_module(f"workloads.{name}") for name in sorted(names)]
    pairs = [(w, m) for m in modules if hasattr(m, "workload") for w in registry.workloads_in(m)]
    bases = {w.name: w for w, _ in pairs}
    return tuple(Found(w, m, bases[w.base] if w.base else None) for w, m in pairs)


def pytest_generate_tests(metafunc):
    """Tests that take `found` and `check` get a workload's checks one after another."""
    if "check" in metafunc.fixturenames:
        pairs = [(f, c) for f in found_workloads() for c in checks_for(f.workload, f.base)]
        names = [f"{f.workload.name}-{c.name}" for f, c in pairs]
        metafunc.parametrize(("found", "check"), pairs, ids=names)
    elif "found" in metafunc.fixturenames:
        metafunc.parametrize("found", found_workloads(), ids=lambda f: f.workload.name)


@pytest.fixture(scope="session")
def load_splits(tmp_path_factory):
    """``load_splits(workload)``: all its splits; workloads on the same data share them."""
    data_dir, loaded = tmp_path_factory.mktemp("data"), {}

    def load(workload):
        key = workload.dataset.identity
        if key not in loaded:
            loaded[key] = dataset.load(workload.dataset, data_dir)
        return loaded[key]

    return load


@pytest.fixture(scope="session")
def subject_of(load_splits):
    """``subject_of(workload)``: its `Subject`, kept until another workload's turn comes."""
    kept = {}

    def subject(workload):
        if workload.name not in kept:
            kept.clear()
            kept[workload.name] = Subject(workload, lambda _: load_splits(workload))
        return kept[workload.name]

    return subject
