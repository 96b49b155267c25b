"""What checkpoints cost: off the clock, and on it, where they must cost nothing.

    python -m benchmarks.checkpoints [--json] [-w NAME ...] [--rounds 15]

Windows of training with a checkpoint before each, and without, are interleaved in one process, in
alternating order. The ratio of on-clock seconds per step is the median of each round's; a step
after a checkpoint should take no longer than another. A resumption reads one back and puts it on
the device. Figures are medians over rounds.
"""

import json
import tempfile
from pathlib import Path
from time import perf_counter

import click
import jax

from algoperf_lite import dataset, environment, registry
from algoperf_lite.checkpoints import Checkpoints
from algoperf_lite.loaded import LoadedWorkload
from benchmarks.bare import median
from benchmarks.overhead import HarnessLoop
from workloads.suites import SUITES


class KeptLoop(HarnessLoop):
    """The same windows, each after a checkpoint."""

    def __init__(self, loaded, submission, directory):
        super().__init__(loaded, submission)
        self.checkpoints = Checkpoints(directory, {})
        self.saving, self.restoring, self.step = [], [], 0

    def run(self, steps):
        """Take `steps` steps and return the on-clock seconds they took."""
        start = perf_counter()
        self.checkpoints.save(self.step, self.carry, {})
        self.saving.append(perf_counter() - start)
        self.step += steps
        return super().run(steps)

    def restore(self):
        """Read the last checkpoint."""
        start = perf_counter()
        self.checkpoints.restore(self.carry)
        self.restoring.append(perf_counter() - start)


def compare(loaded, submission, rounds, directory):
    """Medians: seconds of saving and restoring, seconds per step with and without, their ratio."""
    loops = {
        "without": HarnessLoop(loaded, submission),
        "with": KeptLoop(loaded, submission, directory),
    }
    steps = loaded.workload.eval_every
    seconds = {name: [] for name in loops}
    for loop in loops.values():
        loop.run(steps)
    first = loops["with"].saving.pop()
    for round_number in range(rounds):
        for name in sorted(loops, reverse=bool(round_number % 2)):
            seconds[name].append(loops[name].run(steps) / steps)
        loops["with"].restore()
    ratios = [a / b for a, b in zip(seconds["with"], seconds["without"], strict=True)]
    return {
        "state_bytes": sum(leaf.nbytes for leaf in jax.tree.leaves(loops["with"].carry)),
        "files_bytes": sum(p.stat().st_size for p in directory.rglob("*") if p.is_file()),
        "first_save_seconds": first,
        "save_seconds": median(loops["with"].saving),
        "restore_seconds": median(loops["with"].restoring),
        "without_s_per_step": median(seconds["without"]),
        "with_s_per_step": median(seconds["with"]),
        "ratio": median(ratios),
        "ratio_range": [min(ratios), max(ratios)],
        "rounds": rounds,
    }


def compare_named(selector, rounds):
    """`compare` for a workload of the tree with its reference submission."""
    w = registry.find_workload(selector)
    splits = dataset.load(w.dataset, environment.data_directory())
    _, reference, _ = registry.find_submission(w.reference)
    loaded = LoadedWorkload(w, splits, jax.devices()[:1])
    with tempfile.TemporaryDirectory() as directory:
        return compare(loaded, reference, rounds, Path(directory) / "checkpoint")


@click.command()
@click.option("-w", "--workload", multiple=True, help="[default: the lite suite]")
@click.option("--rounds", default=15, show_default=True, help="Windows of each loop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(workload, rounds, as_json):
    """Measure checkpoints of the lite workloads' reference submissions."""
    environment.use_compilation_cache()
    found = {name: compare_named(name, rounds) for name in workload or SUITES["lite"]}
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    heads = ("workload", "state", "save", "restore", "step without", "with", "ratio", "range")
    click.echo("{:<18}{:>10}{:>10}{:>10}{:>14}{:>11}{:>8}  {}".format(*heads))
    for name, row in found.items():
        click.echo(
            f"{name:<18}{row['state_bytes'] / 2**20:>6.2f} MiB{1e3 * row['save_seconds']:>7.1f} ms"
            f"{1e3 * row['restore_seconds']:>7.1f} ms{1e3 * row['without_s_per_step']:>11.3f} ms"
            f"{1e3 * row['with_s_per_step']:>8.3f} ms{row['ratio']:>8.3f}"
            f"  {row['ratio_range'][0]:.2f} to {row['ratio_range'][1]:.2f}"
        )


if __name__ == "__main__":
    main()
