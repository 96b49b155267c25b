"""One slot of a Ray cluster as seen from the command: calls, records that come back, losses."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from algoperf_lite import errors
from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.executors import Event, Executor, NodeLostError, WorkerLostError
from algoperf_lite.records import TRIAL_FILE, write_whole
from algoperf_lite.spec import TrialSpec

CLOSE_SECONDS = 5.0


class Slot:
    """An actor of the class `ray_node.Node`.

    Args:
        ray: the module.
        actor: its handle.
        host: name of its machine.
    """

    def __init__(self, ray: ModuleType, actor: Any, host: str):
        self.name = host
        self.machine = ""
        self._ray = ray
        self._actor = actor

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return self._actor is not None

    @property
    def slots(self) -> Sequence[Executor]:
        """See `executors.Executor.slots`."""
        return (self,)

    def introduce(self) -> Any:
        """A reference to what `Node.introduce` will return."""
        return self._actor.introduce.remote()

    def meet(self, introduced: Any, here: Mapping[str, str]) -> None:
        """Take note of who it is.

        Args:
            introduced: what `introduce` returned, ready.
            here: `ray_node.code` of this machine.

        Raises:
            NodeLostError: its machine was lost meanwhile.
            MachineError: it cannot run this code, or runs other code.
        """
        try:
            said = self._ray.get(introduced)
        except self._ray.exceptions.RayError as error:
            faulty = isinstance(error, self._ray.exceptions.RayTaskError)
            if not faulty and not getattr(error, "actor_init_failed", False):
                raise NodeLostError(f"{self.name} was lost: {_last_line(error)}") from error
            raise MachineError(
                f"{self.name} cannot run trials; is algoperf_lite {here['version']} installed"
                f" there, for the same Python? {_last_line(error)}"
            ) from error
        if said["code"] != here["code"]:
            raise MachineError(
                f"{self.name} runs other code: algoperf_lite {said['version']} there,"
                f" {here['version']} here; install the same on both"
            )
        self.name, self.machine = said["host"], said["machine"]

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> Any:
        """See `executors.Executor.call`; records are written here when a trial has ended.

        Raises:
            NodeLostError: its machine was lost.
        """
        for kind, content in self._messages(method, arguments):
            if kind == "event":
                on_event(content)
            elif kind == "files":
                write_trials(content, specs(method, arguments))
            elif kind == "result":
                return content
            else:
                raise _raised(self.name, *content)
        raise NodeLostError(f"{self.name} ended a call without an answer")

    def _messages(self, method: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        actor = self._actor
        if actor is None:
            raise NodeLostError(f"the slot on {self.name} is closed")
        try:
            stream = actor.stream.options(num_returns="streaming")
            for reference in stream.remote(method, dict(arguments)):
                yield self._ray.get(reference)
        except self._ray.exceptions.RayTaskError:
            raise  # a fault of ours
        except self._ray.exceptions.RayError as error:
            raise NodeLostError(f"{self.name} was lost: {_last_line(error)}") from error

    @contextmanager
    def reserve(self, purpose: str) -> Iterator[None]:
        """See `executors.Executor.reserve`.

        Raises:
            NodeLostError: its machine was lost.
        """
        try:
            refused = self._ray.get(self._actor.reserve.remote(purpose))
        except self._ray.exceptions.RayActorError as error:
            raise NodeLostError(f"{self.name} was lost: {_last_line(error)}") from error
        if refused is not None:
            raise MachineError(f"{self.name}: {refused}")
        try:
            yield
        finally:
            if self._actor is not None:
                self._ray.wait([self._actor.release.remote()], timeout=CLOSE_SECONDS)

    def close(self) -> None:
        """End its worker, then the actor; a lost machine is not waited for."""
        actor, self._actor = self._actor, None
        if actor is not None and self._ray.is_initialized():
            self._ray.wait([actor.close.remote()], timeout=CLOSE_SECONDS)
            self._ray.kill(actor)


def close_duplicates(slots: Sequence[Slot]) -> None:
    """Close slots whose devices are another's too, as slots of one CPU are."""
    seen = set()
    for slot in slots:
        try:
            device = (slot.machine, *slot.call("device_names", {}))
        except NodeLostError:
            device = None
        if device is None or device in seen:
            slot.close()
        seen.add(device)


def the_same(
    described: Sequence[tuple[str, Mapping[str, Any]]], keys: Sequence[str], mend: str
) -> None:
    """See to it that machines say the same.

    Args:
        described: name of the machine, and what it says.
        keys: of what it says.
        mend: what to do about a difference.

    Raises:
        UsageError: two do not, with their names and what differs.
    """
    first, expected = described[0]
    for other, found in described[1:]:
        for key in keys:
            if found[key] != expected[key]:
                raise UsageError(
                    f"{first} and {other} differ in {key}: {_difference(expected[key], found[key])}"
                    f"; {mend}"
                )


def write_trials(files: Mapping[str, bytes], asked: Sequence[TrialSpec]) -> None:
    """Write the files of trials in place of what is there, each trial.json last of its directory.

    What lies anywhere else is left out: nothing but a submission can have put it there.

    Args:
        files: contents by path, relative to the results directory.
        asked: the trials that were to be run.

    Raises:
        MachineError: they cannot be written.
    """
    for spec in asked:
        results, directory = Path(spec.results), spec.directory
        mine = {
            results / name: content
            for name, content in files.items()
            if directory in (results / name).parents and ".." not in Path(name).parts
        }
        if mine:
            shutil.rmtree(directory, ignore_errors=True)
        for path in sorted(mine, key=lambda path: path.name == TRIAL_FILE):
            write_whole(path, mine[path])


def specs(method: str, arguments: Mapping[str, Any]) -> list[TrialSpec]:
    """The trials that a call runs."""
    trials = {"trial": [arguments], "vectorized": arguments.get("trials", [])}.get(method, [])
    return [TrialSpec(**trial) for trial in trials]


def _raised(host: str, name: str, message: str) -> Exception:
    """The error of ours that a worker raised; what is not a trial's own says where it was."""
    if name == "WorkerLostError":
        return WorkerLostError(message)
    kind = getattr(errors, name, errors.AlgoperfLiteError)
    return kind(f"on {host}: {message}")


def _difference(a: Any, b: Any) -> str:
    """The first thing that differs in two JSON-ready values, as text."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        key = next(key for key in {**a, **b} if a.get(key) != b.get(key))
        return f"{key}: {_difference(a.get(key), b.get(key))}"
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        one, other = next(pair for pair in zip(a, b, strict=True) if pair[0] != pair[1])
        named = isinstance(one, Mapping) and "name" in one
        return (f"{one['name']}, " if named else "") + _difference(one, other)
    return f"{a!r} and {b!r}"


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:500] if lines else type(error).__name__
