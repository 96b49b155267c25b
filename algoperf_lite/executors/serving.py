"""A worker process: ``python -m algoperf_lite.executors.serving`` answers requests to a `Worker`.

It reads one JSON request a line from standard input, ``{"devices":, "method":, "arguments":,
"token":}``, and answers on what it was given as standard output with lines ``{"event":}`` and at
last ``{"result":}`` or ``{"raised":}``; before that, ``{"retire":}`` names what a submission
changed in this process that cannot be put back. Each line has the token, which tells an answer from
what a submission may write there. What submissions print goes to standard error.

When standard input ends, the command is gone, and so is this process with all that it started;
where what it computes keeps it from noticing, its `guardian` ends it.
"""

from __future__ import annotations

import fcntl
import json
import os
import queue
import shutil
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from algoperf_lite import errors
from algoperf_lite.executors.family import COOKIE, Family, adopt_orphans
from algoperf_lite.executors.memory import volunteer_for_oom

FIRST_DESCRIPTOR = 100  # of ours, out of the way of a submission that closes or writes to all


class Channel:
    """Requests from and answers to the command, on descriptors of our own."""

    def __init__(self):
        self.requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.token = ""
        self._pid = os.getpid()
        self._input, self._output = (
            fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) for number in (0, 1)
        )
        self._known = self._state()
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)  # what submissions print must not mix with answers
        os.register_at_fork(after_in_child=self._leave_to_parent)
        self.family = Family(self._pid, os.environ.get(COOKIE, ""))
        self.scratch = Path.cwd()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any]:
        """Wait for a request."""
        request = self.requests.get()
        self.token = request.pop("token")
        return request

    def answer(self, kind: str, content: Any) -> None:
        """Write a line, whole."""
        line = (json.dumps({kind: content, "token": self.token}) + "\n").encode()
        try:
            if os.getpid() != self._pid:
                raise OSError
            while line:
                line = line[os.write(self._output, line) :]
        except OSError:
            os._exit(1)  # nobody listens; a record of that would blame the submission

    def check(self) -> None:
        """End this process if its descriptors were closed or replaced.

        The next request would find out, and its trial would be blamed.
        """
        if self._state() != self._known:
            with suppress(OSError):
                os.write(2, b"file descriptors of the worker process were closed or replaced\n")
            os._exit(1)

    def _state(self) -> list[tuple[int, int] | None]:
        found = []
        for descriptor in (self._input, self._output):
            try:
                status = os.fstat(descriptor)
                found.append((status.st_dev, status.st_ino))
            except OSError:
                found.append(None)
        return found

    def _read(self) -> None:
        """Queue requests; when the command is gone, so are we, even in the middle of a trial."""
        with suppress(OSError), os.fdopen(self._input, "rb", closefd=False) as lines:
            for line in lines:
                self.requests.put(json.loads(line))
        self.family.kill_others()
        shutil.rmtree(self.scratch, ignore_errors=True)
        os._exit(1)

    def _leave_to_parent(self) -> None:
        """A forked child answers nobody."""
        for descriptor in (self._input, self._output):
            with suppress(OSError):
                os.close(descriptor)


def serve(channel: Channel) -> None:
    """Answer requests until there are no more."""
    from algoperf_lite.executors.surroundings import Surroundings  # noqa: PLC0415
    from algoperf_lite.executors.worker import Worker  # noqa: PLC0415

    worker = surroundings = None
    while True:
        request = channel.next()
        try:
            worker = worker or Worker(request["devices"])
            surroundings = surroundings or Surroundings(channel.scratch)
            surroundings.restore()
            method = getattr(worker, request["method"])
            result = method(lambda event: channel.answer("event", event), **request["arguments"])
            channel.check()
            if stuck := surroundings.restore():
                channel.answer("retire", stuck)
            channel.answer("result", result)
        except errors.AlgoperfLiteError as error:
            channel.answer("raised", {"class": type(error).__name__, "message": str(error)})


def main() -> None:
    """Be a worker until the command ends; whatever is raised ends this process at once."""
    try:
        volunteer_for_oom()
        adopt_orphans()
        serve(Channel())  # which ends with the command from now on, while JAX is imported too
    except SystemExit as ended:
        os._exit(ended.code if isinstance(ended.code, int) else bool(ended.code))
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        sys.__stderr__.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
