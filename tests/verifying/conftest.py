"""A small recorded run, copies of it to tamper with, and `verify` on them."""

import shutil

import pytest
import tiny

import algoperf_lite
from algoperf_lite.executors.inline import InlineExecutor
from tests.verifying.tampering import TEXT


@pytest.fixture(scope="session")
def executor():
    return InlineExecutor(devices=1)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verifying")
    (folder / "first.py").write_text(TEXT.format("sgd"))
    (folder / "second.py").write_text(TEXT.format("adam"))
    return folder


@pytest.fixture(scope="session")
def recorded(folder, executor):
    """Two studies of two submissions on a workload, each defined in a file."""
    names = [f"{folder}/first.py[learning_rate=0.03]", f"{folder}/second.py"]
    algoperf_lite.run([tiny.__file__], names, folder / "r", quick=True, studies=2, max_steps=25,
                      timed=False, executor=executor)  # fmt: skip
    return folder / "r"


@pytest.fixture
def results(recorded, tmp_path):
    """A copy to tamper with."""
    return shutil.copytree(recorded, tmp_path / "r")


@pytest.fixture
def verify(executor, folder):
    files = {"tiny": tiny.__file__, "first": f"{folder}/first.py", "second": f"{folder}/second.py"}

    def run(results, **settings):
        given = {"elsewhere": files, "sample": None, "executor": executor} | settings
        return algoperf_lite.verify(results, **given)

    return run
