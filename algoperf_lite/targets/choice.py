"""Which value to make a target, from learning curves that ran on to the step hint."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from algoperf_lite.workload import Direction, Target

BAND = (0.6, 0.9)  # of the step hint, in which the reference should reach the target
AIM = 0.75  # of the step hint
ENOUGH_REACH = 0.9  # share of seeds
MOST_VARIATION = 0.15  # coefficient of variation of steps to target over seeds
DIGITS = 3

Curve = Sequence[tuple[int, float]]
"""(step, value of the target metric) at each evaluation."""


@dataclass(frozen=True)
class Candidate:
    """A value that could be the target, and how the seeds of a submission fare with it.

    Attributes:
        value: of the target metric.
        seeds: how many curves there are.
        reached: how many of them reach it.
        steps: steps to target of those that do, sorted.
    """

    value: float
    seeds: int
    reached: int
    steps: tuple[int, ...]

    @property
    def median_steps(self) -> float:
        """Median over seeds, those that never reach it counted as infinity."""
        return statistics.median([*self.steps, *[math.inf] * (self.seeds - self.reached)])

    @property
    def variation(self) -> float:
        """Coefficient of variation of steps to target; NaN for fewer than two."""
        if self.reached < 2:
            return math.nan
        return statistics.stdev(self.steps) / statistics.mean(self.steps)

    def fits(self, step_hint: int) -> bool:
        """Whether it is reached often enough, in the band, and with little variation."""
        return (
            self.reached >= ENOUGH_REACH * self.seeds
            and BAND[0] * step_hint <= self.median_steps <= BAND[1] * step_hint
            and not self.variation > MOST_VARIATION
        )


def steps_to(curve: Curve, target: Target) -> int | None:
    """The first step at which a curve meets a target, or None."""
    return next((step for step, value in curve if target.met(value)), None)


def examine(curves: Sequence[Curve], value: float, direction: Direction) -> Candidate:
    """How the curves fare with a value.

    Example:
        >>> examine([[(10, 3.0), (20, 2.0)], [(10, 2.5), (20, 2.4)]], 2.2, "minimize")
        Candidate(value=2.2, seeds=2, reached=1, steps=(20,))
    """
    target = Target("", value, direction)
    steps = sorted(s for curve in curves if (s := steps_to(curve, target)) is not None)
    return Candidate(value, len(curves), len(steps), tuple(steps))


def candidates(curves: Sequence[Curve], direction: Direction, step_hint: int) -> list[Candidate]:
    """A candidate for each evaluation in the band: the median over seeds of the best value so far.

    Args:
        curves: one for each seed, all evaluated at the same steps at least up to the band's end.
        direction: of the target metric.
        step_hint: the workload's.

    Returns:
        Candidates rounded to `DIGITS` significant digits towards the easier side, without doubles.
    """
    best = min if direction == "minimize" else max
    steps = sorted({step for curve in curves for step, _ in curve})
    found = {}
    for step in steps:
        if BAND[0] * step_hint <= step <= BAND[1] * step_hint:
            so_far = [best(_finite(curve, step, direction)) for curve in curves]
            value = _rounded(statistics.median(so_far), direction)
            if math.isfinite(value):
                found.setdefault(value, examine(curves, value, direction))
    return list(found.values())


def choose(found: Sequence[Candidate], step_hint: int) -> Candidate | None:
    """The fitting candidate whose median is nearest to `AIM`; None where none fits."""
    fitting = [c for c in found if c.fits(step_hint)]
    return min(fitting, key=lambda c: abs(c.median_steps / step_hint - AIM), default=None)


def best_value(curve: Curve, direction: Direction) -> float:
    """The best value on a curve; NaN is never the best."""
    best = min if direction == "minimize" else max
    return best(_finite(curve, math.inf, direction))


def _finite(curve: Curve, until: float, direction: Direction) -> list[float]:
    worst = math.inf if direction == "minimize" else -math.inf
    return [v if math.isfinite(v) else worst for step, v in curve if step <= until] or [worst]


def _rounded(value: float, direction: Direction) -> float:
    """To `DIGITS` significant digits, to the side that is easier to reach."""
    if not math.isfinite(value) or value == 0:
        return value
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - DIGITS + 1)
    up = direction == "minimize"
    whole = math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)
    return float(f"{whole * unit:.{DIGITS}g}")
