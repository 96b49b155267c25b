"""Whether compiled programs are kept, read back, and written by nobody else.

An entry of the cache is machine code that a later run executes: who can write it runs as us.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algoperf_lite import environment
from algoperf_lite.doctor.disk import existing, may_write
from algoperf_lite.doctor.findings import Finding, size

CHECK = "compile cache"
HIT = "/jax/compilation_cache/cache_hits"
MOST = 20 * 2**30


@dataclass(frozen=True)
class Cache:
    """The directory of compiled programs.

    Attributes:
        path: of it.
        entries: programs in it; None where it does not exist yet.
        bytes: that they take.
        writable: whether we may write it, or make it.
        exposed: where others could write, and why.
    """

    path: str
    entries: int | None
    bytes: int
    writable: bool
    exposed: tuple[str, ...]


def gather(directory: Path | None = None) -> Cache:
    """Look at the directory, what is in it, and those above it.

    Args:
        directory: by default the user's.
    """
    path = (directory or environment.home() / "compiled").absolute()
    real = Path(os.path.realpath(path))
    exposed = [told for p in (real, *real.parents) if (told := _exposed(p))]
    entries = _files(real)
    foreign = [told for entry in entries or () if (told := _exposed(entry))]
    if foreign:
        exposed.append(foreign[0] + (f", and {len(foreign) - 1} more" if foreign[1:] else ""))
    sizes = []
    for entry in entries or ():
        with suppress(FileNotFoundError):
            sizes.append(entry.lstat().st_size)
    count = None if entries is None else len(entries)
    return Cache(str(path), count, sum(sizes), may_write(existing(real)), tuple(exposed))


def in_worker(devices: Sequence[Any], described: dict[str, Any]) -> dict[str, Any]:
    """Compile a function that never changes, and say whether that was read from the cache.

    The first time on a machine it is written, forgotten, and compiled again.
    """
    del devices, described
    import jax  # noqa: PLC0415
    import jax.monitoring  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    seen: list[str] = []

    def listen(event: str, **_: Any) -> None:
        seen.append(event)

    def doctor_probe(x: Any) -> Any:
        return jnp.sin(x) * 3.0

    def compile_it() -> bool:
        seen.clear()
        jax.jit(doctor_probe).lower(jax.ShapeDtypeStruct((3,), jnp.float32)).compile()
        return HIT in seen

    jax.monitoring.register_event_listener(listen)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            before = compile_it()
            jax.clear_caches()
            again = before or compile_it()
    finally:
        jax.monitoring.unregister_event_listener(listen)
    told = [str(w.message) for w in warned if "cache" in str(w.message)]
    return {"kept": before, "read_back": again, "warned": told[-1] if told and not again else None}


def judge(facts: Cache, probe: dict[str, Any] | None) -> list[Finding]:
    """That others can write it is a problem, since a cache entry is code that runs.

    Args:
        facts: what `gather` saw.
        probe: what `in_worker` says; None if it was not asked.
    """
    return list(_problems(facts, probe)) or [_fine(facts, probe)]


def _problems(facts: Cache, probe: dict[str, Any] | None) -> Iterator[Finding]:
    other = "set ALGOPERF_LITE_HOME to a directory of your own"
    for told in facts.exposed:
        mend = f"chmod go-w what is yours of it, delete what is not; or {other}"
        told = f"what is in it runs as you, and others can write it: {told}"  # noqa: PLW2901
        yield Finding(CHECK, "problem", told, mend)
    if not facts.writable:
        yield Finding(CHECK, "problem", f"{facts.path} cannot be written", other)
    elif probe is not None and not probe["read_back"]:
        why = f": {probe['warned']}" if probe["warned"] else ""
        told = f"{facts.path}: what is compiled is not read back{why}"
        mend = f"delete {facts.path}; unset JAX_ENABLE_COMPILATION_CACHE"
        yield Finding(CHECK, "problem", told, mend)
    if facts.bytes > MOST:
        told = f"{size(facts.bytes)} at {facts.path}"
        yield Finding(CHECK, "note", told, "delete it; it is made anew")


def _fine(facts: Cache, probe: dict[str, Any] | None) -> Finding:
    there = "empty" if not facts.entries else f"{facts.entries} programs, {size(facts.bytes)}"
    how = "" if probe is None else ", read back"
    how = f"{how} from an earlier process" if probe and probe["kept"] else how
    return Finding(CHECK, "ok", f"{there}, private{how}: {facts.path}")


def _exposed(path: Path) -> str | None:
    """Why somebody else could put something at, or into, `path`; None if nobody could."""
    try:
        status = path.lstat()
    except OSError:  # it does not exist, or not where we may look
        return None
    if status.st_uid not in (0, os.getuid()):
        return f"{path} belongs to {_name(status.st_uid)}"
    mode = status.st_mode
    if stat.S_ISLNK(mode) or (stat.S_ISDIR(mode) and mode & stat.S_ISVTX):
        return None  # a link's own mode counts for nothing; all may write in, none may replace
    if mode & stat.S_IWOTH:
        return f"{path} is writable by everybody ({stat.filemode(mode)})"
    if mode & stat.S_IWGRP and not _of_one(status.st_gid):
        return f"{path} is writable by its group ({stat.filemode(mode)})"
    return None


def _of_one(group: int) -> bool:
    """Whether a group is root's, or the one that many systems give each user alone."""
    if group == 0:
        return True
    try:
        found, me = grp.getgrgid(group), pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return False
    return found.gr_name == me and set(found.gr_mem) <= {me}


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _files(directory: Path) -> list[Path] | None:
    with suppress(OSError):
        return [directory / name for name in os.listdir(directory)]
    return None
