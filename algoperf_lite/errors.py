"""The errors a user can meet, each with the exit code the command line gives it."""

import difflib
from collections.abc import Iterable
from pathlib import Path


class AlgoperfLiteError(Exception):
    """Base of every error whose message is meant for the user, without a traceback."""

    exit_code = 1


class UsageError(AlgoperfLiteError):
    """The request is wrong: an unknown name, a bad value, a contradiction."""

    exit_code = 2


class MachineError(AlgoperfLiteError):
    """The request is fine but this machine cannot serve it: disk, cache, device."""

    exit_code = 3


class InvalidTrialError(AlgoperfLiteError):
    """A submission breaks the rules of honest timing; its trial is recorded as ``invalid``."""


def check_divides(what: str, batch: int, devices: int) -> None:
    """See that a batch divides evenly over devices.

    Args:
        what: which batch size.
        batch: its rows.
        devices: how many share it.

    Raises:
        UsageError: it does not; with the numbers.
    """
    if rest := batch % devices:
        raise UsageError(
            f"{what} {batch} does not divide over {devices} devices (remainder {rest}); use"
            f" --devices with a divisor of {batch}"
        )


def unknown_name(kind: str, name: str, known: Iterable[str], where: str = "") -> UsageError:
    """A usage error for `name`, with the nearest known names and the whole list.

    Args:
        kind: what was looked up, for example "workload".
        name: what the user wrote.
        known: the names that exist.
        where: the file or option it was read from, if any.

    Example:
        >>> str(unknown_name("workload", "zip_lm", ["zipf_lm", "clicks_dlrm"]))
        "unknown workload 'zip_lm': did you mean 'zipf_lm'? Known: clicks_dlrm, zipf_lm."
    """
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f": did you mean {' or '.join(map(repr, near))}?" if near else "."
    place = f"{where}: " if where else ""
    return UsageError(f"{place}unknown {kind} {name!r}{hint} Known: {', '.join(known) or 'none'}.")


def unwritable(path: Path, error: OSError) -> MachineError:
    """The error for a record that cannot be written."""
    return MachineError(
        f"cannot write {path}: {error.strerror or error}."
        " Make it writable, free space there, or choose another place"
        " (--results for records, ALGOPERF_LITE_HOME for caches)."
    )


def unwritable_output(path: Path, error: OSError) -> AlgoperfLiteError:
    """The error for a file named by an option: a usage error if a file stands in its way.

    Of a record that is no usage error: within a trial that would be the submission's fault.
    """
    if isinstance(error, NotADirectoryError | FileExistsError):
        parents = reversed(Path(path).parents)
        standing = next((place for place in parents if place.is_file()), path)
        return UsageError(f"cannot write {path}: {standing} is a file; choose another place")
    return unwritable(path, error)
