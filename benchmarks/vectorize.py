"""How much faster K points train in one program than one after the other.

    python -m benchmarks.vectorize [--json] [-w NAME ...] [-k 4 -k 8] [--rounds 7]

A window of training steps of one point alone, and of K points in one program, are interleaved in
one process, in alternating order. The gain is K times the seconds of the one over the seconds of
the other: points x steps per second, relative to one at a time. It is the median of each round's.
Evaluation, which each point has of its own, is not in it.
"""

import json

import click
import jax

from algoperf_lite import dataset, environment, registry
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.vectorized import VectorizedProgram
from benchmarks.bare import median
from benchmarks.overhead import HarnessLoop

WORKLOADS = ("zipf_lm", "digits_vit", "clicks_dlrm", "tones_lstm", "digits_resnet")
POINTS = (4, 8)


class VectorizedLoop(HarnessLoop):
    """The same windows, for several points at once."""

    def __init__(self, loaded, submission, points):
        self.points = points
        super().__init__(loaded, submission)

    def make_program(self, loaded, submission, static, traced):
        """The compiled programs of all points."""
        return VectorizedProgram(loaded, submission, static, traced, self.points)


def compare(loaded, submission, points, rounds):
    """Seconds per step of one point and of each number of points, and the gains, as medians."""
    loops = {1: HarnessLoop(loaded, submission)}
    loops |= {k: VectorizedLoop(loaded, submission, k) for k in points}
    steps = loaded.workload.eval_every
    seconds = {k: [] for k in loops}
    for loop in loops.values():
        loop.run(steps)
    for round_number in range(rounds):
        for k in sorted(loops, reverse=bool(round_number % 2)):
            seconds[k].append(loops[k].run(steps) / steps)
    gains = {
        k: median([k * a / b for a, b in zip(seconds[1], seconds[k], strict=True)]) for k in points
    }
    return {
        "s_per_step": {str(k): median(s) for k, s in seconds.items()},
        "compile_seconds": {str(k): loop.program.compile_seconds for k, loop in loops.items()},
        "gain": {str(k): gain for k, gain in gains.items()},
        "rounds": rounds,
    }


def compare_named(selector, points, rounds):
    """`compare` for a workload of the tree with its reference submission."""
    w = registry.find_workload(selector)
    splits = dataset.load(w.dataset, environment.data_directory())
    _, reference, _ = registry.find_submission(w.reference)
    return compare(LoadedWorkload(w, splits, jax.devices()[:1]), reference, points, rounds)


@click.command()
@click.option("-w", "--workload", multiple=True, help=f"[default: {' '.join(WORKLOADS)}]")
@click.option("-k", "points", type=int, multiple=True, default=POINTS, help="[default: 4 8]")
@click.option("--rounds", default=7, show_default=True, help="Windows of each program.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(workload, points, rounds, as_json):
    """Measure the gain of training several points in one program."""
    environment.use_compilation_cache()
    found = {}
    for name in workload or WORKLOADS:
        found[name] = compare_named(name, points, rounds)
        if not as_json:
            gains = (f"{k} points {gain:.2f} times" for k, gain in found[name]["gain"].items())
            click.echo(f"{name}: {', '.join(gains)} the points x steps per second of one at a time")
    if as_json:
        click.echo(json.dumps({"environment": environment.describe(1), "gains": found}, indent=1))


if __name__ == "__main__":
    main()
