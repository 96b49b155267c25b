"""A leaderboard as a value: submissions, their scores, their times, and why a time is missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from algoperf_lite.records import finite
from scoring import profiles
from scoring.clocks import unit
from scoring.walk import Problem

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
        time: median over studies of the study's time, before the rules; infinity if missed.
        ratio: over the fastest submission, after the rules; infinity where it does not count.
        state: "reached" (it counts), "missing" (no trial on disk), "missed" (the median study
            missed the target), or, disqualified though reached: "too_slow" (rule 2), "base_missed"
            (rule 1), "variant_missed" (rule 3).
        detail: for "missed", how most of its failed trials ended; else empty.
        studies_reached: studies in which the target was met.
        studies_open: studies in which it was not, and that still lack trials.
        trials: trials found.
        studies: the time of each study; infinity where missed or missing.
        interval: 95% interval of the time; None with too few studies.
    """

    time: float
    ratio: float
    state: str
    detail: str = ""
    studies_reached: int = 0
    trials: int = 0
    studies: tuple[float, ...] = ()
    interval: tuple[float, float] | None = None
    studies_open: int = 0

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
        rank: from 1; equal scores share the better rank.
        score_interval: 95% interval of the score; None with too few studies.
        rank_interval: of the rank.
        speedup: geometric mean over the base workloads of the baseline's time over this one's, a
            miss counting at the budget; None without a baseline.
    """

    name: str
    score: float
    ruleset: str | None
    cells: Mapping[str, Cell]
    targets_reached: int
    rank: int
    score_interval: tuple[float, float] | None = None
    rank_interval: tuple[int, int] | None = None
    speedup: float | None = None

    @property
    def missed(self) -> tuple[str, ...]:
        """Workloads whose target was not reached, held-out variants included, before the rules."""
        return tuple(name for name, cell in self.cells.items() if not math.isfinite(cell.time))

    @property
    def times(self) -> dict[str, float]:
        """Times by workload, before the rules; infinity if missed or missing."""
        return {workload: cell.time for workload, cell in self.cells.items()}

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
        trials_noisy: of those found, how many were timed while the machine was busy.
        trials_on_host_loop: of those found, how many called the submission once per step.
        integration: "exact" or "algoperf".
        clock: what times are counted by, see `scoring.clocks.CLOCKS`.
        baseline: the submission that speedups are over, or None.
        ruleset: the ruleset that the submissions were chosen by, or None for all.
    """

    base_workloads: tuple[str, ...]
    held_out_workloads: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]
    studies: int
    trials_found: int
    trials_declared: int
    integration: str = "exact"
    clock: str = "time"
    baseline: str | None = None
    ruleset: str | None = None
    trials_noisy: int = 0
    trials_on_host_loop: int = 0

    @property
    def unit(self) -> str:
        """The unit of times: "s" or "steps"."""
        return unit(self.clock)

    @property
    def suite(self) -> tuple[str, ...]:
        """Base workloads, then held-out variants."""
        return self.base_workloads + self.held_out_workloads

    @property
    def complete(self) -> bool:
        """Whether every declared trial is there."""
        return self.trials_found >= self.trials_declared

    def row(self, submission: str) -> Row:
        """A submission's row.

        Raises:
            KeyError: no such submission.
        """
        return {row.name: row for row in self.rows}[submission]

    def profile(self, submission: str, tau: Sequence[float] | np.ndarray) -> np.ndarray:
        """The performance profile of a submission at each tau: fractions of shape [T].

        Raises:
            KeyError: no such submission.
        """
        ratios = self.row(submission).ratios
        relative = np.array([[ratios[workload] for workload in self.base_workloads]])
        return profiles.rho(relative, np.asarray(tau, float))[0]

    def to_json(self) -> dict[str, Any]:
        """Everything the leaderboard shows, as JSON-ready values; null for infinity."""
        return {
            "suite": list(self.suite),
            "base_workloads": list(self.base_workloads),
            "held_out_workloads": list(self.held_out_workloads),
            "submissions": [_row_json(row) for row in self.rows],
            "problems": [asdict(problem) for problem in self.problems],
            "complete": self.complete,
            "trials_found": self.trials_found,
            "trials_declared": self.trials_declared,
            "trials_noisy": self.trials_noisy,
            "trials_on_host_loop": self.trials_on_host_loop,
            "studies": self.studies,
            "integration": self.integration,
            "clock": self.clock,
            "unit": self.unit,
            "baseline": self.baseline,
            "ruleset": self.ruleset,
        }

    def __str__(self) -> str:
        lines = [f"{row.rank:3d}. {row.score:.4f}  {row.name}" for row in self.rows]
        return "\n".join(lines)


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "rank_interval": row.rank_interval,
        "name": row.name,
        "score": row.score,
        "score_interval": row.score_interval,
        "ruleset": row.ruleset,
        "targets_reached": row.targets_reached,
        "speedup": finite(row.speedup),
        "times": finite(row.times),
        "cells": {workload: finite(asdict(cell)) for workload, cell in row.cells.items()},
    }
