"""What a step of each submission costs relative to nadamw's, in seconds and in bytes of state.

    python -m benchmarks.optimizer_cost [-s NAME ...] [-w zipf_lm] [--rounds 7] [--json]

Each submission is timed at its default point against nadamw, windows of the two interleaved in one
process in alternating order; the ratio is the median of each round's. Seconds are on-clock seconds
per step as a trial counts them (`benchmarks.overhead`); bytes are those of the optimizer state, the
model's parameters not included.
"""

import json
import math

import click
import jax

from algoperf_lite import dataset, environment, registry
from algoperf_lite.loaded import LoadedWorkload
from benchmarks.bare import median
from benchmarks.overhead import HarnessLoop

REFERENCE = "nadamw"


def cost(loop, reference, rounds):
    """Of one submission: ``{"ms_per_step":, "ratio":, "state_bytes":, "state_ratio":}``."""
    steps = loop.program.loaded.workload.eval_every
    for one in (loop, reference):
        one.run(steps)
    ratios, seconds = [], []
    for round_number in range(rounds):
        order = (loop, reference) if round_number % 2 else (reference, loop)
        taken = {id(one): one.run(steps) / steps for one in order}
        seconds.append(taken[id(loop)])
        ratios.append(taken[id(loop)] / taken[id(reference)])
    return {
        "ms_per_step": 1e3 * median(seconds),
        "ratio": median(ratios),
        "state_bytes": state_bytes(loop.carry),
        "state_ratio": state_bytes(loop.carry) / state_bytes(reference.carry),
    }


def state_bytes(carry):
    """Bytes of the optimizer state."""
    leaves = jax.tree.leaves(carry.state.opt_state)
    leaves = [
        jax.random.key_data(x) if jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key) else x
        for x in leaves
    ]
    return sum(math.prod(x.shape) * x.dtype.itemsize for x in leaves)


def compare_all(loaded, submissions, rounds):
    """Yield ``(name, cost)`` for each of ``{name: submission}``, on one loaded workload."""
    reference = HarnessLoop(loaded, registry.find_submission(REFERENCE)[1])
    for name, submission in submissions.items():
        yield name, cost(HarnessLoop(loaded, submission), reference, rounds)


@click.command()
@click.option("-s", "--submission", multiple=True, help="[default: every one of the tree]")
@click.option("-w", "--workload", default="zipf_lm", show_default=True)
@click.option("--rounds", default=7, show_default=True, help="Windows of each.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(submission, workload, rounds, as_json):
    """Compare the cost of submissions' steps with nadamw's."""
    environment.use_compilation_cache()
    w = registry.find_workload(workload)
    splits = dataset.load(w.dataset, environment.data_directory())
    loaded = LoadedWorkload(w, splits, jax.devices()[:1])
    names = submission or registry.known_names("submission")
    found = {}
    named = {name: registry.find_submission(name)[1] for name in names}
    for name, row in compare_all(loaded, named, rounds):
        found[name] = row
        if not as_json:
            click.echo(
                f"{name}: {row['ms_per_step']:.3f} ms per step, {row['ratio']:.2f} x nadamw;"
                f" state {row['state_bytes'] / 1e6:.2f} MB, {row['state_ratio']:.2f} x"
            )
    if as_json:
        click.echo(json.dumps({"workload": workload, "submissions": found}, indent=1))


if __name__ == "__main__":
    main()
