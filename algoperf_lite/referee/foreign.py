"""Whose code a piece of code is: the harness's, a library's, or brought by a submission."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Callable
from functools import cache, lru_cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from algoperf_lite.registry import PACKAGES

_HARNESS = str(Path(__file__).parent.parent) + "/"
_USER_MODULE = "algoperf_lite_user_"  # how `modules.load_path` names the files of selectors


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
    if file.startswith(_HARNESS):
        return False
    return not file.startswith(library_folders()) or file.startswith(_brought(len(sys.modules)))


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
def library_folders() -> tuple[str, ...]:
    """Where this interpreter keeps its library and what is installed, each with a slash at its end.

    The folders that JAX and NumPy come from are among them, wherever they are. What a folder is
    called says nothing: a submission may lie in one named ``site-packages``.
    """
    paths = sysconfig.get_paths()
    found = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found |= {*site.getsitepackages([sys.prefix, sys.base_prefix]), site.getusersitepackages()}
    found |= {str(Path(find_spec(name).origin).parents[1]) for name in ("jax", "numpy")}
    return tuple(f"{path}/" for path in sorted(found | set(map(os.path.realpath, found))))


@lru_cache(1)
def _brought(modules: int) -> tuple[str, ...]:
    """Files of selectors, and their folders where those lie within a library's.

    Args:
        modules: how many are loaded; another number has it look again.
    """
    del modules
    named = [m for name, m in list(sys.modules.items()) if name.startswith(_USER_MODULE)]
    files = {str(m.__file__) for m in named if getattr(m, "__file__", None)}
    folders = {f"{Path(file).parent}/" for file in files}
    inside = {f for f in folders if not any(path.startswith(f) for path in library_folders())}
    return (*files, *inside)


@cache
def _submission_folders() -> tuple[str, ...]:
    """Where installed submissions lie: those that come with the project, and entry points."""
    names = {PACKAGES["submission"]}
    names |= {e.module.partition(".")[0] for e in entry_points(group="algoperf_lite.submissions")}
    specs = [spec for name in sorted(names) if (spec := find_spec(name))]
    return tuple(f"{folder}/" for s in specs for folder in s.submodule_search_locations or ())
