"""The schedule of the submission beside this file."""

import optax


def triangle(peak, steps):
    """Up to `peak` in a tenth of the steps, down to 0 in the rest."""
    warmup = max(1, steps // 10)
    return optax.join_schedules(
        [optax.linear_schedule(0.0, peak, warmup), optax.linear_schedule(peak, 0.0, steps)],
        [warmup],
    )
