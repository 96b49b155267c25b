"""What a trial's clock and history said, to see that nobody writes into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from algoperf_lite.run_state import RunState

Phase = Literal["compiling", "resuming", "training", "evaluation", "on_eval"]


class Growth(NamedTuple):
    """What a phase of a trial may change; all else is as it was.

    Attributes:
        segments: of the clock, which may grow.
        windows: how many more there may be.
        evaluations: how many more there are in the history.
        compiles: whether there may be more compilations on the clock.
        statuses: how a trial may have ended in it.
    """

    segments: tuple[str, ...] = ()
    windows: int = 0
    evaluations: int = 0
    compiles: bool = False
    statuses: tuple[str | None, ...] = (None,)


GROWTH: dict[Phase, Growth] = {
    "compiling": Growth(),
    "training": Growth(("data", "update", "eval_params"), windows=1, compiles=True),
    "evaluation": Growth(evaluations=1),
    "on_eval": Growth(("on_eval",), compiles=True, statuses=(None, "budget_exhausted", "error")),
}


class Readings:
    """A copy of what a trial's clock and history say.

    Args:
        run: where the trial stands.
    """

    def __init__(self, run: RunState):
        self._segments = dict(run.clock.segments)
        self._compiles = run.clock.compiles.count, run.clock.compiles.seconds
        self._windows, self._history = list(run.clock.windows), list(run.history)

    def changed(self, run: RunState, since: Phase) -> Iterator[str]:
        """Names of what is not as the phase since they were read may leave it.

        Windows and history are put back, so that what is written of the trial makes sense.
        """
        may, clock = GROWTH[since], run.clock
        for name in {**self._segments, **clock.segments}:
            before, now = self._segments.get(name, 0.0), clock.segments.get(name, 0.0)
            if not (now >= before if name in may.segments else now == before):
                yield f"clock ({name})"
        now = clock.compiles.count, clock.compiles.seconds
        more = all(n >= b for n, b in zip(now, self._compiles, strict=True))
        if not (more if may.compiles else now == self._compiles):
            yield "clock (compilations)"
        if not _grown(clock.windows, self._windows, may.windows):
            clock.windows[:] = self._windows
            yield "clock (windows)"
        if not _grown(run.history, self._history, may.evaluations):
            run.history[:] = self._history
            yield "history"
        if run.status not in may.statuses:
            yield "status"


def _grown(now: list, before: list, most: int) -> bool:
    return now[: len(before)] == before and len(now) - len(before) <= most
