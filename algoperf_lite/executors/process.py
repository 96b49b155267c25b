"""Trials in a worker process that is watched, and replaced when it dies."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import Any

from algoperf_lite import errors
from algoperf_lite.executors import Event, WorkerLostError

SILENCE_SECONDS = 600.0  # a worker that says nothing for this long is taken to hang


class ProcessExecutor:
    """One worker process at a time, started when first needed.

    Args:
        devices: how many local devices a trial uses; None for all.
        silence_seconds: how long a worker may say nothing before it is killed.
    """

    def __init__(self, devices: int | None = None, silence_seconds: float = SILENCE_SECONDS):
        self._devices = devices
        self._silence_seconds = silence_seconds
        self._process: subprocess.Popen | None = None
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

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
        if self._process is None:
            self._start()
        request = {"devices": self._devices, "method": method, "arguments": dict(arguments)}
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._lost() from None
        while True:
            answer = self._next_answer()
            if "event" in answer:
                on_event(answer["event"])
            elif "raised" in answer:
                raised = answer["raised"]
                kind = getattr(errors, raised["class"], errors.AlgoperfLiteError)
                raise kind(raised["message"])
            else:
                return answer["result"]

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._stderr.close()
            self._process = None

    def _start(self) -> None:
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed with the worker)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "algoperf_lite.executors.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )
        self._answers = queue.SimpleQueue()
        threading.Thread(
            target=_pump, args=(self._process.stdout, self._answers), daemon=True
        ).start()

    def _next_answer(self) -> dict[str, Any]:
        try:
            line = self._answers.get(timeout=self._silence_seconds)
        except queue.Empty:
            self.close()
            raise WorkerLostError(
                f"the worker gave no sign of life for {self._silence_seconds:g} s and was killed"
            ) from None
        if line is None:
            raise self._lost()
        return json.loads(line)

    def _lost(self) -> WorkerLostError:
        code = self._process.wait()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        self._stderr.seek(0)
        said = [line.strip() for line in self._stderr.read()[-20_000:].splitlines() if line.strip()]
        last = f"; its last words: {said[-1][:500]}" if said else ""
        self.close()
        return WorkerLostError(f"the worker process was lost: {how}{last}")


def _pump(stream: Any, answers: queue.SimpleQueue) -> None:
    """Move lines to a queue, so that waiting for one can time out; None marks the end."""
    try:
        for line in stream:
            answers.put(line)
    except ValueError:  # closed while reading
        pass
    answers.put(None)
