"""What a report shows, as one JSON-ready object; `page` puts it into the page that draws it.

    title, source, written, version, integration, clock, unit
    least_studies how many studies make intervals
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
    trials        {columns: [...], rows: [[...], ...]}: see `rows.TRIAL_COLUMNS`
    problems      [{path, what}]: what was skipped or voided; paths below the source
    commands      {show}: what shows a trial ({path}, with the source, as one word of a shell)

Numbers that are not finite are null. Times are seconds, but those that are "on the chosen clock".
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scoring.board import WORDS
from scoring.deciding import by_cell, deciding, of_median_study
from scoring.details import Details, read_details
from scoring.leaderboard import find_suite, from_records
from scoring.reader import Records, read_records
from scoring.report.commands import run_command, score_command
from scoring.report.rows import TRIAL_COLUMNS, Interned, trial_row
from scoring.suite import Suite
from scoring.uncertainty import LEAST_STUDIES
from scoring.wording import MEANINGS, RULES


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
    points, environments = Interned(), Interned()
    places = [{name: i for i, name in enumerate(of)} for of in (names, declared.names)]
    rows = [trial_row(one, source, *places, points, environments) for one in details]
    return {
        "title": title or f"Leaderboard of {Path(results_dir).resolve().name}",
        "source": source,
        "written": written,
        "version": _version(),
        "integration": integration,
        "clock": clock,
        "unit": boards[0]["board"]["unit"],
        "least_studies": LEAST_STUDIES,
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


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return version("algoperf_lite")
