"""A workload's data where the compiled programs want it: on the devices, once or as it streams."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from algoperf_lite.errors import check_divides
from algoperf_lite.streaming import StreamedSplit, read_ahead, steps_per_piece
from algoperf_lite.workload import Workload

BATCH_AXIS = "batch"


class EvalBatch(NamedTuple):
    """One evaluation batch, padded with zero rows to the evaluation batch size.

    Attributes:
        arrays: ``{"inputs", "targets"}`` on device, sharded along the batch.
        mask: bool ``[B]`` on device, False at padding.
        rows: number of real rows.
    """

    arrays: Any
    mask: Any
    rows: int


class Piece(NamedTuple):
    """Consecutive steps of a window, with what they need on the devices.

    Attributes:
        train: training rows, replicated.
        rows: indices into them, int32 ``[P, B]``; what is beyond `steps` is padding.
        count: `steps` as an int32 scalar on the devices.
        steps: how many.
    """

    train: Any
    rows: Any
    count: Any
    steps: int


class DeviceData:
    """All splits of a workload on a mesh of devices.

    The training split is replicated, and batches are gathered from it inside the compiled step; one
    that is streamed is replaced, a piece of a window at a time, by the rows of the piece. The
    evaluation splits are cut into padded batches of one shape, so one program evaluates them all.

    Args:
        workload: whose data it is.
        splits: what `dataset.load` returned.
        devices: devices to use; batch sizes must divide by their number.

    Attributes:
        num_train: rows of the training split.
        streamed: whether the training split is read while training.
        row_shapes: of one training row, a pytree of ``jax.ShapeDtypeStruct``.
        eval_batches: batches of ``validation``, ``test`` and ``train`` (as many rows of it as
            validation has).
    """

    def __init__(self, workload: Workload, splits: Mapping[str, Any], devices: Sequence[Any]):
        self.mesh = Mesh(np.asarray(devices), (BATCH_AXIS,))
        self.replicated = NamedSharding(self.mesh, PartitionSpec())
        self.sharded = NamedSharding(self.mesh, PartitionSpec(BATCH_AXIS))
        self.check_divides("eval_batch_size", workload.eval_batch_size)
        self._window = workload.eval_every
        train, head = splits["train"], count_rows(splits["validation"])
        self.streamed = isinstance(train, StreamedSplit)
        if self.streamed:
            self._split, self.num_train, self.row_shapes = train, len(train), train.row_shapes
            head_rows = train.rows(np.arange(min(head, len(train))))
        else:
            self.num_train = count_rows(train)
            self.row_shapes = jax.tree.map(
                lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), train
            )
            head_rows = jax.tree.map(lambda a: a[:head], train)
            self._train = jax.device_put(train, self.replicated)
        evaluated = {
            "validation": splits["validation"],
            "test": splits["test"],
            "train": head_rows,
        }
        size = workload.eval_batch_size
        self.eval_batches = {name: self._batches(a, size) for name, a in evaluated.items()}

    @property
    def resident(self) -> dict[str, Any]:
        """All arrays of examples that stay on the devices; a pytree."""
        batches = {n: [b[:2] for b in found] for n, found in self.eval_batches.items()}
        return batches if self.streamed else {"training split": self._train, **batches}

    def check_divides(self, what: str, batch: int) -> None:
        """Raise `UsageError` unless `batch` divides evenly over the devices."""
        check_divides(what, batch, self.mesh.size)

    def piece_shapes(self, batch_size: int) -> tuple[Any, Any]:
        """Shapes of `Piece.train` and `Piece.rows` at a batch size."""
        steps = self._piece_steps(batch_size)
        count = steps * batch_size if self.streamed else self.num_train
        train = jax.tree.map(
            lambda s: jax.ShapeDtypeStruct((count, *s.shape), s.dtype, sharding=self.replicated),
            self.row_shapes,
        )
        rows = jax.ShapeDtypeStruct((steps, batch_size), np.int32, sharding=self.replicated)
        return train, rows

    def place(self, window: np.ndarray) -> Iterable[Piece]:
        """The batches of a window on the devices, as pieces in order.

        The one declared transfer of the timed loop. A short window is padded, so that one program
        serves all.

        Args:
            window: row indices ``[steps, B]``.
        """
        steps = self._piece_steps(window.shape[1])
        parts = [window[start : start + steps] for start in range(0, len(window), steps)]
        if not self.streamed:
            return [self._piece(self._train, part, len(part), steps) for part in parts]
        return _StreamedWindow(self, parts, steps)

    def _stream(self, parts: list[np.ndarray], steps: int) -> Iterator[Piece]:
        read = read_ahead(self._split, [_padded(part, steps).ravel() for part in parts])
        local = np.arange(steps * parts[0].shape[1], dtype=np.int32).reshape(steps, -1)
        for rows, part in zip(read, parts, strict=True):
            yield self._piece(jax.device_put(rows, self.replicated), local, len(part), steps)

    def _piece(self, train: Any, rows: np.ndarray, count: int, steps: int) -> Piece:
        placed = jax.device_put((_padded(rows, steps), np.int32(count)), self.replicated)
        return Piece(train, *placed, count)

    def _piece_steps(self, batch_size: int) -> int:
        if not self.streamed:
            return self._window
        return steps_per_piece(self._window, batch_size * self._split.row_bytes)

    def _batches(self, arrays: Any, size: int) -> list[EvalBatch]:
        rows = count_rows(arrays)
        return [
            self._batch(arrays, start, min(size, rows - start), size)
            for start in range(0, rows, size)
        ]

    def _batch(self, arrays: Any, start: int, rows: int, size: int) -> EvalBatch:
        def cut(a: np.ndarray) -> np.ndarray:
            return np.pad(a[start : start + rows], [(0, size - rows)] + [(0, 0)] * (a.ndim - 1))

        put = jax.device_put((jax.tree.map(cut, arrays), np.arange(size) < rows), self.sharded)
        return EvalBatch(*put, rows)


class _StreamedWindow:
    """The pieces of a window, read when iterated over; a leaf to JAX, as a generator is not."""

    def __init__(self, data: DeviceData, parts: list[np.ndarray], steps: int):
        self._data, self._parts, self._steps = data, parts, steps

    def __iter__(self) -> Iterator[Piece]:
        return self._data._stream(self._parts, self._steps)


def _padded(window: np.ndarray, steps: int) -> np.ndarray:
    """A window of fewer than `steps` steps, filled up with row 0."""
    return np.pad(window, [(0, steps - len(window)), (0, 0)])


def count_rows(arrays: Any) -> int:
    """Length of the first axis, which all leaves must share."""
    counts = {leaf.shape[0] for leaf in jax.tree.leaves(arrays)}
    if len(counts) != 1:
        raise ValueError(f"arrays of one split disagree on the number of rows: {sorted(counts)}")
    return counts.pop()
