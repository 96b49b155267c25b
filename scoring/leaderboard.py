"""The leaderboard: scores, the times behind them, and why a time is missing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from algoperf_lite.errors import UsageError
from algoperf_lite.records import SUITE_FILE, finite
from scoring import profiles
from scoring.reader import Trial, read_records
from scoring.suite import Suite, load_suite
from scoring.times import TimeTable, time_table
from scoring.walk import Problem, require_directory

# Why a workload does not count for a submission, in a word or two.
WORDS = {
    "missing": "no logs",
    "missed": "missed",
    "too_slow": "over 4x",
    "base_missed": "base missed",
    "variant_missed": "variant missed",
}


@dataclass(frozen=True)
class Cell:
    """One submission on one workload.

    Attributes:
        seconds: median over studies of the study's time, before the rules; infinity if missed.
        ratio: over the fastest submission, after the rules; infinity where it does not count.
        state: "reached" (it counts), "missing" (no trial on disk), "missed" (the median study
            missed the target), or, disqualified though reached: "too_slow" (rule 2), "base_missed"
            (rule 1), "variant_missed" (rule 3).
        detail: for "missed", how most of its failed trials ended; else empty.
        studies_reached: studies in which the target was met.
        trials: trials found.
    """

    seconds: float
    ratio: float
    state: str
    detail: str = ""
    studies_reached: int = 0
    trials: int = 0

    @property
    def counts(self) -> bool:
        """Whether the time enters the score (if the workload is a base workload)."""
        return self.state == "reached"

    @property
    def word(self) -> str:
        """Why it does not count, in a word or two; empty if it does."""
        return self.detail or WORDS.get(self.state, "")


@dataclass(frozen=True)
class Row:
    """One submission.

    Attributes:
        name: the submission.
        score: in [0, 1].
        ruleset: "external", "self" or None where none is declared.
        cells: by workload, held-out variants included.
        targets_reached: base workloads whose target was reached, before the rules.
    """

    name: str
    score: float
    ruleset: str | None
    cells: Mapping[str, Cell]
    targets_reached: int

    @property
    def times(self) -> dict[str, float]:
        """Seconds by workload, before the rules; infinity if missed or missing."""
        return {workload: cell.seconds for workload, cell in self.cells.items()}

    @property
    def ratios(self) -> dict[str, float]:
        """Ratio to the fastest by workload, after the rules; infinity where it does not count."""
        return {workload: cell.ratio for workload, cell in self.cells.items()}


@dataclass(frozen=True)
class Leaderboard:
    """Scores of all submissions on a suite.

    Attributes:
        base_workloads: what the score is the mean over.
        held_out_workloads: variants that can only disqualify.
        rows: best first; equal scores by name.
        problems: what was malformed on disk and skipped.
        studies: how many studies the medians are over.
        trials_found: trials on disk, interrupted ones left out.
        trials_declared: trials that there should be.
        integration: "exact" or "algoperf".
    """

    base_workloads: tuple[str, ...]
    held_out_workloads: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    studies: int
    trials_found: int
    trials_declared: int
    integration: str = "exact"

    @property
    def suite(self) -> tuple[str, ...]:
        """Base workloads, then held-out variants."""
        return self.base_workloads + self.held_out_workloads

    @property
    def complete(self) -> bool:
        """Whether every declared trial is there."""
        return self.trials_found >= self.trials_declared

    def profile(self, submission: str, tau: Sequence[float] | np.ndarray) -> np.ndarray:
        """The performance profile of a submission at each tau: fractions of shape [T].

        Raises:
            KeyError: no such submission.
        """
        by_name = {row.name: row for row in self.rows}
        ratios = by_name[submission].ratios
        relative = np.array([[ratios[workload] for workload in self.base_workloads]])
        return profiles.rho(relative, np.asarray(tau, float))[0]

    def to_json(self) -> dict[str, Any]:
        """Everything the leaderboard shows, as JSON-ready values; null for infinity."""
        return {
            "suite": list(self.suite),
            "base_workloads": list(self.base_workloads),
            "held_out_workloads": list(self.held_out_workloads),
            "submissions": [_row_json(rank, row) for rank, row in enumerate(self.rows, 1)],
            "problems": [asdict(problem) for problem in self.problems],
            "complete": self.complete,
            "trials_found": self.trials_found,
            "trials_declared": self.trials_declared,
            "studies": self.studies,
            "integration": self.integration,
        }

    def __str__(self) -> str:
        lines = [f"{rank:3d}. {row.score:.4f}  {row.name}" for rank, row in enumerate(self.rows, 1)]
        return "\n".join(lines)


def score(
    results_dir: str | Path,
    suite: str | Path | Suite | None = None,
    workloads: Iterable[str] | None = None,
    integration: str = "exact",
) -> Leaderboard:
    """Scores a results directory, of this project or of AlgoPerf.

    Args:
        results_dir: holds <submission>/study_<i>/<workload>_jax/trial_<k>/.
        suite: a suite, or the path of a suite file; by default the `suite.json` in the directory.
        workloads: only these workloads of the suite.
        integration: "exact", or "algoperf" for AlgoPerf's 100-point trapezoid.

    Raises:
        UsageError: no such directory, nothing in it, no suite, an unknown workload or integration.

    Example:
        >>> board = score("results/demo")  # doctest: +SKIP
        >>> [(row.name, row.score) for row in board.rows]  # doctest: +SKIP
    """
    declared = suite if isinstance(suite, Suite) else load_suite(_suite_path(results_dir, suite))
    chosen = declared if workloads is None else declared.select(workloads)
    records = read_records(results_dir, chosen, known=declared.names)
    table = time_table(records.trials, chosen, records.submissions)
    return from_times(table, chosen, integration, (*records.problems, *table.problems))


def from_times(
    table: TimeTable,
    suite: Suite,
    integration: str = "exact",
    problems: Iterable[Problem] = (),
) -> Leaderboard:
    """Applies rules and score to a table of times; see `score`."""
    median, n_base = table.median, len(suite.base)
    base_names = [target.name for target in suite.base]
    base_index = [base_names.index(target.base) for target in suite.held_out]
    ruled = profiles.apply_rules(median[:, :n_base], median[:, n_base:], base_index)
    relative = profiles.ratios(np.concatenate(ruled, axis=1))
    scores = profiles.integrate(relative[:, :n_base], integration)
    states = _states(median, n_base, base_index)
    rows = []
    for s, name in enumerate(table.submissions):
        cells = {
            workload: _cell(table, s, w, float(relative[s, w]), states[s][w])
            for w, workload in enumerate(table.workloads)
        }
        reached = int(np.isfinite(median[s, :n_base]).sum())
        rows.append(Row(name, float(scores[s]), suite.ruleset_of(name), cells, reached))
    return Leaderboard(
        base_workloads=tuple(base_names),
        held_out_workloads=tuple(target.name for target in suite.held_out),
        rows=tuple(sorted(rows, key=lambda row: (-row.score, row.name))),
        problems=tuple(problems),
        studies=table.studies,
        trials_found=table.found,
        trials_declared=table.declared,
        integration=integration,
    )


def _states(median: np.ndarray, n_base: int, base_index: Sequence[int]) -> list[list[str]]:
    """For each [S, W], "reached", "missed" or the rule that took the time away."""
    base, held_out = median[:, :n_base], median[:, n_base:]
    after_1 = profiles.miss_variants_of_missed_bases(base, held_out, base_index)
    stages = [("missed", median), ("base_missed", np.concatenate([base, after_1], axis=1))]
    after_2 = profiles.miss_beyond_limit(stages[-1][1])
    after_3 = profiles.miss_bases_of_missed_variants(
        after_2[:, :n_base], after_2[:, n_base:], base_index
    )
    stages.append(("too_slow", after_2))
    stages.append(("variant_missed", np.concatenate([after_3, after_2[:, n_base:]], axis=1)))
    states = np.full(median.shape, "reached", dtype=object)
    for state, times in reversed(stages):  # the earliest reason stands
        states[~np.isfinite(times)] = state
    return states.tolist()


def _cell(table: TimeTable, s: int, w: int, ratio: float, state: str) -> Cell:
    trials = table.trials.get((table.submissions[s], table.workloads[w]), [])
    if not trials:
        state = "missing"
    of_study = table.of_study[:, s, w]
    return Cell(
        seconds=float(table.median[s, w]),
        ratio=ratio,
        state=state,
        detail=_how_most_ended(trials) if state == "missed" else "",
        studies_reached=int(np.isfinite(of_study).sum()),
        trials=len(trials),
    )


def _how_most_ended(trials: Sequence[Trial]) -> str:
    """The commonest end of the trials that missed, if it was not merely the end of the budget."""
    ends = Counter(trial.status for trial in trials if not trial.reached)
    commonest = min(ends, key=lambda status: (-ends[status], status), default="")
    plain = {"budget_exhausted", "target_reached", "missed"}
    return "" if commonest in plain else commonest


def _suite_path(results_dir: str | Path, suite: str | Path | None) -> Path:
    require_directory(results_dir)
    if suite is not None:
        return Path(suite)
    path = Path(results_dir) / SUITE_FILE
    if not path.exists():
        raise UsageError(
            f"{results_dir}: holds no {SUITE_FILE}: say which workloads and targets count with "
            "--suite FILE (this project's form or AlgoPerf's workload_targets JSON)."
        )
    return path


def _row_json(rank: int, row: Row) -> dict[str, Any]:
    return {
        "rank": rank,
        "name": row.name,
        "score": row.score,
        "ruleset": row.ruleset,
        "targets_reached": row.targets_reached,
        "times": finite(row.times),
        "cells": {workload: finite(asdict(cell)) for workload, cell in row.cells.items()},
    }
