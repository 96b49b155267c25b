"""The clock of a trial: what is on it, and how its edges are read.

JAX dispatches work and returns at once, so a clock read measures nothing until the device has been
waited for. `Clock.measure` waits before both edges: for the work that was still in flight when the
segment began, and for the work that the segment started, whether or not it shows in the result.
"""

import math
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any

import jax
from jax._src.array import ArrayImpl
from jax.extend.backend import backends

from algoperf_lite.compiles import CompileCounter

# Bound when this module is imported, before any submission is: patching them later has no effect.
_now = perf_counter
_flatten = jax.tree_util.default_registry.flatten
_wait, _is_ready, _is_deleted = (
    ArrayImpl.block_until_ready,
    ArrayImpl.is_ready,
    ArrayImpl.is_deleted,
)
_clients = backends
_barrier = jax.effects_barrier


def _block(tree: Any) -> Any:
    """Wait for the arrays of a pytree, as `jax.block_until_ready` does; returns the pytree.

    That function looks up its parts within JAX whenever it is called, where they can be replaced.
    """
    for leaf in _flatten(tree)[0]:
        if isinstance(leaf, ArrayImpl):
            _wait(leaf)
        elif (wait := getattr(leaf, "block_until_ready", None)) is not None:
            wait()  # such as an array of keys
    return tree


class Clock:
    """Accumulates on-clock seconds by segment, blocking at every edge.

    Attributes:
        segments: on-clock seconds by segment name.
        windows: (steps, seconds) of each training window.
        compiles: compilations that happened on the clock, and their seconds.

    Example:
        >>> import jax.numpy as jnp
        >>> clock = Clock()
        >>> total = clock.measure("update", lambda x: x @ x, jnp.ones((64, 64)))
        >>> clock.seconds == clock.segments["update"] > 0
        True
    """

    def __init__(self):
        self.segments: dict[str, float] = {}
        self.windows: list[tuple[int, float]] = []
        self.compiles = CompileCounter()

    @property
    def seconds(self) -> float:
        """On-clock seconds so far, over all segments."""
        return sum(self.segments.values())

    def measure(self, segment: str, work: Callable[..., Any], *args: Any, steps: int = 0) -> Any:
        """Run ``work(*args)`` on the clock and wait for what it returns.

        Args:
            segment: what the time is booked under.
            work: may dispatch asynchronously; everything it starts is waited for.
            *args: passed on; waited for before the clock starts, as is all else.
            steps: training steps done, where this is a training window.

        Returns:
            What `work` returned, ready.
        """
        _block(args)
        _settle()
        booked = self.segments.get(segment, 0.0)  # now: `work` may be a submission's
        with self.compiles:
            start = _now()
            result = _block(work(*args))
            _barrier()
            end = _now()
            if _settle():  # it left work behind that is no part of its result
                end = _now()
            elapsed = end - start
        self.segments[segment] = booked + elapsed
        if steps:
            self.windows.append((steps, elapsed))
        return result

    def to_json(self) -> dict[str, Any]:
        """What it has read so far, JSON-ready."""
        compiles = [self.compiles.count, self.compiles.seconds]
        return {"segments": self.segments, "windows": self.windows, "compiles": compiles}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        self.segments.clear()
        self.segments.update(kept["segments"])
        self.windows[:] = [(steps, seconds) for steps, seconds in kept["windows"]]
        self.compiles.count, self.compiles.seconds = kept["compiles"]

    @property
    def robust_seconds(self) -> float:
        """Steps times the median window's seconds per step, plus all that is not a window.

        A machine that was slow for a few windows does not change it.
        """
        if not self.windows:
            return self.seconds
        rate = median(seconds / steps for steps, seconds in self.windows)
        in_windows = sum(seconds for _, seconds in self.windows)
        return rate * sum(steps for steps, _ in self.windows) + self.seconds - in_windows


def _settle() -> bool:
    """Wait for every array on every device; whether there was one to wait for."""
    waited = False
    for client in _clients().values():
        for array in client.live_arrays():
            try:
                if not (_is_deleted(array) or _is_ready(array)):
                    waited = True
                    _block(array)
            except RuntimeError:
                if not _is_deleted(array):  # let go of in the meantime, by a thread
                    raise
    return waited


class Untimed(Clock):
    """The clock of a trial that has none of its own: it runs the work, and reads NaN."""

    @property
    def seconds(self) -> float:
        """NaN."""
        return math.nan

    def measure(self, segment: str, work: Callable[..., Any], *args: Any, steps: int = 0) -> Any:
        """Run ``work(*args)``."""
        del segment, steps
        return work(*args)
