"""What a look at a results directory found, as a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from algoperf_lite.records import finite
from scoring.live import Standings
from scoring.suite import Suite, WorkloadTarget
from scoring.walk import TrialPath

State = Literal["absent", "undeclared", "idle", "running", "complete"]


@dataclass(frozen=True)
class Ended:
    """A trial that has ended.

    Attributes:
        trial: whose record it is.
        status: how it ended; see `records.Status`.
        reason: why, where the record says so.
        time: to the target as scored, on the situation's clock; infinity where it was missed.
        at: when the record was written, in seconds since 1970.
        wall: seconds that the trial took in all; None where not recorded.
        budget: in on-clock seconds; None without one.
        max_steps: most steps; None without such a limit.
        unit: of `time`: "s", or "steps" where trials are not timed.
    """

    trial: TrialPath
    status: str
    reason: str | None
    time: float
    at: float
    wall: float | None = None
    budget: float | None = None
    max_steps: int | None = None
    unit: str = "s"

    @property
    def failed(self) -> bool:
        """Whether it ended in another way than reaching the target or using up its budget."""
        return self.status not in ("target_reached", "budget_exhausted")


@dataclass(frozen=True)
class Running:
    """The trial that is running now, at its latest evaluation.

    Attributes:
        trial: which it is.
        target: of its workload.
        began: when its record was begun, in seconds since 1970.
        at: when it last wrote.
        step: steps taken; None before the first evaluation, as are `seconds` and `value`.
        seconds: on-clock seconds.
        value: of the target's metric; None where it is no number.
        budget: on-clock seconds, as of an ended trial on the same workload; None if there is none.
        max_steps: most steps, where the run ends trials by steps, likewise; else None.
    """

    trial: TrialPath
    target: WorkloadTarget
    began: float
    at: float
    step: int | None = None
    seconds: float | None = None
    value: float | None = None
    budget: float | None = None
    max_steps: int | None = None

    @property
    def part(self) -> float | None:
        """The part of the steps or of the budget that is used up, in [0, 1]; None if unknown."""
        used, of = (self.step, self.max_steps) if self.max_steps else (self.seconds, self.budget)
        return min(1.0, (used or 0) / of) if of else None


@dataclass(frozen=True)
class Situation:
    """What a look found.

    Attributes:
        results: the directory.
        state: "absent" (no such directory), "undeclared" (no suite.json), "running", "idle" (not
            all trials are there, and none is running), "complete".
        suite: what is declared.
        ended: trials that have ended, the latest first.
        declared: how many trials there are to be.
        running: the trial that is running now.
        standings: see `scoring.live`; None where nothing is declared, and of an exploration.
        seconds_left: see `seconds_left`.
        problems: files that cannot be read now, and why.
        sign_of_life: when anything here was last written, in seconds since 1970; None if absent.
        clock: that trials are scored by: "time", or "steps" where some were not timed.
    """

    results: Path
    state: State
    suite: Suite | None = None
    ended: tuple[Ended, ...] = ()
    declared: int = 0
    running: Running | None = None
    standings: Standings | None = None
    seconds_left: float | None = None
    problems: tuple[str, ...] = ()
    sign_of_life: float | None = None
    clock: str = "time"

    @property
    def failures(self) -> list[Ended]:
        """Trials that ended by an error, divergence or the like, the latest first."""
        return [ended for ended in self.ended if ended.failed]

    def to_json(self) -> dict[str, Any]:
        """All of it but the suite, as JSON-ready values; null for infinity."""
        running = self.running and {**asdict(self.running), "part": self.running.part}
        return finite(
            {
                "results": str(self.results),
                "state": self.state,
                "clock": self.clock,
                "trials_ended": len(self.ended),
                "trials_declared": self.declared,
                "seconds_left": self.seconds_left,
                "running": running,
                "standings": self.standings and asdict(self.standings),
                "ended": [{**asdict(ended), "failed": ended.failed} for ended in self.ended],
                "problems": list(self.problems),
            }
        )


def seconds_left(
    ended: Iterable[Ended], todo: Iterable[TrialPath], running: Running | None, now: float
) -> float | None:
    """How long the trials to do may take: an estimate, as good as the past is a guide.

    Args:
        ended: trials that have ended; of each workload the median of their wall seconds counts,
            and of a workload without any the median over all.
        todo: trials that have not, the running one included.
        running: its time until now is taken off, at most all that it was given.
        now: seconds since 1970.

    Returns:
        None as long as no trial has ended.
    """
    walls: dict[str, list[float]] = defaultdict(list)
    for trial in ended:
        if trial.wall is not None:
            walls[trial.trial.workload].append(trial.wall)
    if not walls:
        return None
    typical = {workload: median(of_workload) for workload, of_workload in walls.items()}
    overall = median(wall for of_workload in walls.values() for wall in of_workload)
    left = sum(typical.get(trial.workload, overall) for trial in todo)
    if running:
        of_running = typical.get(running.trial.workload, overall)
        left -= min(max(0.0, now - running.began), of_running)
    return left
