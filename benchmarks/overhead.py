"""On-clock seconds per step of the harness against a hand-written jitted loop.

    python -m benchmarks.overhead [--json] [-w NAME ...] [--rounds 15]

Windows of the two are interleaved in one process, in alternating order; figures are medians over
rounds, and the ratio is the median of each round's. On the clock is all that a trial has there:
placing batch indices, the steps, and `eval_params`.
"""

import json

import click
import jax

from algoperf_lite import dataset, environment, registry
from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.engine import Program
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.window import train_window
from benchmarks.bare import BareLoop, median
from workloads.suites import SUITES


class HarnessLoop:
    """The same windows, through the engine and the clock as a trial drives them."""

    def __init__(self, loaded, submission):
        static, traced = submission.split_hyperparameters(submission.default)
        self.program = self.make_program(loaded, submission, static, traced)
        self.hp = self.program.hyperparameters(traced)
        self.order = BatchOrder(loaded.data.num_train, self.program.batch_size, seed=0)
        self.carry = self.program.init(0, self.hp)
        self.clock = Clock()

    def make_program(self, loaded, submission, static, traced):
        """The compiled programs."""
        return Program(loaded, submission, static, traced)

    def run(self, steps):
        """Take `steps` steps and return the on-clock seconds they took."""
        before = self.clock.seconds
        self.carry, _ = train_window(
            self.clock, self.program, self.order, self.carry, steps, self.hp
        )
        return self.clock.seconds - before


def interleaved(loops, steps, rounds):
    """Medians of windows of two loops in turn, and of the ratio of each round.

    Args:
        loops: ``{"bare": ..., "harness": ...}``.
        steps: of a window.
        rounds: windows of each.
    """
    seconds = {name: [] for name in loops}
    for loop in loops.values():
        loop.run(steps)
    for round_number in range(rounds):
        for name in sorted(loops, reverse=bool(round_number % 2)):
            seconds[name].append(loops[name].run(steps) / steps)
    ratios = [h / b for h, b in zip(seconds["harness"], seconds["bare"], strict=True)]
    return {
        "bare_s_per_step": median(seconds["bare"]),
        "harness_s_per_step": median(seconds["harness"]),
        "ratio": median(ratios),
    }


def compare(workload, splits, submission, rounds):
    """Interleaved medians: ``{"bare_s_per_step":, "harness_s_per_step":, "ratio":}``."""
    loops = {
        "bare": BareLoop(workload, splits, submission),
        "harness": HarnessLoop(LoadedWorkload(workload, splits, jax.devices()[:1]), submission),
    }
    return interleaved(loops, workload.eval_every, rounds) | {
        "many_steps_per_dispatch": loops["harness"].program.many_steps,
        "compile_seconds": loops["harness"].program.compile_seconds,
    }


def compare_named(selector, rounds):
    """`compare` for a workload of the tree with its reference submission."""
    w = registry.find_workload(selector)
    splits = dataset.load(w.dataset, environment.data_directory())
    _, reference, _ = registry.find_submission(w.reference)
    return compare(w, splits, reference, rounds)


def report(found, as_json):
    """Print the figures."""
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    for name, row in found.items():
        click.echo(
            f"{name}: bare {1e3 * row['bare_s_per_step']:.3f} ms, harness"
            f" {1e3 * row['harness_s_per_step']:.3f} ms per step, ratio {row['ratio']:.3f}"
        )


@click.command()
@click.option("-w", "--workload", multiple=True, help="[default: the lite suite]")
@click.option("--rounds", default=15, show_default=True, help="Windows of each loop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(workload, rounds, as_json):
    """Compare the harness with a bare loop on lite workloads."""
    environment.use_compilation_cache()
    names = workload or SUITES["lite"]
    report({name: compare_named(name, rounds) for name in names}, as_json)


if __name__ == "__main__":
    main()
