"""What runs trials on a machine of a Ray cluster. Imports neither Ray nor JAX."""

from __future__ import annotations

import hashlib
import os
import platform
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import algoperf_lite
from algoperf_lite.errors import AlgoperfLiteError
from algoperf_lite.executors.memory import default_limit
from algoperf_lite.executors.process import ProcessExecutor

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
RAY_SETS = "OMP_NUM_THREADS"  # in its worker processes, unless it is set already
Message = tuple[str, Any]
Tell = Callable[[Message], None]


class Node:
    """One slot: a supervised worker on its machine, as on any other; an actor of Ray.

    A trial's files are written to a directory of this machine, and handed over when it has ended.

    Args:
        devices: local devices that a trial uses; None for all that Ray gives this slot.
        hang_after: seconds that a worker may say nothing before it is killed.
        memory_limit: bytes of host memory of a worker and what it started; by default a share of
            the machine's.
        sharing: slots on this machine.
        variables: of the environment of workers.
    """

    def __init__(
        self,
        devices: int | None,
        hang_after: float,
        memory_limit: int | None,
        sharing: int,
        variables: Mapping[str, str],
    ):
        if RAY_SETS not in _environment_of(os.getppid()):
            os.environ.pop(RAY_SETS, None)  # a worker has as many threads as it has elsewhere
        os.environ.update(variables)
        limit = memory_limit or default_limit(sharing)
        self._executor = ProcessExecutor(devices, hang_after, memory_limit=limit)
        self._reserved = ExitStack()

    def introduce(self) -> dict[str, Any]:
        """Which machine this is, and which code it runs."""
        return {"host": platform.node(), "machine": machine()} | code()

    def stream(self, method: str, arguments: Mapping[str, Any]) -> Iterator[Message]:
        """Call the worker.

        Yields:
            ``("event", event)``; of what writes records, ``("files", {relative path: content})``
            below the results directory; at last ``("result", result)``, or ``("raised", (class
            name, message))``.
        """
        messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        threading.Thread(target=self._call, args=(method, arguments, messages.put)).start()
        while True:
            message = messages.get()
            yield message
            if message[0] in ("result", "raised"):
                return

    def _call(self, method: str, arguments: Mapping[str, Any], tell: Tell) -> None:
        try:
            last = "result", self._result(method, arguments, tell)
        except AlgoperfLiteError as error:
            last = "raised", (type(error).__name__, str(error))
        except BaseException as error:  # whoever waits for messages must not wait for ever
            last = "raised", ("AlgoperfLiteError", f"{type(error).__name__}: {error}")
        tell(last)

    def _result(self, method: str, arguments: Mapping[str, Any], tell: Tell) -> Any:
        """What the worker returns, after the files that it wrote, however it ended, are told."""
        with TemporaryDirectory(prefix="algoperf_lite-", ignore_cleanup_errors=True) as scratch:
            moved = _moved(method, arguments, Path(scratch))
            try:
                return self._executor.call(method, moved, lambda event: tell(("event", event)))
            finally:
                if files := _read(Path(scratch)):
                    tell(("files", files))

    def reserve(self, purpose: str) -> str | None:
        """Hold the devices until `release`; why not, if they are another's."""
        try:
            self._reserved.enter_context(self._executor.reserve(purpose))
        except AlgoperfLiteError as error:
            return str(error)
        return None

    def release(self) -> None:
        """Let go of the devices."""
        self._reserved.close()

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        self._executor.close()


def code() -> dict[str, str]:
    """Version and digest of this package's code: what must agree between machines."""
    package = Path(algoperf_lite.__file__).parent
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        digest.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return {"version": version("algoperf_lite"), "code": digest.hexdigest()}


def machine() -> str:
    """A name that this machine has until it is started again, in every container on it."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else platform.node()


def _moved(method: str, arguments: Mapping[str, Any], results: Path) -> dict[str, Any]:
    """Arguments with another results directory; checkpoints would not outlive it."""
    if method == "vectorized":
        trials = [_moved("trial", trial, results) for trial in arguments["trials"]]
        return {**arguments, "trials": trials}
    if method == "trial":
        return {**arguments, "results": str(results), "checkpoint": False}
    return dict(arguments)


def _read(directory: Path) -> dict[str, bytes]:
    files = sorted(file for file in directory.rglob("*") if file.is_file())
    return {file.relative_to(directory).as_posix(): file.read_bytes() for file in files}


def _environment_of(pid: int) -> set[str]:
    """Names of the environment variables that a process was started with."""
    file = Path(f"/proc/{pid}/environ")
    entries = file.read_bytes().split(b"\0") if file.exists() else []
    return {entry.partition(b"=")[0].decode(errors="replace") for entry in entries}
