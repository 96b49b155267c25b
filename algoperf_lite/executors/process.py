"""Trials in a worker process that is watched, and replaced when it dies."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from time import monotonic
from typing import Any

from algoperf_lite import device_lock, errors
from algoperf_lite.executors import HANG_SECONDS, Event, Executor, WorkerLostError
from algoperf_lite.executors.placement import Placement

POLL_SECONDS = 1.0
LAST_WORDS_BYTES = 20_000


class ProcessExecutor:
    """One worker process at a time, started when first needed, in a process group of its own.

    Args:
        devices: how many local devices a trial uses; None for all.
        hang_after: seconds that a worker may say nothing before it is killed.
        placement: its share of this machine; all of it by default.
    """

    def __init__(
        self,
        devices: int | None = None,
        hang_after: float = HANG_SECONDS,
        placement: Placement | None = None,
    ):
        self._devices = devices
        self._hang_after = hang_after
        self._placement = placement or Placement()
        self._worker: _WorkerProcess | None = None

    @property
    def slots(self) -> Sequence[Executor]:
        """See `executors.Executor.slots`."""
        return (self,)

    def call(
        self,
        method: str,
        arguments: Mapping[str, Any],
        on_event: Callable[[Event], None] = lambda event: None,
    ) -> Any:
        """See `executors.Executor.call`.

        Raises:
            WorkerLostError: the worker died or fell silent; the next call starts a new one.
        """
        if self._worker is not None and not self._worker.is_alive():
            self.close()
        if self._worker is None:
            self._worker = _WorkerProcess(self._placement)
        try:
            self._worker.send(
                {"devices": self._devices, "method": method, "arguments": dict(arguments)}
            )
            while True:
                kind, content = self._worker.receive(self._hang_after)
                if kind == "event":
                    on_event(content)
                elif kind == "result":
                    return content
                else:
                    break
        except BaseException:
            self.close()  # what it still has to say belongs to no later call
            raise
        raise getattr(errors, content["class"], errors.AlgoperfLiteError)(content["message"])

    def reserve(self, purpose: str) -> AbstractContextManager[None]:
        """See `executors.Executor.reserve`."""
        return device_lock.hold(self.call("device_names", {}), purpose)

    def close(self) -> None:
        """End the worker and all that it started, whatever they are doing."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()


class _WorkerProcess:
    """A running worker: lines out, lines in, and its last words."""

    def __init__(self, placement: Placement):
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `kill`)
        with placement.cores_of_children():
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "algoperf_lite.executors.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                text=True,
                env=os.environ | placement.variables,
                start_new_session=True,  # Ctrl-C reaches the command only, and `kill` every child
            )
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        pump = threading.Thread(
            target=_pump, args=(self._process.stdout, self._answers), daemon=True
        )
        pump.start()

    def is_alive(self) -> bool:
        return self._process.poll() is None

    def send(self, request: Mapping[str, Any]) -> None:
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._lost() from None

    def receive(self, patience_seconds: float) -> tuple[str, Any]:
        """The next answer's kind and content."""
        deadline = monotonic() + patience_seconds
        while True:
            try:
                line = self._answers.get(timeout=min(POLL_SECONDS, patience_seconds))
            except queue.Empty:
                if not self.is_alive() and self._answers.empty():
                    raise self._lost() from None  # a child of it may hold the pipe open
                if monotonic() >= deadline:
                    raise WorkerLostError(
                        f"the worker gave no sign of life for {patience_seconds:g} s and was killed"
                    ) from None
                continue
            if line is None:
                raise self._lost()
            return next(iter(json.loads(line).items()))

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._stderr.close()

    def _lost(self) -> WorkerLostError:
        code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - LAST_WORDS_BYTES))
        lines = self._stderr.read().decode(errors="replace").splitlines()
        said = [line.strip() for line in lines if line.strip()]
        last = f"; its last words: {said[-1][:500]}" if said else ""
        return WorkerLostError(f"the worker process was lost: {how}{last}")


def _pump(stream: Any, answers: queue.SimpleQueue) -> None:
    """Move lines to a queue, so that waiting for one can time out; None marks the end."""
    with stream:
        for line in stream:
            answers.put(line)
    answers.put(None)
