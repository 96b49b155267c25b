"""What ends a worker whose command was killed and that does not end by itself.

A worker notices the end of its command in a thread (`serving`), and a thread of Python's runs only
when the one that holds the interpreter's lock lets go of it. A submission within a regular
expression, or in any other C code that keeps the lock, would compute on for as long as it likes,
on a device that is free for others by then. So the command starts a second process with each
worker, which sleeps until its standard input ends, with the command, and then sees to it that the
worker is gone. (The kernel can signal a process when its parent dies, but it means the thread that
started it, and workers outlive those.)
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys

import psutil

from algoperf_lite.executors.family import COOKIE, Family

GRACE_SECONDS = 2.0  # for a worker that does notice, and clears up after itself
_PROGRAM = """\
import sys
sys.stdin.buffer.read()
from algoperf_lite.executors.guardian import end
end(int(sys.argv[1]), *sys.argv[2:])
"""


class Guardian:
    """A process that ends a worker after the process that made this object has ended.

    Args:
        pid: of the worker.
        cookie: the value of `family.COOKIE` in its environment.
        scratch: its directory, to be removed.

    Raises:
        OSError: there is no process to be had.
    """

    def __init__(self, pid: int, cookie: str, scratch: str):
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, str(pid), cookie, scratch],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what ends the command's group does not end it
        )

    def dismiss(self) -> None:
        """End it: the worker is gone."""
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):
            self._process.stdin.close()


def end(pid: int, cookie: str, scratch: str) -> None:
    """Wait for a worker to end, then kill it and all that it started.

    Args:
        pid: of the worker; a process of that number without the cookie is another's.
        cookie: the value of `family.COOKIE` in its environment.
        scratch: its directory.
    """
    try:
        worker = psutil.Process(pid)
        if worker.environ().get(COOKIE) != cookie:
            return
        worker.wait(GRACE_SECONDS)
    except psutil.TimeoutExpired:
        Family(pid, cookie).kill()
        shutil.rmtree(scratch, ignore_errors=True)
    except psutil.Error:
        return  # it is gone
