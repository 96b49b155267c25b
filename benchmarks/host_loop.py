"""On-clock seconds per step of the host loop against the submission's own step in a bare loop.

    python -m benchmarks.host_loop [--json] [-w NAME ...] [--rounds 15]

The submission is AdamW written for AlgoPerf (`benchmarks/host_looped/adamw.py`), on workloads of
the tree and on `mnist_mlp`, whose steps are tiny. The bare loop calls its jitted step as a
researcher would by hand, on batches gathered by a jitted function of its own; the harness calls the
submission's `data_selection` and `update_params`, as a trial does. The two differ in the harness's
work alone, so `update_params` keeps its step jitted, as most do. Windows are interleaved; figures
are medians over rounds, the ratio is the median of each round's.
"""

from pathlib import Path
from time import perf_counter

import click
import jax
import jax.numpy as jnp

from algoperf_lite import dataset, environment, registry
from algoperf_lite.algoperf.program import HostProgram
from algoperf_lite.algoperf.stand_in import standing_in
from algoperf_lite.algoperf.view import WorkloadView
from algoperf_lite.batches import BatchOrder
from algoperf_lite.loaded import LoadedWorkload
from benchmarks import mnist_mlp
from benchmarks.overhead import HarnessLoop, interleaved, report
from workloads.suites import SUITES

SUBMISSION = f"algoperf:{Path(__file__).parent / 'host_looped' / 'adamw.py'}"


class HostLoop(HarnessLoop):
    """Windows through the host loop and the clock, as a trial drives them."""

    def make_program(self, loaded, submission, static, traced):
        """The submission's functions, loaded."""
        del traced
        return HostProgram(loaded, submission, static)


class BareHostLoop:
    """The submission's own jitted step, called once per step by hand.

    Args:
        loaded: the workload; only its training rows are taken.
        program: of the other loop, for initial parameters of the same kind.
    """

    def __init__(self, loaded, program):
        self.workload, self.train = loaded.workload, loaded.data.resident["training split"]
        rows = loaded.data.num_train
        self.order = BatchOrder(rows, loaded.workload.batch_size, seed=0)
        self.key = jax.random.key(0)
        self.view = WorkloadView.of(loaded, loaded.task())
        carry = program.init(0, {})
        self.state = carry.opt_state, carry.params, carry.model_state
        self.module = next(iter(program.functions.modules.values()))
        self.done = 0
        self.gather = jax.jit(self._gather)

    def run(self, steps):
        """Take `steps` steps and return the seconds they took, waiting at both ends."""
        rows = [jnp.asarray(row) for row in self.order.window(self.done, steps)]
        (opt_state, update), params, model_state = self.state
        step, view, train = self.module.jitted_step(), self.view, self.train
        jax.block_until_ready((opt_state, params, rows))
        start = perf_counter()
        for index, row in enumerate(rows):
            batch, rng = self.gather(train, row, self.key, self.done + index)
            opt_state, params, model_state, _ = step(
                view, update, model_state, opt_state, params, batch, rng
            )
        jax.block_until_ready((opt_state, params))
        seconds = perf_counter() - start
        self.state = (opt_state, update), params, model_state
        self.done += steps
        return seconds

    def _gather(self, train, row, key, step):
        augment_key, rng = jax.random.split(jax.random.fold_in(key, step))
        batch = jax.tree.map(lambda a: a[row], train)
        if self.workload.augment is not None:
            batch = self.workload.augment(augment_key, batch)
        return {**batch, "weights": jnp.ones(len(row))}, jax.random.key_data(rng)


def compare(workload, splits, rounds):
    """Interleaved medians: ``{"bare_s_per_step":, "harness_s_per_step":, "ratio":}``."""
    loaded = LoadedWorkload(workload, splits, jax.devices()[:1])
    harness = HostLoop(loaded, registry.find_submission(SUBMISSION)[1])
    loops = {"bare": BareHostLoop(loaded, harness.program), "harness": harness}
    with standing_in(jax.devices()[:1]):
        return interleaved(loops, workload.eval_every, rounds)


def compare_named(selector, rounds):
    """`compare` for a workload of the tree, or for ``mnist_mlp``, whose steps are tiny."""
    if selector == mnist_mlp.WORKLOAD.name:
        return compare(mnist_mlp.WORKLOAD, mnist_mlp.synthetic_splits(), rounds)
    workload = registry.find_workload(selector)
    splits = dataset.load(workload.dataset, environment.data_directory())
    return compare(workload, splits, rounds)


@click.command()
@click.option("-w", "--workload", multiple=True, help="[default: the lite suite, mnist_mlp]")
@click.option("--rounds", default=15, show_default=True, help="Windows of each loop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(workload, rounds, as_json):
    """Compare the host loop with a bare one on lite workloads."""
    environment.use_compilation_cache()
    names = workload or (*SUITES["lite"], mnist_mlp.WORKLOAD.name)
    report({name: compare_named(name, rounds) for name in names}, as_json)


if __name__ == "__main__":
    main()
