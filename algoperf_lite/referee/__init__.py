"""Honest timing: a referee watches a trial and says why it does not count, if it does not.

The clock itself waits for all that is in flight (`algoperf_lite.clock`), and programs are looked
through when they are compiled (`programs`). The referee sees to the rest: threads and other ways to
work while the clock stands still, code that was replaced, and data, workload or clock written to.
What it finds it puts back where that is possible, so that the next trial does not suffer from it.
See docs/honest_timing.md, also for what it cannot see.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import jax

from algoperf_lite.referee import threads
from algoperf_lite.referee.belongings import Belongings
from algoperf_lite.referee.checksums import checksum_arrays
from algoperf_lite.referee.hooks import Hooks
from algoperf_lite.referee.readings import Readings
from algoperf_lite.referee.seal import Seal

if TYPE_CHECKING:
    from algoperf_lite.loaded import LoadedWorkload
    from algoperf_lite.run_state import RunState

_at_first: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()


class Referee:
    """Watches one trial, or several that share a program.

    Args:
        loaded: the workload, before the submission's program is made.
        limits: of the trial.

    Attributes:
        reasons: why the trial is invalid, as far as was seen while it ran.
    """

    def __init__(self, loaded: LoadedWorkload, limits: Any = None):
        threads.listen()
        self._loaded = loaded
        self._seal = Seal(modules_of(loaded.workload))
        self._hooks = Hooks()
        self._threads = threads.started()
        self._belongings = Belongings({"limits": limits})
        self._keep_loaded()
        if loaded not in _at_first:  # it costs: once for each workload that is loaded
            _at_first[loaded] = checksum_arrays(loaded.data.resident)
        self._readings: dict[int, Readings] = {}
        self.reasons: list[str] = []

    def look(self, run: RunState) -> None:
        """Look around where the clock has stopped: before each evaluation, and after `on_eval`.

        Args:
            run: where the trial stands.
        """
        self._keep_loaded()  # the evaluation is compiled in the first trial, before it trains
        for start in threads.alive(self._threads):
            self._note(f"{start}, goes on while the clock stands still")
        for hook in self._hooks.added():
            self._note(f"{hook} may run while the clock stands still")
        readings = self._readings.get(id(run))
        for told in readings.changed(run) if readings else ():
            self._note(f"wrote into the trial's {told}")
        self._readings[id(run)] = Readings(run)

    def verdict(self) -> str | None:
        """Why the trial is invalid, or None; what was changed is put back. To be asked once."""
        for start in threads.alive(self._threads):
            self._note(f"{start}, goes on after the trial")
        for hook in self._hooks.added():
            self._note(f"{hook} is left after the trial")
        if broken := self._seal.broken():
            self._note(f"replaced {_some(broken)}")
        if changed := self._belongings.changed():
            self._note(f"wrote into {_some(changed)}")
        now, before = checksum_arrays(self._loaded.data.resident), _at_first[self._loaded]
        if written := sorted(path for path in before if now.get(path) != before[path]):
            self._note(f"wrote into the arrays of data{_some(written)}")
        return "; ".join(self.reasons) or None

    def _keep_loaded(self) -> None:
        self._belongings.add("", self._loaded)

    def _note(self, reason: str) -> None:
        if reason not in self.reasons:
            self.reasons.append(reason)


class Import:
    """Watches the import of a submission: it may start no thread, replace and configure nothing.

    Example:
        >>> watching = Import()
        >>> watching.offences()
        []
    """

    def __init__(self):
        threads.listen()
        self._seal = Seal()
        self._config = dict(jax.config.values)
        self._hooks = Hooks()
        self._threads = threads.started()

    def offences(self) -> list[str]:
        """What it did, in words; what was replaced is put back."""
        found = [f"starts {start}" for start in threads.alive(self._threads)]
        found += [f"leaves {hook}" for hook in self._hooks.added()]
        found += [f"changes {name}" for name in self._seal.broken()]
        for name, value in self._config.items():
            if jax.config.values.get(name) != value:
                jax.config.update(name, value)
                found.append(f"changes jax.config {name}")
        return found


def modules_of(workload: Any) -> set[str]:
    """Names of the modules whose code a workload is made of."""
    parts: list[Callable[..., Any] | type | None] = [type(workload.model), workload.loss]
    parts += [workload.augment, workload.dataset.preprocess]
    parts += [f for m in workload.metrics for f in (m.parts, m.finish)]
    return {name for part in parts if (name := getattr(part, "__module__", None))}


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
