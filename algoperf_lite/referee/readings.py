"""What a trial's clock and history said, to see that nobody writes into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from algoperf_lite.run_state import RunState


class Readings:
    """A copy of what only grows while a trial runs.

    Args:
        run: where the trial stands.
    """

    def __init__(self, run: RunState):
        self._segments = dict(run.clock.segments)
        self._compiles = run.clock.compiles.count
        self._lists = {"windows": list(run.clock.windows), "history": list(run.history)}

    def changed(self, run: RunState) -> Iterator[str]:
        """Names of what went back or was rewritten since."""
        for name, seconds in self._segments.items():
            if not run.clock.segments.get(name, 0.0) >= seconds:
                yield f"clock ({name})"
        if run.clock.compiles.count < self._compiles:
            yield "clock (compilations)"
        for name, now in (("windows", run.clock.windows), ("history", run.history)):
            if list(now[: len(self._lists[name])]) != self._lists[name]:
                yield f"clock ({name})" if name == "windows" else name
