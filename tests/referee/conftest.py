import itertools

import cheats
import pytest
import tiny

import algoperf_lite
from algoperf_lite.executors.inline import InlineExecutor


@pytest.fixture(scope="session")
def executor():
    return InlineExecutor(devices=1)


@pytest.fixture
def trial(executor, tmp_path):
    """Run one trial of a cheat; returns what trial.json says."""

    count = itertools.count()

    def run(method, *lines, returns=None, steps=30, workload=tiny.__file__, **options):
        path = tmp_path / "cheat.py"
        path.write_text(cheats.source(method, *lines, returns=returns))
        done = algoperf_lite.run(
            [workload], [str(path)], (results := tmp_path / f"r_{next(count)}"), quick=True,
            max_steps=steps, executor=executor, **options,
        )  # fmt: skip
        (found,) = results.rglob("trial.json")
        return done.trials[0] | {"path": found.parent}

    return run
