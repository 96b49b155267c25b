"""The device that JAX computes on, and those that lie idle."""

import pytest

from algoperf_lite.doctor import device
from tests.doctor.given import GIB, statuses, the, write

DESCRIBED = {"platform": "cpu", "device_kind": "cpu", "device_count": 1, "host_cpu": "x",
             "host_threads": 2}  # fmt: skip
DEVICE = {"environment": DESCRIBED, "names": ["cpu"], "present": 1, "memory": None}


def test_an_accelerator_that_lies_idle_is_a_problem():
    found = the(device.judge(DEVICE, {"NVIDIA": 2}, {}), "problem")
    assert "2 of NVIDIA's accelerators on this machine, but JAX computes on CPU" in found.found
    assert "pip install 'jax[cuda13]'" in found.mend


@pytest.mark.parametrize("chosen", [{"JAX_PLATFORMS": "cpu"}, {"CUDA_VISIBLE_DEVICES": ""}])
def test_one_that_was_left_out_on_purpose_is_a_note(chosen):
    found = the(device.judge(DEVICE, {"NVIDIA": 2}, chosen), "note")
    assert next(iter(chosen)) in found.found
    assert "unset" in found.mend


def test_a_variable_of_another_maker_excuses_nothing():
    assert "problem" in statuses(device.judge(DEVICE, {"AMD": 1}, {"CUDA_VISIBLE_DEVICES": ""}))


def test_devices_in_use_are_told():
    gpu = DESCRIBED | {"platform": "gpu", "device_kind": "H100", "device_count": 2}
    facts = DEVICE | {"environment": gpu, "present": 4, "memory": 60 * GIB}
    (found,) = device.judge(facts, {"NVIDIA": 4}, {})
    assert (found.status, found.found) == ("ok", "gpu: 2 x H100 of 4, 60.0 GiB for JAX")


def test_device_files_are_counted(tmp_path):
    write(tmp_path, dev__nvidia0="", dev__nvidia1="", dev__nvidiactl="", dev__kfd="", dev__null="")
    assert device.accelerators(tmp_path) == {"NVIDIA": 2, "AMD": 1}
    assert device.accelerators(tmp_path / "nothing") == {}
    assert device.choices({"JAX_PLATFORMS": "cpu", "HOME": "/"}) == {"JAX_PLATFORMS": "cpu"}
