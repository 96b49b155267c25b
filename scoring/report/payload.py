"""What a report shows, as one JSON-ready object; `page` puts it into the page that draws it.

    title, source, written, version, integration, clock, unit
    boards        [{ruleset, tier, command, board, deciding}]: the leaderboard over everything
                  first, then one for each ruleset and tier there is; `command` prints it, `board`
                  is `Leaderboard.to_json()` without the problems, which are below; `deciding` is
                  {submission: {workload: index into the trials' rows}}: which stands for the cell,
                  see `scoring.deciding.of_median_study`
    states        {state of a cell: {word, meaning, rule}}: how it is worded; `rule` is the number
                  of the one that took it away, or null
    workloads     [{name, held_out, base, tier, metric, target, direction, step_hint, fingerprint}]
    submissions   [{name, ruleset, command}]: by name; `command` trains it, {workload} to be filled
    environments  [{...}]: what trials ran on, each once
    points        [{...}]: hyperparameters, each point once
    trials        {columns: [...], rows: [[...], ...]}: see `TRIAL_COLUMNS`
    problems      [{path, what}]: what was skipped or voided; paths below the source
    commands      {show}: what shows a trial ({path}, with the source, as one word of a shell)

Numbers that are not finite are null. Times are seconds, but those that are "on the chosen clock".
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from algoperf_lite.records import finite
from scoring.board import WORDS
from scoring.deciding import by_cell, deciding, of_median_study
from scoring.details import Details, read_details
from scoring.leaderboard import find_suite, from_records
from scoring.reader import Records, read_records
from scoring.report.commands import run_command, score_command
from scoring.suite import Suite
from scoring.wording import MEANINGS, RULES

TRIAL_COLUMNS = {
    "submission": "index into submissions",
    "workload": "index into workloads",
    "study": "from 0",
    "trial": "from 1",
    "path": "of its directory, below the source",
    "status": "how it ended",
    "reason": "why; null where nothing is recorded",
    "time": "to the target on the chosen clock; null if missed",
    "steps_to_target": "null if missed",
    "seconds": "on the clock, the whole trial",
    "steps": "of the whole trial",
    "budget": "on-clock seconds it had; null without one",
    "clock": "{data, update, eval_params, on_eval}: seconds on the clock",
    "compile": "seconds of compiling ahead of time, off the clock",
    "evaluation": "seconds of evaluating, off the clock",
    "late_compiles": "compilations that happened on the clock",
    "robust_seconds": "the whole trial on the robust clock",
    "noisy": "whether the two clocks disagree by more than 10%",
    "kernel": "[before, after]: seconds of the calibration kernel",
    "drifted": "whether those differ by more than 10%",
    "flops_per_step": "by XLA's cost analysis",
    "peak_memory": "bytes",
    "seed": "of the trial",
    "point": "index into points; null where none is recorded",
    "environment": "index into environments; null where none is recorded",
    "curve_seconds": "at each evaluation",
    "curve_steps": "likewise; [first, every, count] where they are evenly spaced",
    "curve_metric": "likewise, the target's metric on the validation split",
}


@dataclass(frozen=True)
class _Interned:
    """A list in which equal values have one place."""

    values: list[Any]
    places: dict[str, int]

    def place(self, value: dict[str, Any]) -> int | None:
        if not value:
            return None
        key = json.dumps(value, sort_keys=True)
        if key not in self.places:
            self.places[key] = len(self.values)
            self.values.append(value)
        return self.places[key]


def payload(
    results_dir: str | Path,
    suite: str | Path | Suite | None = None,
    *,
    title: str | None = None,
    written: str | None = None,
    integration: str = "exact",
    clock: str = "time",
    baseline: str | None = None,
) -> dict[str, Any]:
    """Reads a results directory, of this project or of AlgoPerf, for a report.

    Args:
        results_dir: see `scoring.score`.
        suite: see `scoring.score`.
        title: of the page; by default it names the directory.
        written: when, as text, or None.
        integration: see `scoring.score`.
        clock: see `scoring.score`.
        baseline: see `scoring.score`.

    Raises:
        UsageError: see `scoring.score`.
    """
    declared = find_suite(results_dir, suite)
    records = read_records(results_dir, declared, clock=clock)
    source = str(results_dir)
    command = partial(score_command, source, suite, integration=integration, clock=clock)
    boards = _boards(records, declared, integration, baseline, command)
    names = sorted(row["name"] for row in boards[0]["board"]["submissions"])
    details = read_details(records.trials, declared)
    _add_deciding(boards, details, declared)
    points, environments = _Interned([], {}), _Interned([], {})
    places = [{name: i for i, name in enumerate(of)} for of in (names, declared.names)]
    rows = [_trial(one, source, *places, points, environments) for one in details]
    return {
        "title": title or f"Leaderboard of {Path(results_dir).resolve().name}",
        "source": source,
        "written": written,
        "version": _version(),
        "integration": integration,
        "clock": clock,
        "unit": boards[0]["board"]["unit"],
        "boards": boards,
        "states": {
            state: {"word": word, "meaning": MEANINGS[state], "rule": RULES.get(state)}
            for state, word in WORDS.items()
        },
        "workloads": [_workload(declared, index) for index in range(len(declared.names))],
        "submissions": [_submission(declared, name) for name in names],
        "environments": environments.values,
        "points": points.values,
        "trials": {"columns": list(TRIAL_COLUMNS), "rows": rows},
        "problems": [
            {"path": os.path.relpath(problem.path, source), "what": problem.what}
            for problem in records.problems
        ],
        "commands": {"show": "algoperf-lite show {path}"},
    }


def _boards(
    records: Records,
    suite: Suite,
    integration: str,
    baseline: str | None,
    command: Callable[..., str],
) -> list[dict[str, Any]]:
    """The leaderboard over everything, and one for every choice of ruleset and tier."""
    rulesets = {
        suite.ruleset_of(name) for name in (*records.submissions, *(suite.submissions or ()))
    }
    tiers = {target.tier for target in suite.base}
    made = []
    for ruleset in [None, *sorted(rulesets - {None})] if len(rulesets) > 1 else [None]:
        for tier in [None, *sorted(tiers - {None})] if len(tiers) > 1 else [None]:
            workloads = [t.name for t in suite.workloads if tier in (None, _tier(suite, t))]
            # Ranked among themselves, the others' baseline is not there.
            there = ruleset is None or suite.ruleset_of(baseline or "") == ruleset
            over = baseline if there else None
            board = from_records(
                records,
                suite.select(workloads),
                integration=integration,
                ruleset=ruleset,
                baseline=over,
            )
            chosen = workloads if tier is not None else ()
            made.append({
                "ruleset": ruleset,
                "tier": tier,
                "command": command(baseline=over, ruleset=ruleset, workloads=chosen),
                "board": {k: v for k, v in board.to_json().items() if k != "problems"},
            })  # fmt: skip
    return made


def _add_deciding(
    boards: Sequence[dict[str, Any]], details: Sequence[Details], suite: Suite
) -> None:
    """Adds to each board which trial stands for each of its cells."""
    targets = {target.name: target for target in suite.workloads}
    index = {id(one): place for place, one in enumerate(details)}
    decided = {
        (name, workload): deciding(trials, targets[workload])
        for (name, workload), trials in by_cell(details, suite).items()
    }
    for made in boards:
        board = made["board"]
        made["deciding"] = {
            row["name"]: {
                workload: index[id(of_median_study(found, board["studies"]))]
                for workload in board["suite"]
                if (found := decided.get((row["name"], workload)))
            }
            for row in board["submissions"]
        }


def _tier(suite: Suite, target: Any) -> str | None:
    """A workload's tier; a held-out variant is of its base's, with which it stands or falls."""
    return {t.name: t.tier for t in suite.base}[target.base or target.name]


def _workload(suite: Suite, index: int) -> dict[str, Any]:
    target = suite.workloads[index]
    return {
        "name": target.name,
        "held_out": target.base is not None,
        "base": target.base,
        "tier": target.tier,
        "metric": target.metric,
        "target": target.value,
        "direction": target.direction,
        "step_hint": target.step_hint,
        "fingerprint": target.fingerprint,
    }


def _submission(suite: Suite, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "ruleset": suite.ruleset_of(name),
        "command": run_command(suite, name),
    }


def _trial(
    details: Details,
    source: str,
    submissions: Mapping[str, int],
    workloads: Mapping[str, int],
    points: _Interned,
    environments: _Interned,
) -> list[Any]:
    trial, record = details.trial, details.record
    off_clock = record.get("off_clock") or {}
    values = {
        "submission": submissions[trial.submission],
        "workload": workloads[trial.workload],
        "study": trial.study,
        "trial": trial.number,
        "path": os.path.relpath(trial.path, source),
        "status": trial.status,
        "reason": trial.reason,
        "time": trial.time,
        "steps_to_target": trial.steps,
        "seconds": details.on_clock,
        "steps": record.get("steps") or _last(details.steps),
        "budget": record.get("budget_seconds"),
        "clock": _rounded_all(record.get("clock")),
        "compile": off_clock.get("compile"),
        "evaluation": details.evaluation_seconds,
        "late_compiles": (record.get("compiles_on_clock") or {}).get("count"),
        "robust_seconds": record.get("robust_seconds"),
        "noisy": record.get("noisy"),
        "kernel": [_rounded(t) for t in record.get("calibration_kernel_seconds") or []] or None,
        "drifted": record.get("drifted"),
        "flops_per_step": details.flops_per_step,
        "peak_memory": record.get("peak_memory_bytes"),
        "seed": record.get("seed"),
        "point": points.place(details.hyperparameters),
        "environment": environments.place(_lasting(details.environment)),
        "curve_seconds": _rounded_curve(details.seconds),
        "curve_steps": _spaced(details.steps),
        "curve_metric": _rounded_curve(details.metric),
    }
    return [finite(_rounded(values[name])) for name in TRIAL_COLUMNS]


def _lasting(environment: dict[str, Any]) -> dict[str, Any]:
    """An environment without what changes from one moment to the next, as AlgoPerf logs it."""
    passing = ("cpu.", "mem.", "gpu.", "net.", "workload.", "hyperparameters.")
    return {k: v for k, v in environment.items() if not k.startswith(passing)}


def _spaced(steps: np.ndarray) -> list[float | None]:
    """Evenly spaced steps as [first, every, count], if that is shorter; else as they are."""
    gaps = set(np.diff(steps).tolist()) if np.isfinite(steps).all() else set()
    if len(steps) > 3 and len(gaps) == 1:
        return [steps[0].item(), gaps.pop(), len(steps)]
    return [_rounded(step) for step in steps.tolist()]


def _rounded_curve(values: np.ndarray) -> list[float]:
    """Five figures, of the many numbers that are only drawn."""
    return [float(f"{value:.5g}") for value in values.tolist()]


def _last(values: np.ndarray) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else None


def _rounded_all(numbers: Any) -> dict[str, float] | None:
    return {k: _rounded(v) for k, v in numbers.items()} if isinstance(numbers, dict) else None


def _rounded(value: Any) -> Any:
    """Six figures are more than a screen can show, and half the bytes."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("algoperf_lite")
