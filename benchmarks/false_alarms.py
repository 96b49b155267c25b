"""How often `compare` is wrong where nothing changed, and how often it finds what did: simulated.

    python -m benchmarks.false_alarms
    python -m benchmarks.false_alarms --slowdown 1.2

A and B are drawn from one distribution, B `slowdown` times as long; the same functions judge them
that judge records. A moment at which the target is met is log-normal over studies; the time that
counts is that of the next evaluation, read by a clock with noise of its own.
"""

import json
from dataclasses import asdict, dataclass, replace

import click
import numpy as np

from benchmarks.markdown import table
from scoring.paired import LEVEL, holm, overall_test, workload_test
from scoring.times import median_over_studies

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
        slowdown: true ratio B / A, on every workload.
        allowance: whether the test knows that times are those of evaluations.
    """

    studies: int
    workloads: int = 9
    noise: float = 0.05
    evaluations: int = 0
    misses: float = 0.0
    slowdown: float = 1.0
    allowance: bool = True


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
    reached_a, reached_b = (np.isfinite(median_over_studies(times)) for times in (a, b))
    tests = [workload_test(a[:, w], b[:, w], floor[:, w]) for w in range(setting.workloads)]
    tested = reached_a & reached_b
    p = holm(test.p if ok else np.nan for test, ok in zip(tests, tested, strict=True))
    ratios = np.array([test.ratio for test in tests])
    overall = overall_test(a.ravel(), b.ravel())
    marked, failing = p < LEVEL, reached_a & ~reached_b
    slower = overall.p < LEVEL and overall.direction > 0
    worse = (marked & (ratios > 1)).any() or failing.any() or slower
    return marked.any(), marked.mean(), overall.p < LEVEL, failing.any(), worse


def _draw(
    setting: Setting, rng: np.random.Generator, factor: float
) -> tuple[np.ndarray, np.ndarray]:
    """[N, W] times, infinity where missed, and the evaluations at which the target was met."""
    shape = (setting.studies, setting.workloads)
    moments = factor * np.exp(setting.noise * rng.standard_normal(shape))
    at = np.ceil(moments * setting.evaluations) if setting.evaluations else moments
    times = at / setting.evaluations if setting.evaluations else moments
    times = times * np.exp(CLOCK_NOISE * rng.standard_normal(shape))
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
        )
    ]
    found = [(setting, simulate(setting, repeats)) for setting in settings]
    if as_json:
        click.echo(json.dumps([asdict(setting) | rates for setting, rates in found], indent=1))
        return
    heads = ["studies", "evaluations", "allowance", "misses", *found[0][1]]
    rows = [
        [str(s.studies), str(s.evaluations or "always"), "yes" if s.allowance else "no"]
        + [f"{s.misses:.0%}"]
        + [f"{rate:.1%}" for rate in rates.values()]
        for s, rates in found
    ]
    click.echo(table(heads, rows, left=0), nl=False)


if __name__ == "__main__":
    main()
