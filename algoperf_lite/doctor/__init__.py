"""Whether this machine is fit to time on. Imports no JAX: what takes it is asked of a worker.

Each module gathers the facts of one matter (`gather` here, `in_worker` where trials run) and judges
them (`judge`, which looks at nothing but the facts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

from algoperf_lite import environment
from algoperf_lite.doctor import (
    cache,
    clocks,
    data,
    device,
    disk,
    load,
    memory,
    processor,
    speed,
    versions,
)
from algoperf_lite.doctor.findings import SEVERITY, Finding, Status
from algoperf_lite.errors import MachineError
from algoperf_lite.executors import Executor, WorkerLostError
from algoperf_lite.registry import absolute

__all__ = ["Diagnosis", "Finding", "diagnose"]

FEW = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # most of a GPU's memory is not for a look around
JAX_MEND = 'see: python -c "import jax; print(jax.devices())"; reinstall jax and jaxlib'


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        findings: the worst last.
        facts: what they were judged by, JSON-ready, by matter.
    """

    findings: tuple[Finding, ...]
    facts: Mapping[str, Any]

    @property
    def fit(self) -> bool:
        """Whether this machine is fit to time on."""
        return not self.count("problem")

    def count(self, status: Status) -> int:
        """How many findings have a status."""
        return sum(f.status == status for f in self.findings)


def diagnose(
    workloads: Sequence[str] = (),
    results: str | Path = "results/run",
    *,
    devices: int | None = None,
    executor: Executor | None = None,
) -> Diagnosis:
    """Look at this machine and its devices, and judge whether to time on them.

    Where another run times trials on them, they are left alone, and nothing is measured.

    Args:
        workloads: selectors whose reference submission is timed again and compared with its
            calibration, which takes the time of a calibration; their data is read, too.
        results: where results would be kept.
        devices: local devices to use, data parallel; all by default.
        executor: where trials would run; a worker process by default.

    Raises:
        UsageError: an unknown workload, or too many devices.

    Example:
        >>> from algoperf_lite.doctor import diagnose
        >>> [f.mend for f in diagnose().findings if f.status == "problem"]  # doctest: +SKIP
        []
    """
    present = device.accelerators()
    places = [
        ("home", environment.home(), "ALGOPERF_LITE_HOME"),
        ("results", Path(results), "--results"),
    ]
    around = load.gather("NVIDIA" in present)  # first, while nothing of ours runs
    facts: dict[str, Any] = {
        "versions": versions.gather(),
        "processor": processor.gather(),
        "memory": memory.gather(),
        "load": around,
        "disk": disk.gather(places),
        "cache": cache.gather(),
        "clock": clocks.gather(),
        "accelerators": present,
        "choices": device.choices(),
    }
    found = versions.judge(facts["versions"]) + processor.judge(facts["processor"])
    found += memory.judge(facts["memory"]) + disk.judge(facts["disk"])
    found += clocks.judge(facts["clock"]) + load.judge(around)
    asked = _Asked(executor or _process(devices))
    try:
        if "cpu" in around.holders and not present:
            found += load.judge_lock(around, None)  # importing JAX would slow the holder down
        else:
            asked.all(workloads, around, present, facts["choices"])
    finally:
        if executor is None:
            asked.executor.close()
    found += asked.found + cache.judge(facts["cache"], asked.facts.get("cache"))
    facts |= {f"worker_{about}": content for about, content in asked.facts.items()}
    found.sort(key=lambda f: SEVERITY.index(f.status))
    return Diagnosis(tuple(found), {about: _plain(content) for about, content in facts.items()})


@dataclass
class _Asked:
    """What a worker was asked."""

    executor: Executor
    facts: dict[str, Any] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)

    def all(
        self,
        workloads: Sequence[str],
        around: load.Load,
        present: Mapping[str, int],
        chosen: Mapping[str, str],
    ) -> None:
        """Ask all that there is to ask, as far as it may be."""
        if self._ask("device") is None:
            return  # there is no working JAX
        names = self.facts["device"]["names"]
        self.found += device.judge(self.facts["device"], present, chosen)
        locks = load.judge_lock(around, names)
        self.found += locks
        if any(finding.status == "problem" for finding in locks):
            return
        try:
            with self.executor.reserve("for algoperf-lite doctor"):
                self._measure([absolute(selector) for selector in workloads])
        except MachineError as error:  # of the lock: `_call` keeps the others
            self.found = [finding for finding in self.found if finding not in locks]
            self.found.append(_problem(load.LOCK, error))

    def _measure(self, workloads: Sequence[str]) -> None:
        self._ask("cache")
        if timed := self._ask("speed"):
            self.found += speed.judge(timed)
        for selector in workloads:
            self._reference(selector)
        if prepared := self._ask("data", workloads=workloads):
            self.found += data.judge(prepared, environment.data_directory())

    def _reference(self, selector: str) -> None:
        request = {"workload": selector}
        again = request | {"again": True, "keep": False}
        stored = self._call("reference", "stored_calibration", request)
        if measured := self._call("reference", "calibrate", again):
            per_step = measured["seconds_per_step"]
            before = stored["seconds_per_step"] if stored else None
            self.facts.setdefault("reference", []).append(
                {"workload": measured["workload"], "stored": before, "measured": per_step}
            )
            self.found.append(speed.judge_reference(measured["workload"], before, per_step))

    def _ask(self, about: str, **arguments: Any) -> Any:
        """What a worker says of a matter; None if that failed, which is a finding."""
        answer = self._call(about, "diagnose", {"about": about, **arguments})
        if answer is not None:
            self.facts[about] = answer
        return answer

    def _call(self, about: str, method: str, arguments: Mapping[str, Any]) -> Any:
        try:
            return self.executor.call(method, arguments)
        except WorkerLostError as error:
            mend = JAX_MEND if about == "device" else "tell its authors, with these words"
            self.found.append(Finding(about, "problem", str(error), mend))
        except MachineError as error:
            self.found.append(_problem(about, error))
        return None


def _problem(check: str, error: MachineError) -> Finding:
    """What an error says, its mend, which follows its first sentence, apart."""
    told, _, mend = str(error).partition(". ")
    return Finding(check, "problem", told, mend or "see what it says")


def _process(devices: int | None) -> Executor:
    from algoperf_lite.executors.placement import Placement  # noqa: PLC0415
    from algoperf_lite.executors.process import ProcessExecutor  # noqa: PLC0415

    return ProcessExecutor(devices, placement=Placement(variables=FEW))


def _plain(content: Any) -> Any:
    """JSON-ready."""
    if is_dataclass(content):
        return asdict(content)
    if isinstance(content, list | tuple):
        return [_plain(item) for item in content]
    return content
