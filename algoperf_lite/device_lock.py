"""One timed run on a device at a time, on the whole machine. Imports no JAX.

A lock is held on a file by the kernel (`flock(2)`), so it is gone when its holder is, however that
ended. The file says who holds it.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from algoperf_lite.errors import MachineError

DIRECTORY = "ALGOPERF_LITE_LOCKS"
"""Environment variable: where the locks are, if not with the machine's temporary files."""
_held: dict[Path, list[int]] = {}  # by this process: file descriptor, and how many times


@contextmanager
def hold(devices: Sequence[str], purpose: str) -> Iterator[None]:
    """Holds devices; in one process, several may hold the same.

    Args:
        devices: names of devices, unique on this machine.
        purpose: what for; others who are refused are told.

    Raises:
        MachineError: another process holds one of them, or there is no place for a lock.

    Example:
        >>> with hold(["cpu"], "a run into results/mine"):  # doctest: +SKIP
        ...     pass
    """
    with ExitStack() as held:
        for device in sorted(devices):  # in one order, so that two never wait crosswise
            held.enter_context(_hold(_directory() / f"{device}.lock", device, purpose))
        yield


def holder(device: str) -> dict[str, Any] | None:
    """Who times trials on a device: ``pid``, ``command``, ``purpose``, ``since``; None if nobody.

    Args:
        device: its name, as `hold` is given it.
    """
    path = _directory() / f"{device}.lock"
    if not path.exists():
        return None
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file.fileno())
    return None


@contextmanager
def _hold(path: Path, device: str, purpose: str) -> Iterator[None]:
    if path not in _held:
        _held[path] = [_lock(path, device, purpose), 0]
    _held[path][1] += 1
    try:
        yield
    finally:
        _held[path][1] -= 1
        if not _held[path][1]:
            descriptor, _ = _held.pop(path)
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


def _lock(path: Path, device: str, purpose: str) -> int:
    """The descriptor of a locked file that says who locked it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise MachineError(
            f"cannot lock {device}: {path}: {error.strerror}. Set {DIRECTORY} to a directory that"
            " all who time trials on this machine can write."
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = _read(descriptor)
        os.close(descriptor)
        raise MachineError(
            f"{device} is in use: {describe(who)}. Timed trials never share a device: wait for it,"
            " or explore with --untimed."
        ) from None
    me = {"pid": os.getpid(), "command": " ".join(sys.argv), "purpose": purpose}
    me["since"] = datetime.now().astimezone().isoformat(timespec="seconds")
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(me).encode(), 0)
    return descriptor


def describe(who: dict[str, Any]) -> str:
    """One line on the holder of a lock."""
    if not who:
        return "another run times trials on it"
    return f"process {who['pid']} times trials on it since {who['since']}, {who['purpose']}"


def _read(descriptor: int) -> dict[str, Any]:
    """What a lock's holder wrote; empty if it has not come to that yet."""
    text = os.pread(descriptor, 100_000, 0)
    return json.loads(text) if text else {}


def _directory() -> Path:
    chosen = os.environ.get(DIRECTORY)
    directory = Path(chosen or Path(tempfile.gettempdir(), "algoperf_lite-locks"))
    if not directory.is_dir():
        try:
            directory.mkdir(parents=True, exist_ok=True)
            directory.chmod(0o1777)  # every user of the machine takes part
        except OSError as error:
            raise MachineError(
                f"cannot make {directory}: {error.strerror}; set {DIRECTORY}"
            ) from error
    return directory
