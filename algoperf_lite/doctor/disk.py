"""Whether there is space for data, compiled programs and records, and whether we may write it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from algoperf_lite.doctor.findings import Finding, size

CHECK = "disk"
NEEDED = 200 * 2**20
"""The lite suite's data takes 56 MB, its compiled programs 22 MB."""
COMFORT = 5  # times what is needed
FEWEST_FILES = 10_000


@dataclass(frozen=True)
class Place:
    """Where something is kept.

    Attributes:
        what: is kept there.
        path: of its directory, which may not exist yet.
        variable: how to choose another.
        free: bytes.
        files: that could still be made; None where the file system has no such limit.
        writable: whether we may write it, or make it.
    """

    what: str
    path: str
    variable: str
    free: int
    files: int | None
    writable: bool


def gather(places: Iterable[tuple[str, Path, str]]) -> list[Place]:
    """Look at each (what, path, variable)."""
    found = []
    for what, given, variable in places:
        path = given.expanduser().absolute()
        there = existing(path)
        disk = os.statvfs(there)
        writable = may_write(there)
        free, files = disk.f_bavail * disk.f_frsize, disk.f_favail if disk.f_files else None
        found.append(Place(what, str(path), variable, free, files, writable))
    return found


def existing(path: Path) -> Path:
    """The nearest directory or file, from `path` upwards, that there is and that we may see."""
    return next(p for p in (path, *path.parents) if os.path.exists(p))


def may_write(path: Path) -> bool:
    """Whether this is a directory that we may make something in."""
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


def judge(facts: Iterable[Place]) -> list[Finding]:
    """A full disk ends a run, and a read-only one does not let it begin."""
    return [_judge(place) for place in facts]


def _judge(place: Place) -> Finding:
    check, other = f"{CHECK}: {place.what}", f"choose another with {place.variable}"
    told = f"{size(place.free)} free at {place.path}"
    if not place.writable:
        return Finding(check, "problem", f"{place.path} cannot be written", other)
    if place.files is not None and place.files < FEWEST_FILES:
        told = f"only {place.files:,} more files fit at {place.path}"
        return Finding(check, "problem", told, f"delete some, or {other}")
    if place.free >= COMFORT * NEEDED:
        return Finding(check, "ok", told)
    status = "problem" if place.free < NEEDED else "warning"
    return Finding(check, status, told, f"free space there, or {other}")
