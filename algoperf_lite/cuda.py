"""Which GPU a CUDA device is. Imports no JAX."""

from __future__ import annotations

import ctypes
from uuid import UUID

LIBRARY = "libcuda.so.1"  # of the driver


def gpu_uuid(ordinal: int) -> str | None:
    """The name that the driver gives a GPU, or a part of one (MIG); None where there is no CUDA.

    It is the same however the GPU was made visible: by number or name (whole or cut short, in
    CUDA_VISIBLE_DEVICES), in whichever order (CUDA_DEVICE_ORDER), in whichever container.
    ``cuDeviceGetUuid_v2`` of the CUDA driver API.

    Args:
        ordinal: number of the device among those that this process sees.
    """
    try:
        driver = ctypes.CDLL(LIBRARY)
        get_uuid = driver.cuDeviceGetUuid_v2
    except (OSError, AttributeError):  # no driver, or one from before CUDA 11.4
        return None
    device, name = ctypes.c_int(), (ctypes.c_ubyte * 16)()
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), ordinal):
        return None
    return None if get_uuid(name, device) else str(UUID(bytes=bytes(name)))
