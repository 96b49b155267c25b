"""The input queue that `data_selection` draws from: batches on the devices, without an end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from algoperf_lite.batches import BatchOrder
from algoperf_lite.loaded import LoadedWorkload


class Gather:
    """The compiled gathering of a batch, and the keys of a window's steps, for one workload.

    Args:
        loaded: the workload.
        batch_size: rows of a training batch.
    """

    def __init__(self, loaded: LoadedWorkload, batch_size: int):
        self.data = loaded.data
        self.window = loaded.workload.eval_every
        self._augment = loaded.workload.augment
        self._batch_size = batch_size
        rep, sharded = self.data.replicated, self.data.sharded
        self._batch = jax.jit(self._gathered, out_shardings=(sharded, rep, rep))
        self._keys = jax.jit(self._split, out_shardings=rep)
        self.zero = jax.device_put(np.int32(0), rep)

    def batch(self, train: Any, rows: Any, row: Any, key: Any, number: Any) -> Any:
        """Dispatch one batch.

        Args:
            train: training rows, see `device_data.Piece`.
            rows: indices into them, int32 ``[P, B]``.
            row: which of them, int32 scalar.
            key: the trial's.
            number: of the batch from the trial's start on, int32 scalar; augmentation draws by it.

        Returns:
            ``{"inputs", "targets", "weights"}`` and the next `row` and `number`.
        """
        return self._batch(train, rows, row, key, number)

    def keys(self, key: Any, start: int) -> np.ndarray:
        """The keys to select and to update with, for each step of a full window from `start` on.

        They are the engine's, in the raw form that AlgoPerf hands out, and on the host: taking one
        out of an array on a device would be a program of its own at every step.

        Returns:
            uint32 ``[steps, 2, 2]``.
        """
        return np.asarray(self._keys(key, np.int32(start)))

    def _gathered(self, train: Any, rows: Any, row: Any, key: Any, number: Any) -> Any:
        batch = jax.tree.map(lambda a: a[rows[row]], train)
        batch = jax.lax.with_sharding_constraint(batch, self.data.sharded)
        if self._augment is not None:
            augment_key = jax.random.split(jax.random.fold_in(key, number), 3)[0]
            batch = self._augment(augment_key, batch)
        weights = jnp.ones(self._batch_size, jnp.float32)
        return {**batch, "weights": weights}, row + 1, number + 1

    def _split(self, key: Any, start: Any) -> Any:
        steps = start + jnp.arange(self.window)
        folded = jax.vmap(lambda step: jax.random.split(jax.random.fold_in(key, step), 3))(steps)
        return jax.random.key_data(folded)[:, 1:]


class InputQueue(Iterator[dict[str, Any]]):
    """Shuffled batches in the order that every submission sees them, one after the other.

    Args:
        gather: of the workload at the submission's batch size.
        key: the trial's.

    Attributes:
        drawn: batches so far.
    """

    def __init__(self, gather: Gather, key: Any):
        self._gather, self._key = gather, key
        self._order: BatchOrder | None = None
        self._steps = gather.window
        self._pieces: Iterator[Any] = iter(())
        self._left = 0
        self._number = gather.zero
        self.drawn = 0

    def open(self, order: BatchOrder, steps: int) -> None:
        """Before a window of steps: place so many batches at once, and read no more than them."""
        self._order, self._steps = order, steps

    def close(self) -> None:
        """After a window of steps: what was placed and not drawn is placed anew when it is.

        Nothing is read while the clock stands still.
        """
        self._pieces, self._left = iter(()), 0

    def __next__(self) -> dict[str, Any]:
        """The next batch; dispatched, not waited for."""
        while not self._left:
            self._next_piece()
        batch, self._row, self._number = self._gather.batch(
            self._piece.train, self._piece.rows, self._row, self._key, self._number
        )
        self._left -= 1
        self.drawn += 1
        return batch

    def _next_piece(self) -> None:
        jax.block_until_ready(self._number)  # of streamed data, two pieces are on the device
        piece = next(self._pieces, None)
        if piece is None:
            window = self._order.window(self.drawn, self._steps)
            self._pieces = iter(self._gather.data.place(window))
            piece = next(self._pieces)
        self._piece, self._left, self._row = piece, piece.steps, self._gather.zero
