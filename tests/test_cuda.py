import ctypes
from types import SimpleNamespace

import pytest

from algoperf_lite import cuda, environment

UUIDS = [bytes(range(k, k + 16)) for k in (0, 16)]
NAMES = ["00010203-0405-0607-0809-0a0b0c0d0e0f", "10111213-1415-1617-1819-1a1b1c1d1e1f"]


class Driver:
    """Stands in for the driver's library: two devices, whose handles are 10 and 11."""

    def __init__(self, fails=""):
        for name in ("cuInit", "cuDeviceGet", "cuDeviceGetUuid_v2"):
            setattr(self, name, (lambda *_: 100) if name == fails else getattr(self, f"_{name}"))

    def _cuInit(self, flags):  # noqa: N802
        self.started = True
        return 0

    def _cuDeviceGet(self, device, ordinal):  # noqa: N802
        assert self.started
        device._obj.value = 10 + ordinal
        return 0 if ordinal < 2 else 101

    def _cuDeviceGetUuid_v2(self, name, device):  # noqa: N802
        ctypes.memmove(name, UUIDS[device.value - 10], 16)
        return 0


def gpus(*ordinals, platform="gpu"):
    return [SimpleNamespace(platform=platform, local_hardware_id=n) for n in ordinals]


@pytest.mark.parametrize("visible", [None, "1,0", "GPU-0001,GPU-1011"])
def test_a_gpu_has_one_name_however_it_was_made_visible(monkeypatch, visible):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver())
    assert environment.device_names(gpus(0, 1)) == [f"gpu-{name}" for name in NAMES]
    assert environment.device_names(gpus(1)) == [f"gpu-{NAMES[1]}"]


@pytest.mark.parametrize("fails", ["cuInit", "cuDeviceGet", "cuDeviceGetUuid_v2"])
@pytest.mark.parametrize(
    ("visible", "names"), [("", ["gpu-0", "gpu-1"]), ("3,MIG-7", ["gpu-3", "gpu-MIG-7"])]
)
def test_without_a_drivers_word_gpus_have_the_names_they_were_made_visible_by(
    monkeypatch, fails, visible, names
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(fails))
    assert environment.device_names(gpus(0, 1)) == names


def test_an_old_driver_or_none_has_no_word(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert cuda.gpu_uuid(0) is None
    monkeypatch.undo()
    monkeypatch.setattr(cuda, "LIBRARY", "libnone.so.0")
    assert cuda.gpu_uuid(0) is None


def test_all_devices_of_a_processor_are_one():
    assert environment.device_names(gpus(0, 1, platform="cpu")) == ["cpu"]
