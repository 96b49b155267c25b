"""Shared fixtures. Four fake CPU devices, so that data-parallel code runs on every machine."""

import os
import signal
from importlib.metadata import version

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["COLUMNS"] = "200"  # else tables fold where the terminal, or there being none, says
# Compiling is most of what tests wait for, so programs are not optimised, and what takes half of
# the rest is left out where its name is known: XLA ends a process that names what it has not.
os.environ["XLA_FLAGS"] = (
    "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0"
)
if version("jaxlib").startswith("0.10."):
    os.environ["XLA_FLAGS"] += " --xla_cpu_use_fusion_emitters=false"

import jax
import pytest
import tiny
from hypothesis import settings
from longest import longest_first

from algoperf_lite import dataset, environment
from algoperf_lite.engine import Program
from algoperf_lite.loaded import LoadedWorkload

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell has it ignored
settings.register_profile("repeatable", deadline=None, derandomize=True, database=None)
settings.load_profile("repeatable")


def pytest_configure(config):
    if hasattr(config.option, "loadscopereorder"):  # by how many tests a file has, unless told
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items):
    longest_first(items)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """Datasets, compiled programs and calibrations of this test session."""
    path = tmp_path_factory.mktemp("home")
    os.environ["ALGOPERF_LITE_HOME"] = str(path)
    os.environ["ALGOPERF_LITE_LOCKS"] = str(path / "locks")  # test processes run side by side
    return path


@pytest.fixture(scope="session", autouse=True)
def steady_device():
    """Timing the device before and after each trial takes longer than the trials of tests do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "time_calibration_kernel", lambda: 0.02)
        yield


@pytest.fixture(scope="session")
def tiny_splits(home):
    return dataset.load(tiny.workload.dataset, home / "data")


@pytest.fixture(scope="session")
def make_program(tiny_splits):
    """A function giving a `Program` of a submission on a tiny workload."""

    def make(submission, workload=tiny.workload, devices=1, **hp):
        loaded = LoadedWorkload(workload, tiny_splits, jax.devices()[:devices])
        static, traced = submission.split_hyperparameters({**submission.default, **hp})
        return Program(loaded, submission, static, traced)

    return make
