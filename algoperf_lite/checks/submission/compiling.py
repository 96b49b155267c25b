"""Compiling a submission on the small workload, on one device and on four at the same time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from algoperf_lite.checks.submission import small
from algoperf_lite.checks.submission.tracing import Traced
from algoperf_lite.engine import Carry, Program
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.submission import Submission


class Programs(NamedTuple):
    """What was compiled.

    Attributes:
        one: on one device.
        several: on `small.DEVICES`, which may have failed; None where there are fewer.
    """

    one: Program
    several: Future[StepProgram] | None


class StepProgram(Program):
    """A program of which only the step is compiled; it goes on from another's state.

    Args:
        loaded: the workload.
        submission: the training algorithm.
        static: hyperparameters baked into the program.
        traced: names of the others.
        carry: form of what a step hands to the next.
    """

    def __init__(
        self,
        loaded: LoadedWorkload,
        submission: Submission,
        static: Mapping[str, Any],
        traced: Mapping[str, Any],
        carry: Carry,
    ):
        self._carry = carry
        super().__init__(loaded, submission, static, traced)

    def _compile(self, hp: Mapping[str, Any]) -> None:
        data, rep = self.loaded.data, self.loaded.data.replicated
        carry = jax.tree.map(
            lambda s: jax.ShapeDtypeStruct(s.shape, s.dtype, sharding=rep), self._carry
        )
        step = jax.jit(self._step, donate_argnums=0, in_shardings=rep, out_shardings=rep)
        self.many_steps = False
        self._compiled_steps = step.lower(carry, *data.piece_shapes(self.batch_size), hp).compile()


def compile_both(
    submission: Submission, static: Mapping[str, Any], traced: Mapping[str, Any], programs: Traced
) -> Programs:
    """Compile a submission.

    Args:
        submission: what.
        static: hyperparameters baked into the program.
        traced: the others.
        programs: its methods, traced.
    """
    state = programs.given["update"][0]
    sums = {name: jax.ShapeDtypeStruct((), jnp.float32) for name in programs.returned["update"][1]}
    carry = Carry(state, jax.eval_shape(lambda: jax.random.key(0)), sums)
    with _quickly(), ThreadPoolExecutor(1) as pool:
        several = None
        if len(jax.local_devices()) >= small.DEVICES:
            several = pool.submit(
                lambda: StepProgram(small.loaded(small.DEVICES), submission, static, traced, carry)
            )
        return Programs(Program(small.loaded(), submission, static, traced), several)


@contextlib.contextmanager
def _quickly() -> Iterator[None]:
    """On CPU with little optimisation, since what is compiled here runs a few times only."""
    option = "jax_disable_most_optimizations"
    before = jax.config.values[option]
    if jax.default_backend() == "cpu":
        jax.config.update(option, True)
    try:
        yield
    finally:
        jax.config.update(option, before)
