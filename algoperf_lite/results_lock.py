"""One command writes into a results directory at a time. Imports no JAX.

Two would train the same trials and write over each other's records. The kernel holds the lock for
the process (`flock(2)`), so it is gone when the process is.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from algoperf_lite.errors import MachineError, unwritable

FILE = ".lock"
UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)  # some network file systems


@contextmanager
def hold(results: Path) -> Iterator[None]:
    """Hold a results directory, which is made if absent.

    Args:
        results: the directory. On a file system without locks nothing is held.

    Raises:
        MachineError: another run writes there, or it cannot be written.

    Example:
        >>> with hold(Path("results/mine")):  # doctest: +SKIP
        ...     pass
    """
    path = results / FILE
    try:
        results.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        _lock(descriptor, results)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, results: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.pread(descriptor, 100, 0).decode(errors="replace").strip() or "unknown"
        raise MachineError(
            f"another run writes into {results} (process {who}): wait for it, or use another"
            " --results and `merge` them later"
        ) from None
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise unwritable(results / FILE, error) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
