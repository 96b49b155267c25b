"""Training data that does not fit on the device: read from its files while training goes on.

Batches come in the order they would be gathered in on the device, so the curve is the same. Grain
(https://github.com/google/grain) reads ahead within a window of steps, and stops where the window
ends: nothing is read off the clock while an evaluation runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np

from algoperf_lite.errors import UsageError

PIECE_BYTES = 32 * 2**20  # of training data that go to the device at once
READ_THREADS = 4
READ_AHEAD = 4  # pieces
CHUNK_ROWS = 4096  # read at once where a whole split is read


class StreamedSplit:
    """A split that is read a few rows at a time.

    Args:
        name: of the dataset, for messages.
        source: random access to records, as TFDS gives it.
        preprocess: as in `workload.Dataset`; it must map each row by itself.
        rows_per_record: rows in a record; None where a record is one row.
    """

    def __init__(
        self,
        name: str,
        source: Any,
        preprocess: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        rows_per_record: int | None = None,
    ):
        self._source = source
        self._preprocess = preprocess
        self._rows_per_record = rows_per_record
        self._name = name
        self._first = self.rows(np.arange(min(2, len(self))))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self._source) * (self._rows_per_record or 1)

    @property
    def row_shapes(self) -> Any:
        """Of one row after preprocessing, a pytree of ``jax.ShapeDtypeStruct``."""
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape[1:], a.dtype), self._first)

    @property
    def row_bytes(self) -> int:
        """Bytes that one row becomes by preprocessing."""
        return sum(leaf.nbytes for leaf in jax.tree.leaves(self._first)) // min(2, len(self))

    @property
    def nbytes(self) -> int:
        """Bytes of all rows after preprocessing."""
        return len(self) * self.row_bytes

    def check_rows_stay_rows(self) -> None:
        """See that preprocessing maps each row by itself, without which nothing can be streamed.

        Raises:
            UsageError: it gives another number of rows than it got.
        """
        given = min(2, len(self))
        if (counts := {leaf.shape[0] for leaf in jax.tree.leaves(self._first)}) != {given}:
            raise UsageError(
                f"dataset {self._name}: its preprocessing makes {sorted(counts)} rows of {given},"
                " so it cannot be streamed; raise ALGOPERF_LITE_DEVICE_DATA_BYTES to keep it on"
                " the device"
            )

    def rows(self, indices: np.ndarray) -> Mapping[str, Any]:
        """Preprocessed rows, in the order of `indices`."""
        block = self._rows_per_record or 1
        records, position = np.unique(indices // block, return_inverse=True)
        found = self._source.__getitems__([int(r) for r in records])
        features = {
            name: np.stack([np.asarray(record[name]) for record in found]) for name in found[0]
        }
        if self._rows_per_record:
            features = {n: values[position, indices % block] for n, values in features.items()}
        else:
            features = {n: values[position] for n, values in features.items()}
        return self._preprocess(features)

    def chunks(self) -> Iterator[Mapping[str, Any]]:
        """All rows in order, some at a time."""
        for start in range(0, len(self), CHUNK_ROWS):
            yield self.rows(np.arange(start, min(start + CHUNK_ROWS, len(self))))


def read_ahead(split: StreamedSplit, pieces: list[np.ndarray]) -> Iterator[Mapping[str, Any]]:
    """The rows of each piece in turn, the next ones being read meanwhile.

    Args:
        split: where they are read.
        pieces: row indices of each.
    """
    import grain  # noqa: PLC0415  (two seconds)

    options = grain.ReadOptions(num_threads=READ_THREADS, prefetch_buffer_size=READ_AHEAD)
    return iter(grain.MapDataset.source(_Pieces(split, pieces)).to_iter_dataset(options))


class _Pieces:
    """Random access to the pieces of a window, as grain asks for it."""

    def __init__(self, split: StreamedSplit, pieces: list[np.ndarray]):
        self._split = split
        self._pieces = pieces

    def __len__(self) -> int:
        return len(self._pieces)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self._split.rows(self._pieces[index])


def steps_per_piece(window: int, batch_bytes: int) -> int:
    """The largest divisor of a window's steps whose batches stay within `PIECE_BYTES`, at least 1.

    Args:
        window: steps of a full window.
        batch_bytes: of one batch.

    Example:
        >>> steps_per_piece(60, batch_bytes=2 * 2**20)
        15
    """
    return max(
        (d for d in range(1, window + 1) if window % d == 0 and d * batch_bytes <= PIECE_BYTES),
        default=1,
    )
