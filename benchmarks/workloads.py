"""What the workloads of the lite suite cost and tell apart, gathered from recorded runs.

    algoperf-lite run --suite lite -s nadamw --quick --studies 10 --results results/seeds
    algoperf-lite targets measure -w NAME --points 0 --seeds N --results results/targets
    python -m benchmarks.discrimination --results results/discrimination
    algoperf-lite prepare --tier lite --json > results/prepare.json
    python -m benchmarks.workloads results -o benchmarks/results/NAME.json
    python -m benchmarks.workloads_page benchmarks/results/NAME.json > docs/workloads.md

The second command for each variant. Overheads are measured by the last but one, alone on the
machine; `--no-overhead` keeps those that OUTPUT has.
"""

import json
from pathlib import Path

import click
import jax

from algoperf_lite import environment, registry
from algoperf_lite.executors.worker import describe_workload
from algoperf_lite.records import EVALUATIONS_FILE, finite, read_evaluations, read_json
from algoperf_lite.targets import choice
from benchmarks import discrimination, trials
from benchmarks.mnist_mlp import ADAMW, WORKLOAD, synthetic_splits
from benchmarks.overhead import compare, compare_named
from workloads.suites import SUITES


def gather(results: Path):
    """All figures but the overheads, from the results directories that the commands above write."""
    bases = [registry.find_workload(name) for name in SUITES["lite"]]
    variants = [v for base in bases for v in registry.variants_of(base.name)]
    return {
        "workloads": {w.name: describe_workload(w.name) for w in (*bases, *variants)},
        "seeds": {row["workload"]: row for row in trials.summarise_all(results / "seeds")},
        "targets": {w.name: at_target(w, results / "targets") for w in variants},
        "discrimination": discrimination.summarise(results / "discrimination"),
        "prepare": read_json(results / "prepare.json"),
    }


def at_target(workload, results: Path):
    """How the seeds recorded by ``targets measure`` fare with the target as it stands."""
    column = f"validation/{workload.target.metric}"
    files = sorted((results / workload.name / "reference").rglob(EVALUATIONS_FILE))
    curves = [
        [(int(row["global_step"]), row[column]) for row in read_evaluations(file)] for file in files
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
    """Gather the figures of RESULTS, and measure overheads, into OUTPUT."""
    environment.use_compilation_cache()
    before = read_json(output) or {}
    figures = {"environment": environment.describe(len(jax.local_devices())), **gather(results)}
    figures["overhead"] = overheads(rounds) if overhead else before.get("overhead")
    output.write_text(json.dumps(finite(figures), indent=1) + "\n")


if __name__ == "__main__":
    main()
