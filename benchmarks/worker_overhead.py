"""What a trial costs more in a worker process than in the calling one, once both are warm.

    python -m benchmarks.worker_overhead [--json] [-w NAME] [--steps 2] [--trials 20]

The same short trial runs inline and through `ProcessExecutor`, in turns, from the call to the
record on disk. `difference` is the median of each turn's difference, in seconds; `watching_share`
is CPU time of this process while the worker works, per second of it. `start_seconds` is what a
worker costs that has to be started first, up to its first answer.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import click

from algoperf_lite.executors.inline import InlineExecutor
from algoperf_lite.executors.process import ProcessExecutor
from algoperf_lite.plan import Protocol, plan
from algoperf_lite.registry import absolute
from algoperf_lite.running import run_trial


def measure(workload, submission, steps, trials):
    """Seconds of trials inline and in a worker.

    Args:
        workload: selector.
        submission: selector.
        steps: of each trial.
        trials: turns that count; one more goes before, so that all is compiled.
    """
    executors = {"inline": InlineExecutor(1), "worker": ProcessExecutor(1)}
    request = {"workloads": [absolute(workload)], "submissions": [absolute(submission)]}
    start = time.perf_counter()
    described = executors["worker"].call("describe", request)
    found = {"start_seconds": time.perf_counter() - start}
    seconds, watching = {name: [] for name in executors}, []
    with tempfile.TemporaryDirectory() as results:
        for turn in range(trials + 1):
            spec = _spec(Path(results), described, turn, steps)
            for name in sorted(executors, reverse=bool(turn % 2)):
                start, cpu = time.perf_counter(), time.process_time()
                run_trial(spec, described, executors[name], lambda event: None)
                seconds[name].append(time.perf_counter() - start)
                if name == "worker":
                    watching.append((time.process_time() - cpu) / seconds[name][-1])
    for executor in executors.values():
        executor.close()
    pairs = list(zip(seconds["inline"][1:], seconds["worker"][1:], strict=True))
    differences = sorted(worker - inline for inline, worker in pairs)
    found |= {f"{name}_seconds": statistics.median(s[1:]) for name, s in seconds.items()}
    found |= {
        "difference": statistics.median(differences),
        "quartiles": statistics.quantiles(differences, n=4)[::2],
        "watching_share": statistics.median(watching[1:]),
    }
    return found | {"workload": workload, "steps": steps, "trials": trials}


def _spec(results, described, turn, steps):
    given = {turn + 1: described["submissions"][0]["default"]}
    protocol = Protocol(1, turn + 1, "given", max_steps=steps, given=given)
    return plan(results, protocol, described)[0]


@click.command()
@click.option("-w", "--workload", default="clicks_dlrm", show_default=True)
@click.option("-s", "--submission", default="nadamw", show_default=True)
@click.option("--steps", default=2, show_default=True)
@click.option("--trials", default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(workload, submission, steps, trials, as_json):
    """Measure what a worker process costs per trial."""
    found = measure(workload, submission, steps, trials)
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        click.echo(f"{name:15} {value}")


if __name__ == "__main__":
    main()
