"""This machine: where things are kept, what it is, and how fast it is right now."""

import os
import platform
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from algoperf_lite import cuda
from algoperf_lite.errors import UsageError

PACKAGES = ("algoperf_lite", "jax", "jaxlib", "flax", "optax", "numpy", "tensorflow-datasets")
DEVICE_DATA_BYTES = "ALGOPERF_LITE_DEVICE_DATA_BYTES"
KERNEL_SIZE = 384  # rows of the calibration kernel's matrices: about 20 ms on two laptop cores
KERNEL_CHAIN = 20
KERNEL_REPEATS = 5


def home() -> Path:
    """Where datasets, compiled programs and calibrations are kept.

    ``$ALGOPERF_LITE_HOME``, else ``$XDG_CACHE_HOME/algoperf_lite``, else
    ``~/.cache/algoperf_lite``.
    """
    if chosen := os.environ.get("ALGOPERF_LITE_HOME"):
        return Path(chosen).expanduser()
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache_home).expanduser() / "algoperf_lite"


def data_directory() -> Path:
    """Where TFDS keeps prepared datasets."""
    return home() / "data"


def device_data_bytes() -> int:
    """How large a training split may be to be kept on the device; a larger one is streamed.

    ``$ALGOPERF_LITE_DEVICE_DATA_BYTES``, else half of the device's memory, and at most a quarter of
    the host's, which holds the data more than once while it is read.
    """
    if chosen := os.environ.get(DEVICE_DATA_BYTES):
        if not chosen.isdecimal():
            raise UsageError(
                f"{DEVICE_DATA_BYTES}={chosen!r} must be a whole number of bytes, as in 2000000000"
            )
        return int(chosen)
    import jax  # noqa: PLC0415

    stats = jax.local_devices()[0].memory_stats() or {}
    host = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(stats.get("bytes_limit", host) // 2, host // 4)


def use_compilation_cache() -> None:
    """Turn on JAX's persistent compilation cache, private to this user."""
    import jax  # noqa: PLC0415

    jax.config.update("jax_compilation_cache_dir", str(home() / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


@cache
def describe(device_count: int) -> dict[str, Any]:
    """Device, threads and versions: what must agree for two timings to be comparable.

    Args:
        device_count: how many of the local devices are used.
    """
    import jax  # noqa: PLC0415

    device = jax.local_devices()[0]
    return {
        "platform": device.platform,
        "device_kind": device.device_kind,
        "device_count": device_count,
        "host_cpu": _cpu_model(),
        "host_threads": host_threads(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    } | ({"device_data_bytes": device_data_bytes()} if os.environ.get(DEVICE_DATA_BYTES) else {})


def device_name(described: Mapping[str, Any], threads: bool = True) -> str:
    """One line on the device of `describe`, the host's processor where that is the device.

    Args:
        described: what `describe` says.
        threads: whether to say how many threads of that processor are used.

    Example:
        >>> device_name({"platform": "gpu", "device_kind": "H100", "device_count": 2})
        '2 x H100'
    """
    name = f"{described['device_count']} x {described['device_kind']}"
    if described["platform"] != "cpu":
        return name
    count = f", {described['host_threads']} threads" if threads else ""
    return f"{name} ({described['host_cpu']}{count})"


def device_names(devices: Sequence[Any]) -> list[str]:
    """Names of local JAX devices that are unique on this machine: ``cpu``, ``gpu-UUID`` and so on.

    Where there is no UUID to be had, a GPU has the name or number that CUDA_VISIBLE_DEVICES gives
    it, or its number, which two processes must mean alike: with the same CUDA_DEVICE_ORDER.

    Args:
        devices: of JAX. All devices of the platform ``cpu`` are one processor.
    """
    if devices[0].platform == "cpu":
        return ["cpu"]
    visible = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]
    numbers = [device.local_hardware_id for device in devices]
    names = [cuda.gpu_uuid(n) or (visible[n] if n < len(visible) else str(n)) for n in numbers]
    return [f"{devices[0].platform}-{name}" for name in names]


def host_threads() -> int:
    """Cores this process may use, which is what XLA's CPU backend sizes its pool by.

    Results on CPU are bit-equal only at an equal count.
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _calibration_kernel() -> Any:
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    def chain(x: Any) -> Any:
        for _ in range(KERNEL_CHAIN):
            x = jnp.tanh(x @ x / KERNEL_SIZE)
        return x

    x = jnp.ones((KERNEL_SIZE, KERNEL_SIZE), jnp.float32)
    compiled = jax.jit(chain).lower(x).compile()
    jax.block_until_ready(compiled(x))
    return compiled, x


def time_calibration_kernel() -> float:
    """Median seconds of a fixed chain of matrix products: how fast the device is right now."""
    return median(kernel_seconds(KERNEL_REPEATS))


def kernel_seconds(repeats: int) -> list[float]:
    """Seconds of the calibration kernel, each time that it is run."""
    import jax  # noqa: PLC0415

    compiled, x = _calibration_kernel()
    seconds = []
    for _ in range(repeats):
        start = perf_counter()
        jax.block_until_ready(compiled(x))
        seconds.append(perf_counter() - start)
    return seconds


def waited_for_processor(beside_this_thread: bool = False) -> float | None:
    """Seconds that this process's threads could have run but had no processor, summed over them.

    None where the system does not say (Linux does, in /proc/self/task/*/schedstat).

    Args:
        beside_this_thread: leave out what the calling thread waited, and as much as it ran: while
            it does, one of the others may wait for it.
    """
    waited = []
    this = str(threading.get_native_id())
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            ran, waits = map(int, file.read_text().split()[:2])
            waited.append(-ran if beside_this_thread and file.parent.name == this else waits)
    return sum(waited) / 1e9 if waited else None


def reset_peak_memory() -> None:
    """Start a new peak of this process's resident memory, where Linux lets us."""
    path = Path("/proc/self/clear_refs")
    if os.access(path, os.W_OK):
        path.write_text("5")


def peak_memory_bytes() -> int | None:
    """Peak bytes in use.

    Of the device over this process's whole life, where the device counts them; else the resident
    memory of this process since `reset_peak_memory`; None where neither is known.
    """
    import jax  # noqa: PLC0415

    stats = jax.local_devices()[0].memory_stats()
    if stats and "peak_bytes_in_use" in stats:
        return int(stats["peak_bytes_in_use"])
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) * 1024 if lines else None


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
