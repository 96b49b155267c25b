"""What holds the device: loads workloads, compiles once, runs trials.

A process that is one is `serving`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax

from algoperf_lite import calibration, dataset, environment, errors, registry, suites
from algoperf_lite.algoperf.program import HostProgram
from algoperf_lite.checkpoints import of_trial
from algoperf_lite.engine import Program, SubmissionError
from algoperf_lite.executors import Event
from algoperf_lite.executors.describing import (
    describe_submission,
    describe_target,
    describe_workload,
)
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.records import TrialRecorder, finite, read_json, write_json
from algoperf_lite.referee import Referee
from algoperf_lite.spec import TrialSpec
from algoperf_lite.submission import Evaluation, Submission
from algoperf_lite.trial import GiveUp, Limits, Trial
from algoperf_lite.vectorized import VectorizedProgram, refuse_streamed
from algoperf_lite.vectorized_trial import VectorizedTrials
from algoperf_lite.workload import Workload

KEPT_WORKLOADS = 12
KEPT_PROGRAMS = 24  # some 20 MiB each, and a second to load again from the cache on disk

Notify = Callable[[Event], None]


class Worker:
    """Runs trials on the local devices, keeping data and compiled programs between them.

    Args:
        devices: how many local devices to use; None for all.
    """

    def __init__(self, devices: int | None = None):
        environment.use_compilation_cache()
        present = jax.local_devices()
        if devices is not None and not 1 <= devices <= len(present):
            raise errors.UsageError(
                f"--devices {devices}, but there are {len(present)} ({present[0].platform})"
            )
        self._devices = present[:devices]
        self._environment = environment.describe(len(self._devices))
        self._loaded = lru_cache(KEPT_WORKLOADS)(self._load)
        self._programs = lru_cache(KEPT_PROGRAMS)(self._compile)

    def describe(
        self, notify: Notify, workloads: Sequence[str], submissions: Sequence[str]
    ) -> dict[str, Any]:
        """What the planner must know of workloads and submissions, and of this machine.

        What is imported may end or stop this process; so ``importing`` is told before.
        """

        def each(describe_one: Callable, selectors: Sequence[str]) -> Iterator[dict[str, Any]]:
            for selector in selectors:
                notify({"importing": selector})
                yield describe_one(selector)

        return {
            "workloads": list(each(describe_workload, workloads)),
            "submissions": list(each(describe_submission, submissions)),
            "environment": self._environment,
        }

    def device_names(self, notify: Notify) -> list[str]:
        """Names of the devices in use, unique on this machine."""
        del notify
        return environment.device_names(self._devices)

    def suite(self, notify: Notify, name: str, held_out_seed: int | None = None) -> dict[str, Any]:
        """What `suites.find_suite` says, JSON-ready."""
        del notify
        return asdict(suites.find_suite(name, held_out_seed))

    def calibrate(
        self, notify: Notify, workload: str, again: bool = False, keep: bool = True
    ) -> dict[str, Any]:
        """Reference seconds per step of a workload, measured now or before.

        Args:
            notify: told when it is measured.
            workload: its selector.
            again: measure even where a value is stored.
            keep: store what is measured, which is what budgets are made of.
        """
        found, reference, file = self._reference(workload)
        stored = None if again else read_json(file)
        if stored is None:
            notify({"doing": f"calibrating {found.name}"})
            static, traced = reference.split_hyperparameters(reference.default)
            program = Program(self._loaded(workload), reference, static, traced)
            stored = calibration.measure(program, program.hyperparameters(traced))
            stored |= {"workload": found.name, "reference": found.reference}
            stored |= {"environment": self._environment}
            if keep:
                write_json(file, stored)
        return stored

    def stored_calibration(self, notify: Notify, workload: str) -> dict[str, Any] | None:
        """What `calibrate` stored of a workload on this device; None if it has not been."""
        del notify
        return read_json(self._reference(workload)[2])

    def diagnose(self, notify: Notify, about: str, **arguments: Any) -> Any:
        """What a check of `doctor`, by the name of its module, asks of where trials run."""
        del notify
        check = importlib.import_module(f"algoperf_lite.doctor.{about}")
        return check.in_worker(self._devices, self._environment, **arguments)

    def trial(self, notify: Notify, **spec_fields: Any) -> dict[str, Any]:
        """Run one trial and record it; returns what trial.json holds."""
        spec = TrialSpec(**spec_fields)
        notify({"doing": "loading data"})
        loaded = self._loaded(spec.workload)
        summary = self._identity(spec, loaded)
        checkpoints = of_trial(spec, summary, notify)
        recorder = self._recorder(spec, loaded)
        # without a clock, the budget is but what the submission is told
        limits = Limits(spec.budget_seconds if spec.timed else None, spec.max_steps)
        trial = Trial(
            lambda: self._program(notify, spec),
            spec.hyperparameters, spec.seed, limits, recorder, notify, _give_up(spec, loaded),
            spec.timed, checkpoints, Referee(loaded, limits),
        )  # fmt: skip
        record = recorder.finish(summary | trial.run())
        if record["status"] == "invalid":
            self._forget()
        if checkpoints is not None:
            checkpoints.remove()  # not before: a crash in between would lose the trial
        return record

    def vectorized(self, notify: Notify, trials: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run trials that differ in traced hyperparameters alone in one program, and record each.

        Progress reports name a trial by its index, under ``point``.
        """
        specs = [TrialSpec(**fields) for fields in trials]
        notify({"doing": "loading data"})
        loaded = self._loaded(specs[0].workload)
        refuse_streamed(loaded)
        recorders = [self._recorder(spec, loaded) for spec in specs]
        done = VectorizedTrials(
            lambda: self._program(notify, specs[0], len(specs)),
            [spec.hyperparameters for spec in specs],
            specs[0].seed,
            Limits(steps=specs[0].max_steps),
            recorders,
            lambda point, event: notify({"point": point, **event}),
            _give_up(specs[0], loaded),
            Referee(loaded),
        ).run()
        if any(summary["status"] == "invalid" for summary in done):
            self._forget()
        records = [
            self._identity(spec, loaded) | summary
            for spec, summary in zip(specs, done, strict=True)
        ]
        finished = [r.finish(record) for r, record in zip(recorders, records, strict=True)]
        return [finite(record) for record in finished]

    def _forget(self) -> None:
        """Load and compile anew what a trial that broke the rules may have written into."""
        self._loaded.cache_clear()
        self._programs.cache_clear()

    def _reference(self, workload: str) -> tuple[Workload, Submission, Path]:
        """A workload, its reference submission, and where their calibration is kept."""
        found = registry.find_workload(workload)
        _, reference, fingerprint = registry.find_submission(found.reference)
        return found, reference, calibration.path(self._environment, found.fingerprint, fingerprint)

    def _recorder(self, spec: TrialSpec, loaded: LoadedWorkload) -> TrialRecorder:
        metrics = ["loss", *(m.name for m in loaded.workload.metrics)]
        return TrialRecorder(spec.directory, metrics, spec.hyperparameters, self._environment)

    def _identity(self, spec: TrialSpec, loaded: LoadedWorkload) -> dict[str, Any]:
        """What trial.json says of a trial that has yet to run."""
        return spec.identity() | {
            "target": describe_target(loaded.workload),
            "data_fingerprint": dataset.data_fingerprint(
                loaded.workload.dataset, environment.data_directory()
            ),
            "environment": self._environment,
        }

    def _program(self, notify: Notify, spec: TrialSpec, points: int | None = None) -> Any:
        """The compiled program of a trial, or of so many trials that share it."""
        notify({"doing": "compiling"})
        _, submission, fingerprint = registry.find_submission(spec.submission)
        if fingerprint != spec.submission_fingerprint:
            raise SubmissionError(
                f"{spec.submission} changed since this run was planned; start it again"
            )
        static, traced = submission.split_hyperparameters(spec.hyperparameters)
        return self._programs(
            spec.workload,
            spec.submission,
            fingerprint,
            spec.budget_seconds,
            tuple(sorted(static.items())),
            tuple(sorted(traced)),
            points,
        )

    def _load(self, selector: str) -> LoadedWorkload:
        workload = registry.find_workload(selector)
        splits = dataset.load(
            workload.dataset,
            environment.data_directory(),
            selector,
            environment.device_data_bytes(),
        )
        loaded = LoadedWorkload(workload, splits, self._devices)
        with suppress(Exception):  # the trial meets it again, and records it
            loaded.compile_evaluation()
        return loaded

    def _compile(
        self,
        workload: str,
        submission: str,
        fingerprint: str,
        budget: float | None,
        static: tuple[tuple[str, Any], ...],
        traced: tuple[str, ...],
        points: int | None,
    ) -> Any:
        del fingerprint  # part of the key: an edited file is compiled anew
        _, found, _ = registry.find_submission(submission)
        loaded, names = self._loaded(workload), dict.fromkeys(traced)
        if registry.parse_selector(submission).of_algoperf:
            return HostProgram(loaded, found, dict(static), budget)
        if points is not None:
            return VectorizedProgram(loaded, found, dict(static), names, points)
        return Program(loaded, found, dict(static), names, budget)


def _give_up(spec: TrialSpec, loaded: LoadedWorkload) -> GiveUp | None:
    """What ends a trial of an exploration that is found to be hopeless, if it is to be ended."""
    if not spec.stop_hopeless:
        return None
    from algoperf_lite.tune.forecast import hopeless  # noqa: PLC0415

    def give_up(history: Sequence[Evaluation]) -> str | None:
        by_steps = spec.budget_seconds is None
        curve = [(e.step if by_steps else e.seconds, e.value) for e in history]
        end = spec.max_steps if by_steps else spec.budget_seconds
        return hopeless(curve, loaded.workload.target, end)

    return give_up
