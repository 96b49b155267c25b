"""What the workloads of the lite suite cost and tell apart, gathered from recorded runs.

    algoperf-lite run --suite lite -s nadamw --quick --studies 10 --results results/seeds
    algoperf-lite targets measure -w NAME --points 0 --seeds N --results results/targets
    python -m benchmarks.discrimination --results results/discrimination
    ALGOPERF_LITE_HOME=$(mktemp -d) algoperf-lite prepare --tier lite --json > results/prepare.json
    time algoperf-lite run --suite lite -s nadamw --quick --results results/suite  # a warm cache
    python -m benchmarks.workloads results -o benchmarks/results/NAME.json
    python -m benchmarks.workloads_page benchmarks/results/NAME.json > docs/workloads.md

The second command for each variant. The first and the last but one want the machine to themselves;
`--no-overhead` keeps the overheads that OUTPUT has.
"""

import json
from pathlib import Path

import click
import jax

from algoperf_lite import environment, registry
from algoperf_lite.cli.show import read_trials
from algoperf_lite.executors.describing import describe_workload
from algoperf_lite.records import EVALUATIONS_FILE, finite, read_evaluations, read_json
from algoperf_lite.targets import choice, never
from benchmarks import discrimination, trials
from benchmarks.mnist_mlp import ADAMW, WORKLOAD, synthetic_splits
from benchmarks.overhead import compare, compare_named
from workloads.suites import SUITES


def gather(results: Path):
    """All figures but the overheads, from the results directories that the commands above write."""
    bases = [registry.find_workload(name) for name in SUITES["lite"]]
    variants = [v for base in bases for v in registry.variants_of(base.name)]
    endless = [f"{w.name}[target={never(w.target.direction)}]" for w in variants]
    current = {w.name: w.fingerprint for w in bases}
    current |= {name: registry.find_workload(name).fingerprint for name in endless}
    check_versions(results, current)
    return {
        "workloads": {w.name: describe_workload(w.name) for w in (*bases, *variants)},
        "seeds": {row["workload"]: row for row in trials.summarise_all(results / "seeds")},
        "targets": {w.name: at_target(w, results / "targets") for w in variants},
        "discrimination": discrimination.summarise(results / "discrimination"),
        "discrimination_threads": read_trials(results / "discrimination")[0]["environment"][
            "host_threads"
        ],
        "prepare": [
            {key: value for key, value in row.items() if key != "directory"}
            for row in json.loads((results / "prepare.json").read_text())
        ],
    }


def check_versions(results: Path, current):
    """Refuse trials of workloads that have changed since."""
    for part in ("seeds", "discrimination", "targets"):
        for row in read_trials(results / part):
            name = row.get("workload")
            if name in current and row["workload_fingerprint"] != current[name]:
                raise click.ClickException(
                    f"{row['path']} is of another version of {name}; delete it and run it again"
                )


def at_target(workload, results: Path):
    """How the seeds recorded by ``targets measure`` fare with the target as it stands."""
    column = f"validation/{workload.target.metric}"
    done = [
        Path(row["path"]) / EVALUATIONS_FILE
        for row in read_trials(results / workload.name / "reference")
        if row["status"] not in ("unfinished", "interrupted")
    ]
    curves = [
        [(int(row["global_step"]), row[column]) for row in read_evaluations(file)] for file in done
    ]
    if not curves:
        raise click.ClickException(
            f"no trials of {workload.name} below {results}; run"
            f" `algoperf-lite targets measure -w {workload.name} --points 0 --results {results}`"
        )
    found = choice.examine(curves, workload.target.value, workload.target.direction)
    return {
        "seeds": found.seeds,
        "reached": found.reached,
        "steps": list(found.steps),
        "steps_median": found.median_steps,
        "steps_cv": found.variation,
    }


def overheads(rounds):
    """The harness against a bare loop, on every workload of the suite and on an MNIST MLP."""
    found = {name: compare_named(name, rounds) for name in SUITES["lite"]}
    found[WORKLOAD.name] = compare(WORKLOAD, synthetic_splits(), ADAMW, rounds)
    return found


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--overhead/--no-overhead", default=True, help="Measure the overheads anew.")
@click.option("--rounds", default=15, show_default=True, help="Windows of each loop.")
def main(results, output, overhead, rounds):
    """Gather the figures of RESULTS, and measure overheads, into OUTPUT.

    Without the cache of compiled programs, so that compilations are measured as well.
    """
    before = read_json(output) or {}
    figures = {"environment": environment.describe(len(jax.local_devices())), **gather(results)}
    figures["overhead"] = overheads(rounds) if overhead else before.get("overhead")
    output.write_text(json.dumps(finite(figures), indent=1) + "\n")


if __name__ == "__main__":
    main()
