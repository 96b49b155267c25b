"""All figures of one machine in one file, with device and versions.

algoperf-lite run -w digits_resnet -w zipf_lm -w clicks_dlrm -s nadamw --quick --studies 10 \
        --results results/seeds
python -m benchmarks.record results/seeds -o benchmarks/results/NAME.json
"""

import json
from pathlib import Path

import click
import jax

from algoperf_lite import environment, registry
from benchmarks.mnist_mlp import ADAMW, WORKLOAD, synthetic_splits
from benchmarks.overhead import compare, compare_named
from benchmarks.trials import summarise_all


@click.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--rounds", default=15, show_default=True, help="Windows of each loop.")
def main(results, output, rounds):
    """Measure overheads, summarise the trials in RESULTS, and write both to OUTPUT."""
    environment.use_compilation_cache()
    names = registry.known_names("workload")
    overhead = {name: compare_named(name, rounds) for name in names}
    overhead[WORKLOAD.name] = compare(WORKLOAD, synthetic_splits(), ADAMW, rounds)
    figures = {
        "environment": environment.describe(len(jax.local_devices())),
        "overhead": overhead,
        "trials": summarise_all(results),
    }
    output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
