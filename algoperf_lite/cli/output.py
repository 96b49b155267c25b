"""Where output goes: tables and JSON to standard output, progress and logs to standard error."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from algoperf_lite.errors import MachineError
from algoperf_lite.records import finite

PIPED_WIDTH = 120
_BLANKS = re.compile(r" +$", re.MULTILINE)


def stdout() -> Console:
    """A console for results; wide enough for a table where there is no terminal."""
    return _console(sys.stdout)


def stderr() -> Console:
    """A console for progress and logs."""
    return _console(sys.stderr)


def _console(stream: Any) -> Console:
    wide = stream.isatty() or "COLUMNS" in os.environ
    width = shutil.get_terminal_size().columns if wide else PIPED_WIDTH
    file = _Trimmed(stream) if stream is sys.stdout and not stream.isatty() else stream
    # names such as sgd[lr=1] are not markup
    return Console(file=file, width=width, highlight=False, markup=False)


class _Trimmed:
    """Standard output without the blanks that rich fills lines up with; a file needs none."""

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        with _writing():
            self._stream.write(_BLANKS.sub("", text))
        return len(text)

    def flush(self) -> None:
        with _writing():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def write(text: str) -> None:
    """Write to standard output.

    Raises:
        MachineError: it cannot be written, as on a full disk.
    """
    with _writing():
        sys.stdout.write(text)


def finish() -> None:
    """Write out what is left of standard output; whoever stopped reading it wants no more.

    Raises:
        MachineError: it cannot be written, as on a full disk.
    """
    try:
        with _writing():
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # click ends quietly
    except OSError as error:
        _silence()
        raise MachineError(
            f"cannot write to standard output: {error.strerror or error}. Free space there, or"
            " send the output elsewhere."
        ) from error


def _silence() -> None:
    """Let the interpreter's last flush succeed, which would complain again."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def print_json(content: Any) -> None:
    """Print strict JSON to standard output; numbers that are not finite become null."""
    write(json.dumps(finite(content), indent=1, allow_nan=False) + "\n")
