"""Whose code a piece of code is: the harness's, a library's, or brought by a submission."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from algoperf_lite.registry import PACKAGES

_HARNESS = str(Path(__file__).parent.parent) + "/"
_LIBRARIES = ("/site-packages/", "/dist-packages/", f"{sysconfig.get_path('stdlib')}/")


def of_harness(code: CodeType) -> bool:
    """Whether code is part of the harness."""
    return code.co_filename.startswith(_HARNESS)


def of_submission(code: CodeType, named: str | None = None) -> bool:
    """Whether code is neither the harness's nor a library's.

    Args:
        code: what runs.
        named: the ``__file__`` of its globals, for code that has no file of its own.
    """
    file = code.co_filename
    if file.startswith("<frozen "):  # the import system
        return False
    if file.startswith("<"):
        file = named or file
    if file.startswith(_submission_folders()):
        return True
    return not (file.startswith(_HARNESS) or any(part in file for part in _LIBRARIES))


def callable_of_submission(function: Callable[..., Any] | Any) -> bool:
    """Whether what would be called is a submission's, or cannot be looked into.

    Example:
        >>> import gc, json
        >>> callable_of_submission(json.dumps), callable_of_submission(gc.collect)
        (False, False)
    """
    if not callable(function):  # signal.SIG_DFL and the like
        return False
    function = getattr(function, "__func__", function)
    if code := getattr(function, "__code__", None):
        return of_submission(code, function.__globals__.get("__file__"))
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    return module is None or "partial" in type(function).__name__


def frame_of_submission(frame: FrameType) -> bool:
    """Whether a frame runs code of a submission."""
    return of_submission(frame.f_code, frame.f_globals.get("__file__"))


@cache
def _submission_folders() -> tuple[str, ...]:
    """Where installed submissions lie: those that come with the project, and entry points."""
    names = {PACKAGES["submission"]}
    names |= {e.module.partition(".")[0] for e in entry_points(group="algoperf_lite.submissions")}
    specs = [spec for name in sorted(names) if (spec := find_spec(name))]
    return tuple(f"{folder}/" for s in specs for folder in s.submodule_search_locations or ())
