"""A comparison as a value: per workload two times, their ratio and a mark, and all together."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from algoperf_lite.records import finite
from scoring.clocks import unit
from scoring.comparing.paired import AT_LEAST, LEVEL, Overall, Ratio
from scoring.walk import Problem

MARKS = {
    "+": "B slower",
    "-": "B faster",
    "~": "not significant, or too little to count",
    "?": "too few studies",
    "!": "newly failing: A reached the target, B missed it",
    "*": "newly reaching: A missed the target, B reached it",
    ".": "both missed",
    "x": "not comparable",
}


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    Attributes:
        path: as the user named it: a results directory, or a submission's directory in one.
        results: the results directory.
        submission: its name there.
    """

    path: str
    results: str
    submission: str


@dataclass(frozen=True)
class Times:
    """A side's times on one workload, over the studies that both sides ran.

    Attributes:
        median: infinity if the median study missed; NaN without a study.
        interval: 95% interval of the median by bootstrap; None with fewer than three studies.
        studies: time of each study; infinity where missed.
    """

    median: float
    interval: tuple[float, float] | None
    studies: tuple[float, ...]

    @property
    def reached(self) -> bool:
        """Whether the median study met the target."""
        return math.isfinite(self.median)

    @property
    def hits(self) -> int:
        """How many studies met it."""
        return sum(map(math.isfinite, self.studies))

    @property
    def met(self) -> str:
        """How many studies met it of how many, as in "2/3"."""
        return f"{self.hits}/{len(self.studies)}"


@dataclass(frozen=True)
class WorkloadComparison:
    """A and B on one workload.

    Attributes:
        workload: its name.
        mark: a key of `MARKS`.
        a: times of A.
        b: times of B.
        ratio: of the studies that both reached.
        p: corrected for the number of tests of the report; NaN where there was no test.
        notes: what a reader must know to read the mark.
        untested: those of the notes that say what of B could not be compared with A.
    """

    workload: str
    mark: str
    a: Times
    b: Times
    ratio: Ratio
    p: float = math.nan
    notes: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A submission of A against one of B.

    Attributes:
        a: which submission.
        b: which.
        workloads: those that both were run on or should have been.
        overall: over the comparable ones.
        p: of `overall`, corrected for the number of comparisons of the report.
        mark: a key of `MARKS`, of all workloads together.
        notes: what holds for all workloads.
    """

    a: Side
    b: Side
    workloads: tuple[WorkloadComparison, ...]
    overall: Overall
    p: float = math.nan
    mark: str = "~"
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The submission, or both where they differ."""
        names = (self.a.submission, self.b.submission)
        return names[0] if names[0] == names[1] else " / ".join(names)

    @property
    def regressions(self) -> Iterator[str]:
        """In what B is worse than A, beyond chance."""
        for row in self.workloads:
            if row.mark in "+!":
                yield f"{self.name} on {row.workload}: {_worse(row)}"
        if self.mark == "+":
            yield f"{self.name} over all workloads: B slower, p = {self.p:.2g}"

    @property
    def untested(self) -> Iterator[str]:
        """In what B could be worse than A unseen."""
        for row in self.workloads:
            if row.untested:
                how = "not tested" if row.mark in "x?" else "tested in part"
                yield f"{self.name} on {row.workload}: {how}: {'; '.join(row.untested)}"


@dataclass(frozen=True)
class Report:
    """All that one call compared.

    Attributes:
        comparisons: one for each submission.
        clock: what times are counted by.
        at_least: ratio of two times that counts as a difference, if it is beyond chance.
        notes: what was left out of both.
        problems: what was malformed in the records of the compared, and is not counted.
    """

    comparisons: tuple[Comparison, ...]
    clock: str
    at_least: float = AT_LEAST
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def regressions(self) -> list[str]:
        """In what B is worse than A, beyond chance; empty if in nothing."""
        return [line for comparison in self.comparisons for line in comparison.regressions]

    @property
    def untested(self) -> list[str]:
        """In what B could be worse than A unseen; empty if in nothing."""
        return [*(line for c in self.comparisons for line in c.untested), *self.notes]

    @property
    def tested(self) -> bool:
        """Whether any test was made, so that finding no regression means something."""
        overall = any(not math.isnan(comparison.p) for comparison in self.comparisons)
        return overall or any(
            not math.isnan(row.p) for comparison in self.comparisons for row in comparison.workloads
        )

    def to_json(self) -> dict[str, Any]:
        """Everything the report shows; null for what is not a number."""
        return {
            "clock": self.clock,
            "unit": unit(self.clock),
            "level": LEVEL,
            "at_least": self.at_least,
            "marks": MARKS,
            "comparisons": [
                finite(asdict(comparison)) | {"name": comparison.name}
                for comparison in self.comparisons
            ],
            "regressions": self.regressions,
            "untested": self.untested,
            "tested": self.tested,
            "notes": list(self.notes),
            "problems": [asdict(problem) for problem in self.problems],
        }


def _worse(row: WorkloadComparison) -> str:
    if row.mark == "!":
        return f"newly failing (met {row.b.met}, was {row.a.met})"
    return f"{row.ratio.ratio:.2f}x the time, p = {row.p:.2g}"
