"""Several points in one program: the engine's step under `vmap` over the hyperparameters.

The step counter, the key and so the batches are the same for all points; parameters, model state,
optimizer state and sums have the points as their first axis. A point that diverges fills its own
slice with NaN and no other: `vmap` lets nothing pass between points. What a program costs in time
is that of all points together, so nothing trained so is timed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import jax
import numpy as np

from algoperf_lite.engine import Carry, Program, check_same
from algoperf_lite.errors import UsageError
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.submission import Hyperparameters, Submission, TrainState

_STATE = TrainState(step=None, params=0, model_state=0, opt_state=0)
_CARRY = Carry(state=_STATE, key=None, sums=0)


def refuse_streamed(loaded: LoadedWorkload) -> None:
    """Raise `UsageError` if a workload's training data is not on the devices as a whole."""
    if loaded.data.streamed:
        raise UsageError(
            f"--vectorize trains on data that is on the device, but {loaded.workload.name} is"
            " streamed; raise ALGOPERF_LITE_DEVICE_DATA_BYTES or leave out --vectorize"
        )


class VectorizedProgram(Program):
    """The compiled programs of one submission on one workload, for several points at once.

    Args:
        loaded: the workload.
        submission: the training algorithm.
        static: hyperparameters baked into the program, which all points share.
        traced: hyperparameters that differ, float32 of shape ``[points]``; only names matter here.
        points: how many.

    Raises:
        SubmissionError: as for `Program`.
        UsageError: the workload is streamed.
    """

    def __init__(
        self,
        loaded: LoadedWorkload,
        submission: Submission,
        static: Hyperparameters,
        traced: Hyperparameters,
        points: int,
    ):
        refuse_streamed(loaded)
        self.points = points
        super().__init__(loaded, submission, static, traced)

    def hyperparameters(self, traced: Mapping[str, float | Sequence[float]]) -> dict[str, Any]:
        """Numbers, one or one for each point, as float32 of shape ``[points]`` on the devices."""
        values = {
            name: np.broadcast_to(np.asarray(value, np.float32), (self.points,))
            for name, value in traced.items()
        }
        return jax.device_put(values, self.loaded.data.replicated)

    def stacked(self, points: Sequence[Hyperparameters]) -> dict[str, Any]:
        """The traced hyperparameters of a list of points, as `advance` takes them."""
        traced = [self.submission.split_hyperparameters(point)[1] for point in points]
        return self.hyperparameters({name: [t[name] for t in traced] for name in traced[0]})

    def pick(self, tree: Any, point: int) -> Any:
        """One point's slice of what `eval_params` returned, or of the sums of a carry."""
        return self._pick(tree, jax.device_put(np.int32(point), self.loaded.data.replicated))

    @cached_property
    def _pick(self) -> Any:
        rep = self.loaded.data.replicated
        return jax.jit(
            lambda tree, point: jax.tree.map(lambda a: a[point], tree),
            in_shardings=rep,
            out_shardings=rep,
        )

    def _init(self, key: Any, hp: Mapping[str, Any]) -> Carry:
        return jax.vmap(super()._init, in_axes=(None, 0), out_axes=_CARRY)(key, hp)

    def _step(self, carry: Carry, train: Any, window: Any, hp: Mapping[str, Any]) -> Carry:
        step = jax.vmap(super()._step, in_axes=(_CARRY, None, None, 0), out_axes=_CARRY)
        return step(carry, train, window, hp)

    def _eval_params(self, state: TrainState, hp: Mapping[str, Any]) -> tuple[Any, Any]:
        return jax.vmap(super()._eval_params, in_axes=(_STATE, 0))(state, hp)

    def _check_eval_params(self, returned: Any) -> None:
        expected = jax.tree.map(
            lambda s: jax.ShapeDtypeStruct((self.points, *s.shape), s.dtype), self.loaded.shapes
        )
        check_same(
            "eval_params must return (params, model_state); it returned something",
            expected,
            returned,
        )
