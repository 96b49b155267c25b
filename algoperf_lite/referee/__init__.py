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

from algoperf_lite import compiles
from algoperf_lite.referee import threads
from algoperf_lite.referee.belongings import Belongings
from algoperf_lite.referee.checksums import checksum_arrays
from algoperf_lite.referee.configuration import Configuration
from algoperf_lite.referee.hooks import Hooks
from algoperf_lite.referee.processes import Processes
from algoperf_lite.referee.readings import Phase, Readings
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
        self._configuration = Configuration()
        self._threads = threads.started()
        self._processes = Processes()
        self._belongings = Belongings({"limits": limits})
        self._keep_loaded()
        if loaded not in _at_first:  # it costs: once for each workload that is loaded
            _at_first[loaded] = checksum_arrays(loaded.data.resident)
        self._readings: dict[int, Readings] = {}
        self._host_loop = False
        self.reasons: list[str] = []

    def watch(self, run: RunState, trial: Any, recorder: Any, path: str = "") -> None:
        """Watch over a trial too, from before its submission's program is made.

        Args:
            run: where the trial stands.
            trial: whose attributes stay.
            recorder: where its rows go.
            path: before the names of these, where there are several.
        """
        keep = self._belongings.keep
        keep(f"{path}trial", trial)
        keep(f"{path}recorder", recorder, ("directory", "_process", "_evaluations"))
        keep(f"{path}run", run, ("clock", "history", "began"))
        keep(f"{path}run.clock", run.clock)
        keep(f"{path}run.clock.compiles", run.clock.compiles, ())
        self._readings[id(run)] = Readings(run)

    def watch_program(self, program: Any) -> None:
        """Watch over a submission's program too, now that it is compiled."""
        self._belongings.keep("program", program)
        self._host_loop = program.host_loop

    def look(self, run: RunState, since: Phase) -> None:
        """Look around where the clock has stopped.

        Args:
            run: where the trial stands.
            since: what was done since the last look. Code and belongings are looked at where the
                submission's Python ran.
        """
        for start in threads.alive(self._threads):
            self._note(f"{start}, goes on while the clock stands still")
        for command in self._processes.running():
            self._note(
                f"a process {command!r} goes on while the clock stands still (end it before the"
                " call that starts it returns)"
            )
        for hook in self._hooks.added():
            self._note(f"{hook} may run while the clock stands still")
        if since in ("compiling", "on_eval") or (self._host_loop and since == "training"):
            self._look_at_code()
        if since != "resuming":  # what is resumed was looked at when it was kept
            for told in self._readings[id(run)].changed(run, since):
                self._note(f"wrote into the trial's {told}")
        self._readings[id(run)] = Readings(run)

    def verdict(self) -> str | None:
        """Why the trial is invalid, or None; what was changed is put back. To be asked once."""
        for start in threads.alive(self._threads):
            self._note(f"{start}, goes on after the trial")
        for hook in self._hooks.added():
            self._note(f"{hook} is left after the trial")
        self._look_at_code()
        now, before = checksum_arrays(self._loaded.data.resident), _at_first[self._loaded]
        if written := sorted(path for path in before if now.get(path) != before[path]):
            self._note(f"wrote into the arrays of data{_some(written)}")
        return "; ".join(self.reasons) or None

    def _look_at_code(self) -> None:
        if broken := self._seal.broken():
            self._note(f"replaced {_some(broken)}")
        if changed := self._belongings.changed():
            self._note(f"wrote into {_some(changed)}")
        for name in self._configuration.changed():
            self._note(f"changed jax.config {name}")
        if not compiles.listening():
            compiles.listen()
            self._note("took away what counts compilations")
        self._keep_loaded()

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
        self._configuration = Configuration()
        self._hooks = Hooks()
        self._threads = threads.started()

    def offences(self) -> list[str]:
        """What it did, in words; what was replaced is put back."""
        found = [f"starts {start}" for start in threads.alive(self._threads)]
        found += [f"leaves {hook}" for hook in self._hooks.added()]
        found += [f"changes {name}" for name in self._seal.broken()]
        return found + [f"changes jax.config {name}" for name in self._configuration.changed()]


def modules_of(workload: Any) -> set[str]:
    """Names of the modules whose code a workload is made of."""
    parts: list[Callable[..., Any] | type | None] = [type(workload.model), workload.loss]
    parts += [workload.augment, workload.dataset.preprocess]
    parts += [f for m in workload.metrics for f in (m.parts, m.finish)]
    return {name for part in parts if (name := getattr(part, "__module__", None))}


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
