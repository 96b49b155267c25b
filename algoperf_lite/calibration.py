"""Reference seconds per step on this device: what budgets are made of.

AlgoPerf fixes its hardware; here a budget is fixed relative to whatever device is at hand: the step
hint times the seconds that the reference submission needs per step. Measured once per device,
versions, workload and reference, and kept under `environment.home`.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from algoperf_lite import environment
from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.engine import Program
from algoperf_lite.window import train_window, warm_up

MIN_WINDOWS = 3
MAX_WINDOWS = 12
ENOUGH_SECONDS = 3.0


def path(described: dict[str, Any], workload_fingerprint: str, reference_fingerprint: str) -> Path:
    """Where the calibration of a workload with its reference on a device is kept.

    Args:
        described: what `environment.describe` says of the device.
        workload_fingerprint: see `Workload.fingerprint`.
        reference_fingerprint: of the reference submission's code.
    """
    identity = [described, workload_fingerprint, reference_fingerprint]
    digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
    return environment.home() / "calibration" / f"{digest[:32]}.json"


def measure(program: Program, hp: Any) -> dict[str, Any]:
    """Time windows of the reference submission from its first step on.

    Args:
        program: the reference submission's on the workload.
        hp: its traced hyperparameters.

    Returns:
        ``seconds_per_step`` (on the robust clock), ``windows`` (each one's), ``steps``, and
        ``calibration_kernel_seconds`` before and after.
    """
    before = environment.time_calibration_kernel()
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, seed=0)
    warm_up(program, order, 0, hp)
    carry = program.init(0, hp)
    clock, steps = Clock(), program.loaded.workload.eval_every
    while len(clock.windows) < MIN_WINDOWS or (
        clock.seconds < ENOUGH_SECONDS and len(clock.windows) < MAX_WINDOWS
    ):
        carry, _ = train_window(clock, program, order, carry, steps, hp)
    after = environment.time_calibration_kernel()
    rates = [seconds / count for count, seconds in clock.windows]
    return {
        "seconds_per_step": clock.robust_seconds / sum(count for count, _ in clock.windows),
        "windows": rates,
        "steps": steps * len(rates),
        "calibration_kernel_seconds": [before, after],
    }
