"""An A/A benchmark: one submission under two names, which must tie; and what a busy machine does.

    python -m benchmarks.same_twice [--hog] [--studies 5] [--results DIR] [--json]

Trials are run as `algoperf-lite run --quick` runs them. Reported are the difference of the two
scores with its 95% interval (bootstrap over studies, which both drew with the same seeds), and the
ratio of their times, per study. Exits with 1 if the interval of the difference leaves out 0.

With ``--hog``, every other study is disturbed: in each of its trials, processes that compute as
fast as they can run beside four of its windows. The robust clock (steps times the median window)
must stay within 10% of the undisturbed studies', and the noisy mark must be set; else it exits with
1. Each hog ends by itself after a minute, whatever happens to the benchmark.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

import algoperf_lite
from algoperf_lite.cli.output import stderr
from algoperf_lite.cli.progress import ProgressView
from algoperf_lite.environment import device_name
from scoring.leaderboard import find_suite
from scoring.profiles import integrate, ratios
from scoring.reader import read_records
from scoring.times import median_over_studies, time_table

WORKLOADS = ("clicks_dlrm", "digits_vit", "zipf_lm")
AGAIN = "from submissions.nadamw import submission\n"
RESAMPLES = 2000
QUIET_WINDOWS = 2  # before a hog starts
HOGGED_WINDOWS = 4  # fewer than half of a trial's windows, so that the median is not theirs
BUSY = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"
ROBUST_WITHIN = 0.10


class Hog:
    """An observer of `algoperf_lite.run` that disturbs every other study.

    Args:
        processes: how many compute at a time.
        view: is shown the events too.
    """

    def __init__(self, processes, view):
        self._processes = processes
        self._view = view
        self._running = []
        self._seen = 0

    def observe(self, event):
        """Start and stop the processes by the evaluations of the running trial."""
        self._view.observe(event)
        if event["event"] in ("start", "done"):
            self.stop()
            self._seen = 0
        elif event["event"] == "progress" and "step" in event and event["trial"]["study"] % 2:
            self._seen += 1
            if self._seen == QUIET_WINDOWS:
                command = [sys.executable, "-S", "-c", BUSY]
                self._running = [subprocess.Popen(command) for _ in range(self._processes)]
            elif self._seen == QUIET_WINDOWS + HOGGED_WINDOWS:
                self.stop()

    def stop(self):
        """End the processes."""
        for process in self._running:
            process.kill()
            process.wait()
        self._running = []


def tie(results):
    """Scores of the two, the difference with its interval, and the ratios of their times."""
    suite = find_suite(results, None)
    table = time_table(read_records(results, suite).trials, suite)
    of_study = table.of_study  # [N, 2, W]

    def difference(drawn):
        scores = integrate(ratios(median_over_studies(drawn)))
        return scores[..., 0] - scores[..., 1]

    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(of_study), (RESAMPLES, len(of_study)))
    differences = np.array([difference(of_study[draw]) for draw in draws])
    low, high = np.quantile(differences, [0.025, 0.975])
    both = np.isfinite(of_study).all(axis=1)  # a disturbed trial may miss its budget
    ratio = np.where(both, of_study[:, 1], np.nan) / np.where(both, of_study[:, 0], np.nan)
    return {
        "submissions": table.submissions,
        "scores": integrate(ratios(table.median)).tolist(),
        "difference": float(difference(of_study)),
        "difference_interval": [float(low), float(high)],
        "time_ratios": dict(zip(table.workloads, ratio.T.tolist(), strict=True)),
        "time_ratio_median": float(np.nanmedian(ratio)),
        "time_ratio_range": [float(np.nanmin(ratio)), float(np.nanmax(ratio))],
        "time_ratio_cv": float(np.nanstd(ratio, ddof=1) / np.nanmean(ratio)),
    }


def marks(trials):
    """Of disturbed and undisturbed trials: clocks per step relative to the undisturbed, marks."""
    found = {}
    for workload in sorted({trial["workload"] for trial in trials}):
        own = [trial for trial in trials if trial["workload"] == workload]
        hogged = [trial for trial in own if trial["study"] % 2]
        quiet = [trial for trial in own if not trial["study"] % 2]
        found[workload] = {
            clock: _per_step(hogged, clock) / _per_step(quiet, clock)
            for clock in ("seconds", "robust_seconds")
        } | {
            "noisy_hogged": f"{sum(trial['noisy'] for trial in hogged)}/{len(hogged)}",
            "noisy_quiet": f"{sum(trial['noisy'] for trial in quiet)}/{len(quiet)}",
        }
    return found


def _per_step(trials, clock):
    return statistics.median(trial[clock] / trial["steps"] for trial in trials)


def _holds(found):
    low, high = found["difference_interval"]
    disturbed = found.get("disturbed", {}).values()
    return low <= 0 <= high and all(
        abs(row["robust_seconds"] - 1) <= ROBUST_WITHIN
        and row["noisy_hogged"].split("/")[0] == row["noisy_hogged"].split("/")[1]
        for row in disturbed
    )


@click.command()
@click.option("-w", "--workload", "workloads", multiple=True, help="By default three.")
@click.option("--studies", default=5, show_default=True)
@click.option("--hog", is_flag=True, help="Disturb every other study.")
@click.option("--results", type=click.Path(path_type=Path), default=Path("results/same_twice"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(workloads, studies, hog, results, as_json):
    """Run one submission under two names."""
    results.mkdir(parents=True, exist_ok=True)
    again = results.absolute() / "nadamw_again.py"
    again.write_text(AGAIN)
    with ProgressView(stderr()) as view:
        hogs = Hog(os.cpu_count(), view)
        try:
            done = algoperf_lite.run(
                workloads or WORKLOADS, ["nadamw", str(again)], results / "trials", quick=True,
                studies=studies, observe=(hogs if hog else view).observe,
            )  # fmt: skip
        finally:
            hogs.stop()
    found = tie(done.results) | {"device": device_name(done.trials[0]["environment"])}
    if hog:
        found["disturbed"] = marks(done.trials)
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        for key, value in found.items():
            click.echo(f"{key}: {value}")
    raise SystemExit(0 if _holds(found) else 1)


if __name__ == "__main__":
    main()
