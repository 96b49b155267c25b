"""Verifying a results directory: draw a sample, train it again, compare."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from algoperf_lite.errors import UsageError
from algoperf_lite.executors import Executor, make_executor
from algoperf_lite.records import TRIAL_FILE, read_json
from algoperf_lite.running import Observer, run_trials
from algoperf_lite.spec import TrialSpec
from algoperf_lite.verifying.comparing import Row, read_curve
from algoperf_lite.verifying.judging import judge, judge_untrained
from algoperf_lite.verifying.rebuilding import rebuild
from algoperf_lite.verifying.sampling import TRAINED, Candidate, draw, find_candidates
from algoperf_lite.verifying.sources import Sources
from algoperf_lite.verifying.verdict import Difference, Outcome, RefusedError, Verdict, Verification

SAMPLE = 3
TOLERANCE = 0.001
NOTHING = {"workloads": [], "submissions": []}


def verify(
    results: str | Path,
    *,
    sample: int | None = SAMPLE,
    submissions: Sequence[str] = (),
    workloads: Sequence[str] = (),
    seed: int | None = None,
    elsewhere: Mapping[str, str] | None = None,
    tolerance: float = TOLERANCE,
    devices: int | None = None,
    executor: str | Executor = "process",
    memory_limit: int | None = None,
    ray_address: str | None = None,
    observe: Observer = lambda event: None,
) -> Verification:
    """Train some recorded trials again, and say whether their curves come about again.

    A trial is rebuilt from its record, trained for as many steps as it had, untimed and in a
    temporary directory, and compared at each evaluation. On a CPU with the environment of the
    record every number must be the same to the bit; elsewhere the training loss up to the first
    evaluation must be the same within a tolerance, and the target metric and both losses within
    `judging.GROWN` times that at every evaluation. Records that contradict themselves or
    their suite are told of whether drawn or not. Nothing is written to `results`.

    Args:
        results: what `run` wrote.
        sample: how many trials; None for all.
        submissions: names to draw from; all if there are none.
        workloads: likewise.
        seed: of the draw; drawn anew and told by default, so that nobody knows it beforehand.
        elsewhere: selectors of submissions and workloads, by name, whose files are not in the
            working directory.
        tolerance: relative, of the training loss, where bits cannot be asked for.
        devices: local devices to use; as many as were recorded by default.
        executor: see `run`.
        memory_limit: see `run`.
        ray_address: see `run`.
        observe: called with the events of `run`, before them with ``sample``.

    Raises:
        UsageError: no such directory or name, AlgoPerf's own logs.
        MachineError: no room for the reruns, a corrupt dataset cache.

    Example:
        >>> import algoperf_lite
        >>> algoperf_lite.verify("results/mine", sample=5).ok  # doctest: +SKIP
        True
    """
    if sample is not None and sample < 1:
        raise UsageError(f"--sample must be at least 1, not {sample}")
    if not 0 <= tolerance < 1:
        raise UsageError(f"--tolerance must be from 0 to below 1, not {tolerance:g}")
    found = find_candidates(Path(results), submissions, workloads)
    seed = secrets.randbits(31) if seed is None else seed
    drawn = draw(found.sound, len(found.sound) if sample is None else sample, seed)
    observe({"event": "sample", "drawn": len(drawn), "trials": len(found.sound), "seed": seed})
    verdicts = [_verdict(c, "altered", c.wrong) for c in found.altered]
    environment: dict[str, Any] = {}
    if drawn:
        owned = isinstance(executor, str)
        count = devices or _device_count(drawn[0])
        if owned:
            settings = {"memory_limit": memory_limit, "ray_address": ray_address}
            executor = make_executor(executor, count, **settings)
        try:
            environment = _environment(executor, None if devices else count)
            sources = Sources(executor, found.suite, elsewhere or {})
            verdicts += _Reruns(executor, environment, tolerance, observe).run(drawn, sources)
        finally:
            if owned:
                executor.close()
    return Verification(
        str(results), seed, len(found.sound), dict(found.left_out), tolerance, environment,
        tuple(verdicts),
    )  # fmt: skip


@dataclass(frozen=True)
class _Reruns:
    """Trains trials again.

    Attributes: see `verify`.
    """

    executor: Executor
    environment: Mapping[str, Any]
    tolerance: float
    observe: Observer

    def run(self, drawn: Sequence[Candidate], sources: Sources) -> list[Verdict]:
        """A verdict on each, in the order drawn."""
        with tempfile.TemporaryDirectory(prefix="algoperf_lite_verify_") as folder:
            planned = [self._plan(candidate, sources, Path(folder)) for candidate in drawn]
            specs = [spec for spec, _, _ in planned if isinstance(spec, TrialSpec)]
            workloads = [workload for _, _, workload in planned if workload is not None]
            described = {"workloads": workloads, "environment": self.environment}
            if specs:
                trials = {"trials": [asdict(spec) for spec in specs], "todo": len(specs)}
                self.observe({"event": "plan", **trials, **described})
                run_trials(specs, described, self.executor, self.observe)
            return [
                self._judge(candidate, spec, rows)
                if isinstance(spec, TrialSpec)
                else _verdict(candidate, spec.outcome, str(spec))
                for candidate, (spec, rows, _) in zip(drawn, planned, strict=True)
            ]

    def _plan(
        self, candidate: Candidate, sources: Sources, folder: Path
    ) -> tuple[TrialSpec | RefusedError, list[Row], dict[str, Any] | None]:
        """What to run, what is to come of it, and on which workload; or why not."""
        where = candidate.where
        try:
            rows = _rows(Path(where.path))
            workload = sources.find("workload", where.workload)
            submission = sources.find("submission", where.submission)
            spec = rebuild(candidate, rows, submission, workload, sources.suite, folder)
        except RefusedError as refused:
            return refused, [], None
        return spec, rows, workload

    def _judge(self, candidate: Candidate, spec: TrialSpec, rows: list[Row]) -> Verdict:
        rerun = read_json(spec.directory / TRIAL_FILE)
        if rerun["status"] not in TRAINED:
            return _verdict(candidate, *judge_untrained(rerun))
        rows_again = read_curve(spec.directory)
        judged = judge((candidate.record, rows), (rerun, rows_again), self.tolerance)
        return _verdict(candidate, *judged, evaluations=min(len(rows), len(rows_again)))


def _verdict(
    candidate: Candidate,
    outcome: Outcome,
    reason: str,
    difference: Difference | None = None,
    evaluations: int = 0,
) -> Verdict:
    where, record = candidate.where, candidate.record
    return Verdict(
        where.submission, where.study, where.workload, where.number, where.path, outcome,
        record.get("status"), reason, record.get("steps"), evaluations, difference,
    )  # fmt: skip


def _rows(directory: Path) -> list[Row]:
    try:
        return read_curve(directory)
    except ValueError as error:
        raise RefusedError("altered", f"what it measured cannot be read: {error}") from error


def _device_count(candidate: Candidate) -> int | None:
    environment = candidate.record.get("environment")
    count = environment.get("device_count") if isinstance(environment, Mapping) else None
    return count if isinstance(count, int) else None


def _environment(executor: Executor, recorded: int | None) -> dict[str, Any]:
    """What the worker runs on.

    Args:
        executor: has the worker.
        recorded: how many devices it was given because the trials had them, or None.
    """
    try:
        return executor.call("describe", NOTHING)["environment"]
    except UsageError as error:
        if recorded is None:
            raise
        raise UsageError(
            f"the trials were run on {recorded} devices: {error}. Give --devices N to compare with"
            " a run on fewer"
        ) from error
