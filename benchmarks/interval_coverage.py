"""How often a 95% interval holds the score that no noise would give, and the one measured.

    python -m benchmarks.interval_coverage

Made leaderboards: submissions with known true times on nine workloads, measured in three or five
studies with log-normal noise of 10%. "alike" are equally fast everywhere, which is the worst case:
the fastest of many is lucky, and all scores come out too low; "spread" differ by a log-normal
factor of 30%.
"""

import numpy as np

from scoring import profiles
from scoring.times import median_over_studies
from scoring.uncertainty import bootstrap

WORKLOADS, NOISE, SPREAD = 9, 0.10, 0.30
BOARDS, RESAMPLES = 100, 300


def scores_of(times: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """Scores [..., S] of times [..., S, W], by the rules."""
    return profiles.integrate(profiles.relative_to_best(times, WORKLOADS, slack=slack))


def coverage(submissions: int, spread: float, studies: int) -> dict[str, float]:
    """Shares of submissions, over many boards, and the mean of measured minus true score."""
    none = np.ones(WORKLOADS)
    rng = np.random.default_rng(0)
    holds, inside, error = [], [], []
    for _ in range(BOARDS):
        true = np.exp(spread * rng.standard_normal((submissions, WORKLOADS)))
        truth = scores_of(true, none)
        measured = true * np.exp(NOISE * rng.standard_normal((studies, *true.shape)))
        score = scores_of(median_over_studies(measured), none)
        low, high = bootstrap(measured, scores_of, RESAMPLES).score.T
        holds.append((low <= truth) & (truth <= high))
        inside.append((low <= score) & (score <= high))
        error.append(score - truth)
    return {
        "holds the true score": np.mean(holds),
        "holds the measured score": np.mean(inside),
        "measured - true": np.mean(error),
    }


def main() -> None:
    """Print a line for each kind of board."""
    for kind, spread in (("spread", SPREAD), ("alike", 0.0)):
        for submissions in (4, 20):
            for studies in (3, 5):
                found = coverage(submissions, spread, studies)
                shown = ", ".join(f"{name} {value:.3f}" for name, value in found.items())
                print(f"{submissions:2d} submissions, {kind}, {studies} studies: {shown}")


if __name__ == "__main__":
    main()
