"""A workload's data where the compiled programs want it: on the devices, once."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from algoperf_lite.errors import UsageError
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


class DeviceData:
    """All splits of a workload on a mesh of devices.

    The training split is replicated, and batches are gathered from it inside the compiled step. The
    evaluation splits are cut into padded batches of one shape, so one program evaluates them all.

    Args:
        workload: whose data it is.
        splits: what `dataset.load` returned.
        devices: devices to use; batch sizes must divide by their number.

    Attributes:
        train: the whole training split, replicated.
        eval_batches: batches of ``validation``, ``test`` and ``train`` (as many rows of it as
            validation has).
    """

    def __init__(self, workload: Workload, splits: Mapping[str, Any], devices: Sequence[Any]):
        self.mesh = Mesh(np.asarray(devices), (BATCH_AXIS,))
        self.replicated = NamedSharding(self.mesh, PartitionSpec())
        self.sharded = NamedSharding(self.mesh, PartitionSpec(BATCH_AXIS))
        self.check_divides("eval_batch_size", workload.eval_batch_size)
        self.num_train = count_rows(splits["train"])
        self.train = jax.device_put(splits["train"], self.replicated)
        head = slice(0, count_rows(splits["validation"]))
        evaluated = {
            "validation": splits["validation"],
            "test": splits["test"],
            "train": jax.tree.map(lambda a: a[head], splits["train"]),
        }
        size = workload.eval_batch_size
        self.eval_batches = {name: self._batches(a, size) for name, a in evaluated.items()}

    def check_divides(self, what: str, batch: int) -> None:
        """Raise `UsageError` unless `batch` divides evenly over the devices."""
        devices = self.mesh.size
        if batch % devices:
            raise UsageError(
                f"{what} {batch} does not divide over {devices} devices"
                f" (remainder {batch % devices}); use --devices with a divisor of {batch}"
            )

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


def count_rows(arrays: Any) -> int:
    """Length of the first axis, which all leaves must share."""
    counts = {leaf.shape[0] for leaf in jax.tree.leaves(arrays)}
    if len(counts) != 1:
        raise ValueError(f"arrays of one split disagree on the number of rows: {sorted(counts)}")
    return counts.pop()
