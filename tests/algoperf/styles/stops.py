"""SGD that ends its training after some steps by raising `TrainingCompleteError`."""

import plain
from algoperf import spec
from plain import data_selection, get_batch_size, init_optimizer_state  # noqa: F401


def update_params(global_step, **arguments):
    if global_step >= 25:
        raise spec.TrainingCompleteError(f"Stopping at step {global_step}")
    return plain.update_params(global_step=global_step, **arguments)
