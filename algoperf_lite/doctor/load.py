"""What else is running on this machine, and who times trials on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from algoperf_lite import device_lock
from algoperf_lite.doctor.findings import Finding, size

CHECK, LOCK = "other load", "device lock"
SAMPLE_SECONDS = 0.5
LEAST = 0.02  # cores' worth; processes that take less are not named
BUSY = 0.1  # share of the cores that we may use
STOLEN = 0.02  # share of their time that the hypervisor gave to others
PATIENCE_SECONDS = 20.0
MOST_NAMED = 3
MOST_CHARACTERS = 40  # of a command line
APPS = "--query-compute-apps=pid,process_name,used_memory"


@dataclass(frozen=True)
class Running:
    """A process and what it takes: cores' worth of time, or bytes of a GPU's memory (if known)."""

    pid: int
    name: str
    takes: float | None


@dataclass(frozen=True)
class Load:
    """What others did while this process slept.

    Attributes:
        cores: that this process may use.
        busy: cores' worth of time of them that was used.
        stolen: share of their time that the hypervisor gave to other machines.
        top: processes that used most, on any core.
        average: load averages over 1, 5 and 15 minutes.
        on_gpus: processes that compute on GPUs.
        gpu_error: why these could not be told; None where they could, or where there is no GPU.
        holders: what `device_lock.holders` says.
    """

    cores: int
    busy: float
    stolen: float
    top: tuple[Running, ...]
    average: tuple[float, float, float]
    on_gpus: tuple[Running, ...] = ()
    gpu_error: str | None = None
    holders: dict[str, dict[str, Any]] = field(default_factory=dict)


def gather(gpus: bool) -> Load:
    """Watch others for half a second.

    Args:
        gpus: whether the machine has NVIDIA's.
    """
    on_gpus, gpu_error = _gpu_processes() if gpus else ((), None)
    spent_before, used_before = _spent(), _used()
    start = time.monotonic()
    time.sleep(SAMPLE_SECONDS)
    used_after, seconds = _used(), time.monotonic() - start
    busy, stolen = ((b - a) / seconds for a, b in zip(used_before, used_after, strict=True))
    cores = len(_cores())
    takes = {p: (spent - spent_before.get(p, 0.0)) / seconds for p, spent in _spent().items()}
    top = sorted((p for p in takes if takes[p] > LEAST), key=lambda p: -takes[p])[:MOST_NAMED]
    return Load(
        cores=cores,
        busy=busy,
        stolen=stolen / cores,
        top=tuple(Running(p.pid, _command(p), takes[p]) for p in top),
        average=os.getloadavg(),
        on_gpus=on_gpus,
        gpu_error=gpu_error,
        holders=device_lock.holders(),
    )


def judge(facts: Load) -> list[Finding]:
    """Others that take part of the device's time take part of the trials' time."""
    averages = " ".join(f"{value:.2f}" for value in facts.average)
    told = f"{facts.busy:.2f} of {facts.cores} cores in use; load average {averages}"
    found = []
    if facts.busy > BUSY * facts.cores:
        who = ", ".join(f"{p.takes:.2f} {p.name} (process {p.pid})" for p in facts.top)
        mend = "wait, or end it; the noisy mark of trials tells where it mattered"
        told = f"{told}; most by: {who}" if who else told
        found.append(Finding(CHECK, "warning", told, mend))
    if facts.stolen > STOLEN:
        stolen = f"the hypervisor gave {facts.stolen:.0%} of the time to other machines"
        found.append(Finding(CHECK, "warning", stolen, "time on a machine that is not shared"))
    if facts.on_gpus:
        who = ", ".join(f"{p.name} (process {p.pid}{_memory(p)})" for p in facts.on_gpus)
        found.append(Finding(CHECK, "warning", f"on GPUs: {who}", "wait, or end them"))
    if facts.gpu_error:
        mend = "after an upgrade of the driver, restart the machine"
        found.append(Finding(CHECK, "warning", f"nvidia-smi: {facts.gpu_error}", mend))
    return found or [Finding(CHECK, "ok", told)]


def judge_lock(facts: Load, devices: Collection[str] | None) -> list[Finding]:
    """A device that another run times trials on is refused to a second one.

    Args:
        facts: what `gather` saw.
        devices: that trials would run on; None if not known.
    """
    return list(_locks(facts, devices)) or [Finding(LOCK, "ok", "nobody times trials here")]


def _locks(facts: Load, devices: Collection[str] | None) -> Iterator[Finding]:
    for device, who in facts.holders.items():
        told = f"{device}: {device_lock.describe(who)}"
        if devices is None or device in devices:
            yield Finding(LOCK, "problem", told, "wait for it, or explore with --untimed")
        else:
            yield Finding(LOCK, "note", told, "it may slow the host down for you")


def _memory(process: Running) -> str:
    return "" if process.takes is None else f", {size(process.takes)}"


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _used() -> tuple[float, float]:
    """Seconds that the cores which we may use were busy, and that were stolen from them."""
    times, cores = psutil.cpu_times(percpu=True), _cores()
    if cores[-1] < len(times):  # else some are switched off, and numbers say nothing
        times = [times[core] for core in cores]
    stolen = sum(getattr(t, "steal", 0.0) for t in times)
    idle = sum(t.idle + getattr(t, "iowait", 0.0) for t in times)
    guests = sum(getattr(t, "guest", 0.0) + getattr(t, "guest_nice", 0.0) for t in times)
    return sum(map(sum, times)) - idle - stolen - guests, stolen


def _spent() -> dict[psutil.Process, float]:
    """What each other process has used in its life; one that took over a number is another."""
    found = {}
    for process in psutil.process_iter(["name", "cpu_times"]):
        used = process.info["cpu_times"]
        if process.pid != os.getpid() and used is not None:
            found[process] = used.user + used.system
    return found


def _command(process: psutil.Process) -> str:
    """The first words of a process's command line, or its name where that is not for us to see."""
    try:
        program, *words = process.cmdline()
    except (psutil.Error, ValueError):
        return _plain(process.info["name"])
    return _plain(" ".join([os.path.basename(program), *words[:2]]))[:MOST_CHARACTERS]


def _gpu_processes() -> tuple[tuple[Running, ...], str | None]:
    """Processes on NVIDIA's GPUs, by their own tool; and why it did not say, if so."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return (), None
    command = [tool, APPS, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return (), f"no answer within {PATIENCE_SECONDS:g} s"
    if done.returncode:
        return (), _plain((done.stdout + done.stderr).strip()[:200])
    return tuple(_parse(done.stdout)), None


def _parse(text: str) -> Iterator[Running]:
    """Lines of ``pid, name, MiB``; a name may hold commas, the memory may be ``[N/A]``."""
    for line in text.splitlines():
        pid, _, rest = line.partition(",")
        name, _, used = rest.rpartition(",")
        with suppress(ValueError):
            mebibytes = float(used) if used.strip().isdecimal() else None
            takes = None if mebibytes is None else mebibytes * 2**20
            yield Running(int(pid), _plain(name.strip()), takes)


def _plain(text: str | None) -> str:
    """Without what could steer a terminal: processes choose their names."""
    return "".join(filter(str.isprintable, text or "?"))
