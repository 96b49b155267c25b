"""`tune`: run what is missing of an exploration, rank the points, say how to rerun the winner."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from algoperf_lite import study
from algoperf_lite.errors import UsageError
from algoperf_lite.executors import Executor, make_executor
from algoperf_lite.records import EVALUATIONS_FILE, read_evaluations
from algoperf_lite.registry import absolute
from algoperf_lite.selectors import with_values
from algoperf_lite.spec import TrialSpec
from algoperf_lite.targets.choice import best_value
from algoperf_lite.tune.importance import Importance, importance
from algoperf_lite.tune.points import changes, drawn, numbered, on_grid, varying
from algoperf_lite.tune.ranking import Explored, Outcome, cost, rank
from algoperf_lite.tuning import Point

SEEDS = 5  # studies of the command that reruns the winner


@dataclass(frozen=True)
class Tuning:
    """What an exploration found.

    Attributes:
        submission: selector of the submission.
        default: its default point.
        workloads: what `describing.describe_workload` says of each.
        selectors: of the workloads, as they were given.
        ranked: the points, best first.
        results: where its records are.
        steps: whether trials were limited by steps rather than time.
        rerun: how the winner fared when it was run alone for time, by workload; empty unless the
            points shared programs.
        scored: how the winner fared on the workloads that it was not chosen on.
    """

    submission: str
    default: Point
    workloads: tuple[dict[str, Any], ...]
    selectors: tuple[str, ...]
    ranked: tuple[Explored, ...]
    results: Path
    steps: bool
    rerun: Mapping[str, Outcome] = field(default_factory=dict)
    scored: Mapping[str, Outcome] = field(default_factory=dict)

    @property
    def winner(self) -> Explored:
        """The best point."""
        return self.ranked[0]

    @property
    def selector(self) -> str:
        """A selector of the submission with the winner as its default point."""
        return with_values(self.submission, changes(self.default, self.winner.point))

    @property
    def varied(self) -> list[str]:
        """Names of the hyperparameters that differ between points."""
        return varying([e.point for e in sorted(self.ranked, key=lambda e: e.trial)])

    @cached_property
    def importance(self) -> Importance:
        """How much each of them matters for the cost."""
        return importance(sorted(self.ranked, key=lambda e: e.trial))

    @property
    def command(self) -> str:
        """The command that runs the winner over seeds, for a shell."""
        words = ["algoperf-lite", "run"]
        for workload in self.selectors:
            words += ["-w", workload]
        words += ["-s", self.selector, "--quick", "--studies", str(SEEDS)]
        words += ["--results", str(self.results / "seeds")]
        return shlex.join(words)


def tune(
    submission: str,
    workloads: Sequence[str],
    results: str | Path,
    *,
    points: int = 8,
    only: Sequence[str] = (),
    grid: Mapping[str, Sequence[Any]] | None = None,
    steps: bool = False,
    vectorize: int | None = None,
    rerun: bool = True,
    score_on: Sequence[str] = (),
    stop_hopeless: bool = False,
    seed: int = 0,
    retry_failed: bool = False,
    devices: int | None = None,
    executor: str | Executor = "process",
    observe: study.Observer = lambda event: None,
) -> Tuning:
    """Run a submission at several points on each workload, one trial each, and rank the points.

    All trials have one seed, so that points differ by nothing else. What is recorded is not run
    again: the same call goes on where it was interrupted, and more points, or others, may be asked
    for later. Its ruleset makes no difference.

    Args:
        submission: selector, see `registry`.
        workloads: selectors.
        results: directory of the records; each submission has its own in it.
        points: how many, the default point first, the others drawn from the search space; without
            a search space there is only the default.
        only: hyperparameters to explore, the rest stays at the default.
        grid: values to try by hyperparameter, instead of drawing: the default point and then every
            combination.
        steps: limit trials to the step hint rather than to a time budget.
        vectorize: train up to so many points in one program, by steps; such trials are not timed.
        rerun: with `vectorize`, run the winner once more, alone and for time.
        score_on: selectors of other workloads, on which the winner is run once and nothing is
            chosen, so that its figures there say what tuning is worth elsewhere ("Hyperparameters
            in Continual Learning: A Reality Check", https://arxiv.org/abs/2403.09066).
        stop_hopeless: end trials that will miss their target, see `forecast`.
        seed: of the draw and of the trials.
        retry_failed: run trials again whose record says ``error``.
        devices: local devices to use, data parallel; all by default.
        executor: as in `study.run`.
        observe: as in `study.run`.

    Returns:
        The points, ranked.

    Raises:
        UsageError: an unknown name, a hyperparameter without a range, fewer than one point.

    Example:
        >>> from algoperf_lite.tune import tune
        >>> found = tune("nadamw", ["zipf_lm"], "results/tune", points=4)  # doctest: +SKIP
        >>> found.winner.point["learning_rate"]  # doctest: +SKIP
    """
    if isinstance(workloads, str) or not workloads:
        raise UsageError("name at least one workload (-w NAME)")
    if points < 1:
        raise UsageError(f"--points must be at least 1, not {points}")
    if vectorize is not None and vectorize < 2:
        raise UsageError(f"--vectorize must be at least 2, not {vectorize}; leave it out for 1")
    if grid and only:
        raise UsageError("--grid says which hyperparameters to explore: leave out --only")
    owned = isinstance(executor, str)
    executor = make_executor(executor, devices) if owned else executor
    try:
        described = executor.call(
            "describe",
            {
                "workloads": [absolute(w) for w in (*workloads, *score_on)],
                "submissions": [absolute(submission)],
            },
        )
        (of,) = described["submissions"]
        tuned_on = described["workloads"][: len(workloads)]
        scored_on = described["workloads"][len(workloads) :]
        _refuse_overlap(tuned_on, scored_on)

        def describe(selectors: list[str]) -> list[dict[str, Any]]:
            request = {"workloads": [], "submissions": selectors}
            return executor.call("describe", request)["submissions"]

        chosen = on_grid(of, grid, describe) if grid else drawn(of, points, only, seed)
        results = Path(results) / of["name"]
        by_trial = numbered(chosen, results)
        session = _Session(of["selector"], executor, observe, retry_failed)
        outcomes = {}
        for w in tuned_on:
            hint = w["step_hint"] if steps or vectorize else None
            found = session.run(
                [w], results / w["name"], points=by_trial, max_steps=hint, vectorize=vectorize,
                stop_hopeless=stop_hopeless, seed=seed,
            )  # fmt: skip
            outcomes[w["name"]] = {spec.trial: outcome for spec, outcome in found}
        explored = [
            Explored(trial, point, {name: found[trial] for name, found in outcomes.items()})
            for trial, point in by_trial.items()
        ]
        directions = {w["name"]: w["target"]["direction"] for w in tuned_on}
        tuning = Tuning(
            submission, of["default"], tuple(tuned_on), tuple(workloads),
            tuple(rank(explored, directions)), results, steps or vectorize is not None,
        )  # fmt: skip
        session.submission = absolute(tuning.selector)
        if vectorize and rerun:
            found = session.run(tuned_on, results / "rerun", quick=True, seed=seed)
            tuning = replace(tuning, rerun={s.workload_name: outcome for s, outcome in found})
        scored = {}
        for w in scored_on:
            hint = w["step_hint"] if steps else None
            directory = results / "score" / (w["name"] if steps else "")
            ((_, scored[w["name"]]),) = session.run([w], directory, quick=True, max_steps=hint,
                                                    seed=seed)  # fmt: skip
        tuning = replace(tuning, scored=scored)
    finally:
        if owned:
            executor.close()
    return tuning


def _refuse_overlap(tuned_on: list[dict[str, Any]], scored_on: list[dict[str, Any]]) -> None:
    names = {w["name"] for w in tuned_on}
    if both := sorted(w["name"] for w in scored_on if w["name"] in names):
        raise UsageError(
            f"--score-on takes other workloads than -w, or the tuning leaks into the score: leave"
            f" out {', '.join(both)}"
        )


@dataclass
class _Session:
    """What all runs of one exploration share."""

    submission: str
    executor: Executor
    observe: study.Observer
    retry_failed: bool

    def run(
        self, workloads: Sequence[dict[str, Any]], results: Path, **settings: Any
    ) -> list[tuple[TrialSpec, Outcome]]:
        """Run what is missing of some trials; all of them, with their outcomes."""
        specs: list[TrialSpec] = []

        def observed(event: dict[str, Any]) -> None:
            if event["event"] == "plan":
                specs.extend(TrialSpec(**fields) for fields in event["trials"])
            self.observe(event)

        run = study.run(
            [w["selector"] for w in workloads], [self.submission], results,
            retry_failed=self.retry_failed, executor=self.executor, observe=observed, **settings,
        )  # fmt: skip
        by_name = {w["name"]: w for w in workloads}
        return [
            (spec, outcome(record, spec.directory, by_name[spec.workload_name]))
            for spec, record in zip(specs, run.trials, strict=True)
        ]


def outcome(record: Mapping[str, Any], directory: Path, workload: Mapping[str, Any]) -> Outcome:
    """How a recorded trial fared.

    Args:
        record: its trial.json.
        directory: where it lies.
        workload: what is known of the workload.
    """
    budget, steps = record.get("budget_seconds"), record.get("steps", 0)
    seconds = record.get("robust_seconds")
    used, allowed = (steps, workload["step_hint"]) if budget is None else (seconds, budget)
    target = workload["target"]
    column = f"validation/{target['metric']}"
    rows = read_evaluations(directory / EVALUATIONS_FILE)
    curve = [(int(row["global_step"]), row[column]) for row in rows if column in row]
    best = best_value(curve, target["direction"])
    return Outcome(
        record["status"],
        cost(record["status"], used or 0.0, allowed),
        steps,
        seconds,
        best if math.isfinite(best) else math.nan,
    )
