"""Makes results directories to compare, of made times."""

import json

from tests.scoring import made_logs

TIMES = (10.0, 10.4, 9.7, 10.2)
ENVIRONMENT = {"platform": "cpu", "host_threads": 2, "python": "3.11", "versions": {"jax": "1"}}


def rows(seconds, steps=50):
    """Rows of a trial that evaluates after every step and meets its target at the last."""
    return [(seconds * i / steps, 5.0) for i in range(1, steps)] + [(seconds, 0.9)]


def record(study=0, workload="a", trial=1, **more):
    return {"status": "target_reached", "study": study, "workload": workload, "trial": trial,
            "workload_fingerprint": "f", "environment": ENVIRONMENT, "seed": study,
            "target": {"metric": "loss", "value": 1.0, "direction": "minimize"}} | more  # fmt: skip


def write(root, times, submission="one", declared=None, **changes):
    """A results directory: times by workload, a study each; None misses, "" is not run."""
    root.mkdir(parents=True, exist_ok=True)
    made = declared or made_logs.declared(tuple(times), studies=4, trials=1)
    (root / "suite.json").write_text(json.dumps(made))
    for workload, of_studies in times.items():
        for study, seconds in enumerate(of_studies):
            if seconds == "":
                continue
            missed = {} if seconds is not None else {"status": "budget_exhausted"}
            made_logs.write_trial(
                root, submission, workload, made_logs.MISS if missed else rows(seconds), study,
                record=record(study, workload, **(changes | missed)),
            )  # fmt: skip
    return root


def slower(factor, noise=(1.01, 0.99, 1.005, 1.0)):
    return [factor * t * n for t, n in zip(TIMES, noise, strict=True)]


def marks(report):
    return {row.workload: row.mark for c in report.comparisons for row in c.workloads}
