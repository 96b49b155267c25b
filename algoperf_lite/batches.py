"""The order in which training examples are visited: a function of seed and epoch alone."""

import numpy as np


class BatchOrder:
    """An endless stream of shuffled epochs, cut into batches.

    Every epoch is a fresh permutation; batches run on across the seam, so each example is seen once
    per epoch whatever the batch size, and any window can be had without replaying those before it.

    Args:
        num_examples: rows of the training split.
        batch_size: rows of a batch.
        seed: the trial's seed; the same for every submission.

    Example:
        >>> order = BatchOrder(num_examples=4, batch_size=2, seed=0)
        >>> sorted(order.window(0, 2).ravel().tolist())
        [0, 1, 2, 3]
    """

    def __init__(self, num_examples: int, batch_size: int, seed: int):
        self.num_examples = num_examples
        self.batch_size = batch_size
        self.seed = seed
        self._epochs: dict[int, np.ndarray] = {}

    def window(self, start_step: int, steps: int) -> np.ndarray:
        """Indices of `steps` batches from `start_step` on: int32 ``[steps, batch_size]``."""
        first = start_step * self.batch_size
        last = first + steps * self.batch_size
        epochs = range(first // self.num_examples, (last - 1) // self.num_examples + 1)
        stream = np.concatenate([self._epoch(epoch) for epoch in epochs])
        offset = first - epochs.start * self.num_examples
        self._epochs = {e: self._epochs[e] for e in epochs[-1:]}
        return stream[offset : offset + last - first].reshape(steps, self.batch_size)

    def _epoch(self, epoch: int) -> np.ndarray:
        if epoch not in self._epochs:
            rng = np.random.Generator(np.random.PCG64([self.seed, epoch]))
            self._epochs[epoch] = rng.permutation(self.num_examples).astype(np.int32)
        return self._epochs[epoch]
