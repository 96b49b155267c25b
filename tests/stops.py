"""Stops what works on files at each of its operations in turn."""

import errno
import os
from collections.abc import Callable, Iterator

import pytest

from algoperf_lite.errors import MachineError

OPERATIONS = ("mkdir", "rmdir", "rename", "replace", "unlink", "fsync", "sendfile")


def stops(act: Callable[[], None], restore: Callable[[], None]) -> Iterator[str]:
    """Yields after each call of `act` that stopped, at every operation and in either way.

    A full disk fails one operation, and what comes after may still be tried; an interrupt is the
    last of all. What `restore` does comes before each call.
    """
    for full in (True, False):
        at, name = 0, ""
        while name is not None:
            restore()
            name, survived = _stopped(act, at, full)
            if name and not survived:
                yield f"{name}, operation {at}, {'disk full' if full else 'interrupted'}"
            at += 1


def _stopped(act: Callable[[], None], at: int, full: bool) -> tuple[str | None, bool]:
    """The operation that `act` was stopped at, None if it has fewer; whether it went on."""
    done, survived = [], False
    with pytest.MonkeyPatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(os, name, _limited(name, done, at, full))
        try:
            act()
            survived = True
        except KeyboardInterrupt:
            assert not full
        except MachineError:
            assert full
    return (done[at] if len(done) > at else None), survived


def _limited(name: str, done: list[str], at: int, full: bool) -> Callable:
    real = getattr(os, name)

    def operation(*args, **kwargs):
        done.append(name)
        if len(done) == at + 1 and full:
            raise OSError(errno.ENOSPC, "No space left on device", str(args[0]))
        if len(done) > at and not full:
            raise KeyboardInterrupt
        if name == "fsync":  # nothing here outlives a power cut
            return None
        return real(*args, **kwargs)

    return operation
