"""What trial.json says of a run: how it ended, its clock, what was off the clock, marks."""

from __future__ import annotations

import math
from typing import Any

from algoperf_lite import environment
from algoperf_lite.clock import Untimed
from algoperf_lite.engine import Program
from algoperf_lite.run_state import RunState
from algoperf_lite.submission import Submission

# A trial is marked noisy past this relative disagreement of its two clocks, or where others had so
# much of its processors' time.
NOISY_ABOVE = 0.10
CONTENDED_ON_HOST_LOOP = 0.20
"""The same, where a submission's Python runs beside the computing threads: on two cores that were
otherwise idle they waited for up to 9% of their processors' time, beside a busy process for 33%."""
DRIFTED_ABOVE = 0.10  # relative change of the calibration kernel past which it is marked drifted
UNTIMED = {"timed": False, "seconds": None, "robust_seconds": None, "interpolated_seconds": None}
OF_THE_CLOCK = (
    "clock", "compiles_on_clock", "window_seconds_per_step", "noisy", "contention", "drifted",
)  # fmt: skip


def summarize(
    program: Program | None, run: RunState, kernel: tuple[float, float]
) -> dict[str, Any]:
    """What trial.json says of a run.

    Args:
        program: the compiled submission, if it did compile.
        run: the trial as it ended.
        kernel: seconds of the calibration kernel before and after.

    Returns:
        JSON-ready but for numbers that are not finite. Of a run that was not timed, no seconds
        of its clock.
    """
    clock = run.clock
    said = {
        "status": run.status,
        "reason": run.reason,
        "steps": run.step,
        "seconds": clock.seconds,
        "robust_seconds": clock.robust_seconds,
        "noisy": _is_noisy(program, run),
        "contention": _contention(run),
        "drifted": max(kernel) / min(kernel) - 1 > DRIFTED_ABOVE,
        "interpolated_seconds": _crossing(program, run),
        "clock": dict(clock.segments),
        "compiles_on_clock": {"count": clock.compiles.count, "seconds": clock.compiles.seconds},
        "off_clock": {
            "compile": program.compile_seconds if program else 0.0,
            "compile_evaluation": program.loaded.evaluator.compile_seconds if program else 0.0,
            "evaluation": run.evaluation_seconds,
            "final_evaluation": run.final_evaluation_seconds,
            "checkpoints": run.checkpoint_seconds,
            "wall": run.wall_seconds,
        },
        "window_seconds_per_step": [seconds / steps for steps, seconds in clock.windows],
        "calibration_kernel_seconds": list(kernel),
        **_of_program(program),
        "unread_hyperparameters": _unread(program, run) if program else [],
        "peak_memory_bytes": environment.peak_memory_bytes(),
        "final": run.final,
    }
    if run.resumed_at:
        said["resumed_at"] = run.resumed_at
    if run.status == "stopped":
        said["timed"] = False
    if isinstance(clock, Untimed):
        said = {key: value for key, value in said.items() if key not in OF_THE_CLOCK} | UNTIMED
    return said


def _of_program(program: Program | None) -> dict[str, Any]:
    names = ("flops_per_step", "many_steps", "host_loop", "batch_size", "parameters")
    said = {name: getattr(program, name) if program else None for name in names}
    said["many_steps_per_dispatch"] = said.pop("many_steps")
    return said | {"streamed": program.loaded.data.streamed if program else None}


def _disagreement(run: RunState) -> float:
    clock = run.clock
    return abs(clock.robust_seconds / clock.seconds - 1) if clock.seconds else 0.0


def _is_noisy(program: Program | None, run: RunState) -> bool:
    host_loop = program is not None and program.host_loop
    contended = CONTENDED_ON_HOST_LOOP if host_loop else NOISY_ABOVE
    return _disagreement(run) > NOISY_ABOVE or _contention(run) > contended


def _contention(run: RunState) -> float:
    """Share of its processors' time that threads of the trial waited for one while it trained."""
    trained = sum(seconds for _, seconds in run.clock.windows)
    share = run.waited_seconds / (environment.host_threads() * trained) if trained else 0.0
    return max(0.0, share)  # threads that end take what they waited along


def _crossing(program: Program | None, run: RunState) -> float | None:
    """Seconds at which a straight line between evaluations crosses the target (diagnostic)."""
    if run.status != "target_reached" or program is None or len(run.history) < 2:
        return None
    a, b = run.history[-2:]
    goal = program.loaded.workload.target.value
    if a.value == b.value or not math.isfinite(a.value):
        return b.seconds
    return a.seconds + (b.seconds - a.seconds) * (goal - a.value) / (b.value - a.value)


def _unread(program: Program, run: RunState) -> list[str]:
    """Hyperparameters never looked up; none as long as an `on_eval` that may do so was not called.

    It is called after every evaluation but the last.
    """
    may = type(program.submission).on_eval is not Submission.on_eval and len(run.history) < 2
    return [] if may else sorted(set(run.hp) - program.read)
