"""How often `compare` is wrong where nothing changed, and how often it finds what did: simulated.

    python -m benchmarks.false_alarms
    python -m benchmarks.false_alarms --slowdown 1.2

A and B are drawn from one distribution, B `slowdown` times as long; the same functions judge them
that judge records. A moment at which the target is met is log-normal over studies, and drift makes
all moments of a run longer or shorter, and all of a run on one workload. Where evaluations are rare
the time that counts is that of the next one, read by a clock with noise of its own.
"""

import json
from dataclasses import asdict, dataclass, replace

import click
import numpy as np

from benchmarks.markdown import table
from scoring.comparing.comparison import Comparison, Side
from scoring.comparing.paired import AT_LEAST, overall_test
from scoring.comparing.versus import Pairs, compared, corrected

CLOCK_NOISE = 0.01


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Attributes:
        studies: of A and of B.
        workloads: how many.
        noise: standard deviation of the logarithm of the moment at which the target is met.
        evaluations: until the target is met; 0 evaluates all the time.
        misses: probability that a study misses the target.
        drift: standard deviation of the logarithm of what all times of a run are multiplied by, and
            again all those of a run on one workload.
        slowdown: true ratio B / A, on every workload.
        allowance: whether the test knows that times are those of evaluations.
        at_least: the least ratio that is marked.
    """

    studies: int
    workloads: int = 9
    noise: float = 0.05
    evaluations: int = 0
    misses: float = 0.0
    drift: float = 0.0
    slowdown: float = 1.0
    allowance: bool = True
    at_least: float = AT_LEAST


def simulate(setting: Setting, repeats: int, seed: int = 0) -> dict[str, float]:
    """Fractions of comparisons in which something was found.

    Args:
        setting: what to simulate.
        repeats: how many comparisons.
        seed: of all draws.

    Returns:
        ``workload``: some workload is marked slower or faster; ``share``: of workloads so marked;
        ``overall``: so are all together; ``failing``: some workload is newly failing;
        ``exit 1``: `--fail-on-regression` fails.
    """
    rng = np.random.default_rng(seed)
    found = np.array([_one(setting, rng) for _ in range(repeats)], float)
    names = ("workload", "share", "overall", "failing", "exit 1")
    return dict(zip(names, found.mean(axis=0).tolist(), strict=True))


def _one(setting: Setting, rng: np.random.Generator) -> tuple[float, ...]:
    """What one comparison finds, in the order of `simulate`."""
    (a, at_a), (b, at_b) = (_draw(setting, rng, by) for by in (1.0, setting.slowdown))
    grain = 1 / setting.evaluations if setting.evaluations else 0.0
    floor = np.where(at_a == at_b, 0.0, setting.allowance * grain**2 / 6)
    rows = [
        compared(Pairs(str(w), np.stack([a[:, w], b[:, w]]), floor[:, w]))
        for w in range(setting.workloads)
    ]
    side = Side("", "", "simulated")
    uncorrected = Comparison(side, side, tuple(rows), overall_test(a.ravel(), b.ravel()))
    (found,) = corrected([uncorrected], setting.at_least)
    marks = [row.mark for row in found.workloads]
    marked = [mark in "+-" for mark in marks]
    return any(marked), np.mean(marked), found.mark in "+-", "!" in marks, any(found.regressions)


def _draw(
    setting: Setting, rng: np.random.Generator, factor: float
) -> tuple[np.ndarray, np.ndarray]:
    """[N, W] times, infinity where missed, and the evaluations at which the target was met."""
    shape = (setting.studies, setting.workloads)
    drift = setting.drift * (rng.standard_normal() + rng.standard_normal(setting.workloads))
    moments = factor * np.exp(drift + setting.noise * rng.standard_normal(shape))
    at, times = moments, moments
    if setting.evaluations:
        at = np.ceil(moments * setting.evaluations)
        times = at / setting.evaluations * np.exp(CLOCK_NOISE * rng.standard_normal(shape))
    return np.where(rng.random(shape) < setting.misses, np.inf, times), at


@click.command()
@click.option("--repeats", default=2000, show_default=True, help="Comparisons in each setting.")
@click.option("--slowdown", default=1.0, show_default=True, help="True ratio B / A.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(repeats, slowdown, as_json):
    """Simulate comparisons with 3 and with 5 studies, and print how many found something."""
    settings = [
        replace(Setting(studies, slowdown=slowdown), **changes)
        for studies in (3, 5)
        for changes in (
            {},
            {"evaluations": 14},
            {"evaluations": 14, "allowance": False},
            {"misses": 0.02},
            {"misses": 0.1},
            {"drift": 0.01, "noise": 0.003},
            {"drift": 0.01, "noise": 0.003, "at_least": 1.0},
            {"drift": 0.01, "noise": 0.01},
            {"drift": 0.01},
        )
    ]
    found = [(setting, simulate(setting, repeats)) for setting in settings]
    if as_json:
        click.echo(json.dumps([asdict(setting) | rates for setting, rates in found], indent=1))
        return
    heads = ["studies", "noise", "drift", "misses", "evaluations", "allowance", "at least"]
    rows = [
        [str(s.studies), f"{s.noise:.1%}", f"{s.drift:.0%}", f"{s.misses:.0%}"]
        + [str(s.evaluations or "always"), "yes" if s.allowance else "no", f"{s.at_least:g}"]
        + [f"{rate:.1%}" for rate in rates.values()]
        for s, rates in found
    ]
    heads += found[0][1]
    click.echo(table(heads, rows, left=0), nl=False)


if __name__ == "__main__":
    main()
