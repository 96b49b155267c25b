"""One timed run on a device at a time, on the whole machine. Imports no JAX.

A lock is held on a file by the kernel (`flock(2)`), so it is gone when its holder is, however that
ended. The file says who holds it. All users of a machine share the files, in a directory that all
may write and none may clear; what another user wrote into one is read with care.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import Any

from algoperf_lite.errors import MachineError

DIRECTORY = "ALGOPERF_LITE_LOCKS"
"""Environment variable: where the locks are, if not with the machine's temporary files."""
PATIENCE = 20, 0.01  # tries and seconds between them: whoever looks who holds a lock takes it, too
MOST_BYTES, MOST_CHARACTERS = 16384, 1000  # of a file, and of each of what it tells
UNFIT = re.compile(r"[^\w.-]")  # for the name of a file
TOLD = "pid", "command", "purpose", "since"


@dataclass
class _Held:
    """A lock of this process."""

    descriptor: int
    holds: int = 0


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


@contextmanager
def hold(devices: Sequence[str], purpose: str) -> Iterator[None]:
    """Holds devices; in one process, several may hold the same.

    Args:
        devices: names of devices, unique on this machine.
        purpose: what for; others who are refused are told.

    Raises:
        MachineError: another process holds one of them, or there is no place for a lock.

    Example:
        >>> with hold(["cpu"], "for a run into results/mine"):  # doctest: +SKIP
        ...     pass
    """
    with ExitStack() as held:
        for device in sorted(devices):  # in one order: of two that want the same, one gets them all
            held.enter_context(_hold(device, purpose))
        yield


def holder(device: str) -> dict[str, Any] | None:
    """Who times trials on a device; None if nobody, or if there is no lock that could be read.

    Args:
        device: its name, as `hold` is given it.

    Returns:
        What is known of ``pid``, ``command``, ``purpose`` and ``since``.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(_path(device), flags)
    except OSError:
        return None  # nobody can hold it, or `hold` says what is wrong
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def holders() -> dict[str, dict[str, Any]]:
    """Whoever times trials on any device of this machine: `holder` by device."""
    found = {path.stem: holder(path.stem) for path in sorted(directory().glob("*.lock"))}
    return {device: who for device, who in found.items() if who is not None}


def describe(who: dict[str, Any]) -> str:
    """One line on the holder of a lock.

    Example:
        >>> describe({"pid": 7, "since": "2026-01-01T10:00:00", "purpose": "for a run into r"})
        'process 7 times trials on it since 2026-01-01T10:00:00, for a run into r'
    """
    if not {"pid", "since", "purpose"} <= set(who):
        return "another process times trials on it"
    return f"process {who['pid']} times trials on it since {who['since']}, {who['purpose']}"


def directory() -> Path:
    """Where the locks are; it need not exist yet.

    Not below ``$TMPDIR``, which differs between users and between jobs of one machine.
    """
    if chosen := os.environ.get(DIRECTORY):
        return Path(chosen).expanduser().absolute()
    shared = Path("/tmp")
    return (shared if shared.is_dir() else Path(tempfile.gettempdir())) / "algoperf_lite-locks"


@contextmanager
def _hold(device: str, purpose: str) -> Iterator[None]:
    path = _path(device)
    with _guard:
        if path not in _held:
            _held[path] = _Held(_lock(path, device, purpose))
        mine = _held[path]
        mine.holds += 1
    try:
        yield
    finally:
        with _guard:
            mine.holds -= 1
            if not mine.holds and _held.get(path) is mine:  # in a forked child it is not
                del _held[path]
                with suppress(OSError):  # it says who holds it, and nobody does
                    os.ftruncate(mine.descriptor, 0)
                os.close(mine.descriptor)


def _leave_to_parent() -> None:
    """A child that forked and lives on holds nothing: that its copies are closed unlocks nothing.

    Programs that were started instead have no copies, as descriptors close on `exec`.
    """
    global _guard  # noqa: PLW0603  (another thread may have had it when this one forked)
    _guard = threading.Lock()
    for mine in _held.values():
        with suppress(OSError):
            os.close(mine.descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_leave_to_parent)


def _lock(path: Path, device: str, purpose: str) -> int:
    """The descriptor of a locked file that says who locked it."""
    descriptor = _locked(path, device)
    try:
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        me = dict(zip(TOLD, (os.getpid(), " ".join(sys.argv), purpose, since), strict=True))
        short = {key: str(value)[:MOST_CHARACTERS] for key, value in me.items()}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(short).encode(), 0)
    except OSError as error:
        os.close(descriptor)
        raise _no_lock(device, path, error) from error
    return descriptor


def _locked(path: Path, device: str) -> int:
    """The descriptor of a file, locked, that is still the one at `path`."""
    tries, pause = PATIENCE
    for left in reversed(range(tries)):
        try:
            descriptor = _open(path)
        except OSError as error:
            raise _no_lock(device, path, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
            os.close(descriptor)  # somebody deleted it meanwhile
        except BlockingIOError:
            who = _read(descriptor)
            os.close(descriptor)
            if not left:
                raise MachineError(
                    f"{device} is in use: {describe(who)}. Timed trials never share a device: wait"
                    " for it, or explore with --untimed."
                ) from None
        except OSError as error:
            os.close(descriptor)
            raise _no_lock(device, path, error) from error
        sleep(pause)
    raise MachineError(f"cannot lock {device}: {path} keeps being deleted; set {DIRECTORY}")


def _open(path: Path) -> int:
    """Open a lock's file, made if absent, for every user to lock.

    `O_CREAT` on the file of another user fails in a directory with the sticky bit, where the
    system protects regular files there (`fs.protected_regular`): so it comes second.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    _make(path.parent)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        try:
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:  # by another process, just now
            return os.open(path, flags)
        os.fchmod(descriptor, 0o666)  # whatever the umask
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file of its own")
    return descriptor


def _make(where: Path) -> None:
    """Make the directory of the locks, for every user of the machine."""
    if where.is_symlink() and DIRECTORY not in os.environ:
        raise OSError(errno.ELOOP, f"{where} is a symbolic link")
    with suppress(FileExistsError):
        where.parent.mkdir(parents=True, exist_ok=True)
        where.mkdir()
        where.chmod(0o1777)


def _no_lock(device: str, path: Path, error: OSError) -> MachineError:
    return MachineError(
        f"cannot lock {device}: {path}: {error.strerror or error}. Delete what is in the way, or"
        f" set {DIRECTORY} to a directory that all who time trials on this machine can write."
    )


def _path(device: str) -> Path:
    return directory() / f"{UNFIT.sub('_', device)}.lock"


def _read(descriptor: int) -> dict[str, Any]:
    """What a lock's holder wrote; empty if that is not readable, or has not come yet."""
    try:
        said = json.loads(os.pread(descriptor, MOST_BYTES, 0))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(said, dict):
        return {}
    # it may come from another user, and goes to a terminal
    plain = {key: "".join(filter(str.isprintable, str(said[key]))) for key in TOLD if key in said}
    return plain | ({"pid": int(plain["pid"])} if plain.get("pid", "").isdecimal() else {})
