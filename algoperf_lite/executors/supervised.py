"""A worker process: started apart, listened to, watched, and killed with all that it started.

It runs in a directory of its own, in a session of its own, with a cookie in its environment. What
it prints is read and forgotten but for the end, which explains why it was lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from algoperf_lite.errors import MachineError
from algoperf_lite.executors import Event, WorkerLostError
from algoperf_lite.executors.family import COOKIE, Family
from algoperf_lite.executors.guardian import Guardian
from algoperf_lite.executors.last_words import Tail, last_line, place
from algoperf_lite.executors.lines import Lines, Listener
from algoperf_lite.executors.memory import amount
from algoperf_lite.executors.placement import Placement

POLL_SECONDS = 0.25
SLOW_POLL_SECONDS = 2.0  # of memory, where a look takes all processes of the machine
CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
LINGER_SECONDS = 1.0  # for what is on its way: last words, an exit, a process about to end
TELL_PLACE = signal.SIGUSR1
"""A worker that gets this writes to standard error where its code is, see `faulthandler`."""
ANSWERS = ("event", "result", "raised", "retire")
PATHS = ("ALGOPERF_LITE_HOME", "ALGOPERF_LITE_LOCKS", "JAX_COMPILATION_CACHE_DIR",
         "TFDS_DATA_DIR", "XDG_CACHE_HOME")  # fmt: skip
PATH_LISTS = ("LD_LIBRARY_PATH", "PATH", "PYTHONPATH")


class WorkerProcess:
    """A running worker.

    Args:
        placement: its share of this machine.
        memory_limit: bytes that it and what it started may use.

    Raises:
        MachineError: there is no place for its directory, or no process to be had.
    """

    def __init__(self, placement: Placement, memory_limit: int):
        self._memory_limit = memory_limit
        self._look_seconds = look_seconds()
        self._token = secrets.token_hex(8)
        self._doing = ""
        self._scratch = _make_scratch()
        cookie = secrets.token_hex(8)
        self._process, self._guardian = self._start(placement, cookie)
        self._family = Family(self._process.pid, cookie)
        self._left: list[str] | None = None  # running when it was found dead
        self._answers = self._process.stdout.fileno()
        self._lines, self._words = Lines(), Tail()
        words = self._process.stderr.fileno()
        self._listener = Listener({self._answers: self._lines.add, words: self._words.add})

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, request: Mapping[str, Any]) -> None:
        """Ask for something; the answers to it come from `receive`."""
        line = json.dumps({**request, "token": self._token}) + "\n"
        self._doing = ""
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._lost() from None

    def receive(self, patience_seconds: float) -> tuple[str, Any]:
        """The next answer's kind, one of `ANSWERS`, and content.

        Raises:
            WorkerLostError: it died, said nothing for too long, used too much memory, or said what
                is no answer. It is not killed yet.
        """
        deadline, look, ended = monotonic() + patience_seconds, 0.0, False
        while True:
            if (line := self._next_line()) is not None:
                return self._parsed(line)
            if ended:
                raise self._lost()
            if (now := monotonic()) >= deadline:  # whatever it prints
                raise self._silent(patience_seconds)
            if now >= look:
                self._check_memory()
                look = now + self._look_seconds
            # a child may hold the pipe open; what came before the end is still heard
            ended = not self._listener.open(self._answers) or not self.is_alive()
            self._listener.listen(min(POLL_SECONDS, deadline - now))

    def strays(self) -> list[str]:
        """Command lines of what it started and that does not end; for what just does, it waits.

        Of a worker that was found dead, those of then: they are killed at once.
        """
        if self._left is not None:
            return self._left
        deadline = monotonic() + LINGER_SECONDS
        while (found := self._family.strays()) and monotonic() < deadline:
            self._listener.listen(0.05)
        return found

    def kill(self) -> None:
        """End it and all that it started, whatever they are doing, and remove its directory."""
        self._family.kill()
        self._process.wait()
        self._family.kill_others()
        self._guardian.dismiss()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _start(self, placement: Placement, cookie: str) -> tuple[subprocess.Popen, Guardian]:
        variables = {COOKIE: cookie, "TMPDIR": f"{self._scratch}/tmp"}
        try:
            with placement.cores_of_children():
                worker = subprocess.Popen(
                    [sys.executable, "-P", "-m", "algoperf_lite.executors.serving"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    cwd=self._scratch,
                    env=absolute_paths(os.environ) | placement.variables | variables,
                    start_new_session=True,  # Ctrl-C reaches the command only
                )
            try:
                return worker, Guardian(worker.pid, cookie, str(self._scratch))
            except OSError:
                with worker:
                    worker.kill()
                raise
        except OSError as error:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise MachineError(
                f"cannot start a worker process: {error.strerror}; end other processes, or raise"
                " the limits of this user (ulimit -a)"
            ) from error

    def _next_line(self) -> bytes | None:
        try:
            return self._lines.pop()
        except OverflowError:
            raise WorkerLostError(_garbage("a line without an end")) from None

    def _parsed(self, line: bytes) -> tuple[str, Any]:
        try:
            answer = json.loads(line)
            if answer.pop("token") != self._token:
                raise ValueError
            ((kind, content),) = answer.items()
            if kind not in ANSWERS:
                raise ValueError
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            raise WorkerLostError(_garbage(repr(line[:80])[1:])) from None
        if kind == "event":
            self._doing = _told(content) or self._doing
        return kind, content

    def _check_memory(self) -> None:
        used = self._family.resident_bytes()
        if used > self._memory_limit:
            raise WorkerLostError(
                f"the worker and what it started used {amount(used)} of host memory, more than"
                f" the limit of {amount(self._memory_limit)}, and were killed{self._last()};"
                " make it use less, or raise --memory-limit"
            )

    def _silent(self, patience_seconds: float) -> WorkerLostError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, TELL_PLACE)
        deadline = monotonic() + LINGER_SECONDS
        while not place(self._words.text) and monotonic() < deadline:
            self._listener.listen(0.05)
        where = place(self._words.text)
        return WorkerLostError(
            f"the worker gave no sign of life for {patience_seconds:g} s and was killed"
            f"{f' in {where}' if where else ''}{self._last()}; if it needs longer, raise"
            " --hang-after"
        )

    def _lost(self) -> WorkerLostError:
        """Why it is lost: how it ended and what it said."""
        try:
            code = self._process.wait(LINGER_SECONDS)
        except subprocess.TimeoutExpired:
            return WorkerLostError(f"the worker process closed its channel and was killed"
                                   f"{self._last()}")  # fmt: skip
        self._left = self.strays()
        self._family.kill_others()  # then its pipes end
        deadline = monotonic() + LINGER_SECONDS
        while monotonic() < deadline and self._listener.listen(0.05):
            pass
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        words = last_line(self._words.text)
        if code < 0 and (where := place(self._words.text)):
            how += f" in {where}"
        elif code == -signal.SIGKILL:
            how += ", not by us: by someone, or by the kernel when memory ran out (see dmesg)"
        elif words:
            how += f"; its last words: {words}"
        return WorkerLostError(f"the worker process was lost: {how}{self._last()}")

    def _last(self) -> str:
        return f"; last known: {self._doing}" if self._doing else ""


def look_seconds() -> float:
    """How often to look how much memory a worker uses, so that timed trials do not notice."""
    return POLL_SECONDS if CHILDREN.exists() else SLOW_POLL_SECONDS


def absolute_paths(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment that means the same in another working directory, as far as we know paths.

    Example:
        >>> absolute_paths({"PYTHONPATH": "/a:/b", "XDG_CACHE_HOME": "~/c", "USER": "me"})
        {'PYTHONPATH': '/a:/b', 'XDG_CACHE_HOME': '~/c', 'USER': 'me'}
    """
    changed = dict(environment)
    for name in PATHS:
        if (value := changed.get(name)) and not value.startswith("~"):
            changed[name] = os.path.abspath(value)
    for name in PATH_LISTS:
        if value := changed.get(name):
            changed[name] = os.pathsep.join(map(os.path.abspath, value.split(os.pathsep)))
    return changed


def _make_scratch() -> Path:
    try:
        scratch = Path(tempfile.mkdtemp(prefix="algoperf_lite-worker-"))
        (scratch / "tmp").mkdir()  # what libraries do not clean up when they are killed
        return scratch
    except OSError as error:
        raise MachineError(
            f"cannot make a directory for a worker in {tempfile.gettempdir()}: {error.strerror}."
            " Free space there, or set TMPDIR to another directory."
        ) from error


def _garbage(said: str) -> str:
    return (
        f"the worker said what is no answer, {said}, and was killed; nothing but the harness may"
        " write to file descriptors that the submission did not open"
    )


def _told(event: Event) -> str:
    """What an event says of what goes on."""
    return event.get("doing") or (f"step {event['step']}" if "step" in event else "")
