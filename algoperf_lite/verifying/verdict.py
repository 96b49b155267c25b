"""What verifying says: of one trial, and of the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["equal", "close", "differs", "altered", "unverifiable"]
REPRODUCED = frozenset({"equal", "close"})
REFUTED = frozenset({"differs", "altered"})


class RefusedError(Exception):
    """A trial is not run again.

    Args:
        outcome: its verdict's.
        reason: why.
    """

    def __init__(self, outcome: Outcome, reason: str):
        super().__init__(reason)
        self.outcome: Outcome = outcome


@dataclass(frozen=True)
class Difference:
    """Where a rerun leaves the recorded curve.

    Attributes:
        step: of the first evaluation that differs.
        column: what differs most in it; None where one of the two has no such evaluation.
        recorded: its value, or None.
        again: that of the rerun, or None.
        relative: their difference over the larger of their magnitudes.
        largest: the largest such number over all evaluations.
        largest_step: and where that is.
    """

    step: int
    column: str | None
    recorded: float | None
    again: float | None
    relative: float
    largest: float
    largest_step: int


@dataclass(frozen=True)
class Verdict:
    """What became of one trial.

    Attributes:
        submission: whose it is, by its directory.
        study: from 0.
        workload: likewise.
        trial: from 1.
        path: its directory.
        outcome: ``"equal"``: the rerun gave the same numbers to the bit; ``"close"``: the same
            within the tolerance, where bits cannot be asked for; ``"differs"``: it did not;
            ``"altered"``: the record contradicts itself or its suite, nothing was rerun;
            ``"unverifiable"``: nothing can be said, which is never taken for reproduced.
        status: how the trial ended, by its record.
        reason: why, where there is something to say.
        steps: that were taken again.
        evaluations: that were compared.
        difference: of the rerun and the record, if they are not equal.
    """

    submission: str
    study: int
    workload: str
    trial: int
    path: str
    outcome: Outcome
    status: str | None = None
    reason: str = ""
    steps: int = 0
    evaluations: int = 0
    difference: Difference | None = None


@dataclass(frozen=True)
class Verification:
    """What verifying a results directory found. That a curve reproduces says nothing of its time.

    Attributes:
        results: the directory.
        seed: that the sample was drawn from.
        trials: how many there were to draw from.
        left_out: of the others, how many had which status: they do not score, and cannot be rerun
            step for step.
        tolerance: see `verify`.
        environment: of the reruns.
        verdicts: of the altered, which are always told, and of the sample.
    """

    results: str
    seed: int
    trials: int
    left_out: Mapping[str, int]
    tolerance: float
    environment: Mapping[str, Any]
    verdicts: tuple[Verdict, ...] = field(default_factory=tuple)

    @property
    def ok(self) -> bool:
        """Whether at least one trial reproduces, and none differs or was altered."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        return bool(outcomes & REPRODUCED) and not outcomes & REFUTED

    def to_json(self) -> dict[str, Any]:
        """All of it, JSON-ready but for numbers that are not finite."""
        return asdict(self) | {"ok": self.ok}
