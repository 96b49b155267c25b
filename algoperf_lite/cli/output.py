"""Where output goes: tables and JSON to standard output, progress and logs to standard error."""

import json
import os
import shutil
import sys
from typing import Any

from rich.console import Console

from algoperf_lite.records import finite

PIPED_WIDTH = 120


def stdout() -> Console:
    """A console for results; wide enough for a table where there is no terminal."""
    return _console(sys.stdout)


def stderr() -> Console:
    """A console for progress and logs."""
    return _console(sys.stderr)


def _console(stream: Any) -> Console:
    wide = stream.isatty() or "COLUMNS" in os.environ
    width = shutil.get_terminal_size().columns if wide else PIPED_WIDTH
    # names such as sgd[lr=1] are not markup
    return Console(file=stream, width=width, highlight=False, markup=False)


def print_json(content: Any) -> None:
    """Print strict JSON to standard output; numbers that are not finite become null."""
    sys.stdout.write(json.dumps(finite(content), indent=1, allow_nan=False) + "\n")
