"""Compares two results directories, or two submissions: which is slower, and is it chance?

from scoring import compare
report = compare("results/old", "results/new")
report.regressions
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from algoperf_lite.errors import UsageError, unknown_name
from scoring.comparing.comparable import KINDS, OF_STEPS
from scoring.comparing.comparison import Report, Side
from scoring.comparing.paired import AT_LEAST
from scoring.comparing.sides import find_sides
from scoring.comparing.versus import Trials, corrected, trials_of, versus
from scoring.leaderboard import find_suite
from scoring.reader import Records, read_records
from scoring.suite import Suite
from scoring.walk import Problem


def compare(
    a: str | Path,
    b: str | Path,
    *,
    submissions: Sequence[str] = (),
    workloads: Iterable[str] | None = None,
    suite: str | Path | Suite | None = None,
    clock: str = "time",
    across: Collection[str] = (),
    at_least: float = AT_LEAST,
) -> Report:
    """Compares B with A, paired over the studies of each workload that both ran.

    A study's time is the least over its trials, of those that both sides have; where the two are
    held to different rulesets, of all that each has.

    Args:
        a: a results directory, or a submission's directory in one.
        b: another of the same kind.
        submissions: of two results directories, only these; by default all that both have.
        workloads: only these; by default all that both suites declare.
        suite: for both sides; by default each one's own `suite.json`.
        clock: what to count time by, see `scoring.clocks.CLOCKS`.
        across: kinds of difference to compare across, of `comparable.KINDS`. By steps, device and
            versions are among them.
        at_least: ratio of two times from which a difference is marked, if it is beyond chance: two
            runs at different times differ by the state of their machine too.

    Raises:
        UsageError: see `sides.find_sides` and `scoring.score`; no workload in common; an unknown
            kind of difference; `at_least` is less than 1.

    Example:
        >>> report = compare("results/old", "results/new")  # doctest: +SKIP
        >>> [(row.workload, row.mark) for row in report.comparisons[0].workloads]  # doctest: +SKIP
    """
    if not 1 <= at_least < math.inf:
        raise UsageError(f"the least ratio that counts must be 1 or more, not {at_least}")
    for kind in across:
        if kind not in KINDS:
            raise unknown_name("kind of difference", kind, KINDS)
    across = {*across, *(KINDS.keys() - OF_STEPS if clock == "steps" else ())}
    read = _Reader(suite, clock)
    pairs, notes = find_sides(a, b, submissions, lambda path: read(path).records.submissions)
    first_a, first_b = (read(side.results) for side in pairs[0])
    names, more = _shared_workloads(first_a.suite, first_b.suite, workloads)
    targets = list(zip(first_a.targets(names), first_b.targets(names), strict=True))
    found, problems = [], {}
    for pair in pairs:
        sides = [read(side.results) for side in pair]
        trials = tuple(r.trials_of(s, names) for r, s in zip(sides, pair, strict=True))
        rules = tuple(r.suite.ruleset_of(s.submission) for r, s in zip(sides, pair, strict=True))
        found.append(versus(pair, trials, targets, rules, across))
        for one, side in zip(sides, pair, strict=True):
            problems |= dict.fromkeys(one.problems_of(side))
    return Report(corrected(found, at_least), clock, at_least, (*notes, *more), tuple(problems))


@dataclass(frozen=True)
class _Read:
    """A results directory as read."""

    suite: Suite
    records: Records

    def targets(self, workloads: Sequence[str]) -> list:
        by_name = {target.name: target for target in self.suite.workloads}
        return [by_name[name] for name in workloads]

    def trials_of(self, side: Side, workloads: Sequence[str]) -> Trials:
        trials = [trial for trial in self.records.trials if trial.workload in workloads]
        return trials_of(side.submission, trials, self.suite)

    def problems_of(self, side: Side) -> list[Problem]:
        """Of its trials, and of what holds for all trials there."""
        own = Path(side.results, side.submission)
        shared = {Path(side.results), Path(self.suite.where)}
        paths = [(problem, Path(problem.path)) for problem in self.records.problems]
        return [p for p, path in paths if path in shared or path.is_relative_to(own)]


class _Reader:
    """Reads each results directory once."""

    def __init__(self, suite: str | Path | Suite | None, clock: str):
        self.suite = suite
        self.clock = clock
        self.found: dict[str, _Read] = {}

    def __call__(self, path: str) -> _Read:
        if path not in self.found:
            suite = find_suite(path, self.suite)
            self.found[path] = _Read(suite, read_records(path, suite, clock=self.clock))
        return self.found[path]


def _shared_workloads(
    a: Suite, b: Suite, wanted: Iterable[str] | None
) -> tuple[list[str], list[str]]:
    """Names of the workloads to compare on, and notes on those that one side lacks."""
    shared = [name for name in a.names if name in b.names]
    if not shared:
        raise UsageError(
            f"{a.where} and {b.where} declare no workload in common: {', '.join(a.names)};"
            f" {', '.join(b.names)}"
        )
    if wanted is not None:
        wanted = set(wanted)
        for name in sorted(wanted):
            for suite in (a, b):
                if name not in suite.names:
                    raise unknown_name("workload", name, suite.names, suite.where)
        return [name for name in shared if name in wanted], []
    alone = {"A": set(a.names) - set(shared), "B": set(b.names) - set(shared)}
    return shared, [
        f"declared by {label} alone, not compared: {', '.join(sorted(names))}"
        for label, names in alone.items()
        if names
    ]
