"""Whose fault an exception in a trial is, and how it is told."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from algoperf_lite.engine import SubmissionError
from algoperf_lite.errors import MachineError

STEP_NOTE = "in step "
"""Before the number of the step in which a host loop's submission raised, in a note of that."""


@contextmanager
def of_submission() -> Iterator[None]:
    """Where a submission's code runs: a `MachineError` of its own ends its trial, no other's."""
    try:
        yield
    except MachineError as error:
        raise SubmissionError(f"it raised {describe_error(error)}") from error


def describe_error(error: BaseException) -> str:
    """One line on what was raised and where, naming the user's code before ours or a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = (str(Path(__file__).parent), sysconfig.get_path("stdlib"), "<")
    theirs = [
        f for f in frames if "site-packages" not in f.filename and not f.filename.startswith(ours)
    ]
    where = (
        f" ({(theirs or frames)[-1].filename}:{(theirs or frames)[-1].lineno})" if frames else ""
    )
    notes = "".join(f", {n}" for n in getattr(error, "__notes__", ()) if n.startswith(STEP_NOTE))
    return " ".join(f"{type(error).__name__}: {error}"[:2000].split()) + notes + where
