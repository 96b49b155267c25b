"""Loading an AlgoPerf submission's file: its functions, anew each time, invisible to all others."""

from __future__ import annotations

import hashlib
import itertools
import os
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

from algoperf_lite.algoperf import stand_in
from algoperf_lite.algoperf.absl_flags import prepare_flags
from algoperf_lite.algoperf.eras import check_era
from algoperf_lite.algoperf.files import Files, find_files
from algoperf_lite.algoperf.importer import Importer, path_kept, private_name
from algoperf_lite.algoperf.plain_data import Snapshot
from algoperf_lite.errors import UsageError
from algoperf_lite.fingerprint import fingerprint_source
from algoperf_lite.modules import assignment_line, import_error

REQUIRED = ("init_optimizer_state", "update_params", "data_selection", "get_batch_size")
"""What AlgoPerf's runner calls in every submission."""
_PREFIX = "algoperf_lite_user_"  # how the referee knows files that a user brought
_count = itertools.count(1)
_unused: list[Importer] = []


class SubmissionFile:
    """A submission's file that was run, with the files it imports. Made by `load`.

    Its modules can be imported by their names as long as this object lives, and until the next one
    is loaded.

    Attributes:
        path: of the file, as it was named.
        init_optimizer_state: AlgoPerf's function of that name; so are the next ones.
        update_params: a training step.
        data_selection: the next batch.
        get_batch_size: from a workload's name.
        prepare_for_eval: what is evaluated; None if there is none.
        fingerprint: sha256 over the code of its files: those that were run, and those that they
            import anywhere, within functions too. Where the files lie together does not count.
    """

    def __init__(self, path: Path, importer: Importer, functions: dict[str, Any], fingerprint: str):
        self.path = path
        self.init_optimizer_state: Callable[..., Any] = functions["init_optimizer_state"]
        self.update_params: Callable[..., Any] = functions["update_params"]
        self.data_selection: Callable[..., Any] = functions["data_selection"]
        self.get_batch_size: Callable[..., Any] = functions["get_batch_size"]
        self.prepare_for_eval: Callable[..., Any] | None = functions["prepare_for_eval"]
        self.fingerprint = fingerprint
        self._importer = importer
        self._snapshot = Snapshot()
        self._snapshot.add(*self.modules.values())
        importer.executed = self._snapshot.add  # what is imported later is taken as it is then
        weakref.finalize(self, _unused.append, importer).atexit = False

    @property
    def modules(self) -> dict[str, ModuleType]:
        """The modules of its files that have run, by their names in ``sys.modules``."""
        modules = self._importer.modules()
        return {name: m for name, m in modules.items() if getattr(m, "__file__", None)}

    def importing(self) -> AbstractContextManager[None]:
        """Within, its functions may be called: what they add to ``sys.path`` is taken away again.

        Imports of its own files work at any time, in its own code alone.
        """
        return path_kept()

    def restore(self) -> None:
        """Put plain data that its modules keep at the top level back to what loading left.

        Numbers, strings, arrays, containers of such. What holds something callable stays.
        """
        self._snapshot.restore()


def forget_unused() -> None:
    """Drop the modules of submissions that are gone.

    Not when they go: that may be in the middle of anybody's walk through ``sys.modules``.
    """
    while _unused:
        _unused.pop().drop()


def load(path: Path, devices: Sequence[Any] | None = None) -> SubmissionFile:
    """Run a submission's file, under names of its own each time.

    Args:
        path: of a Python file with AlgoPerf's functions.
        devices: those that shardings made at its top level are over; None leaves it to a
            `stand_in.standing_in` around this call, else all of JAX's.

    Raises:
        UsageError: there is no such file, it is none for AlgoPerf 0.6 on JAX, it does not import,
            or a function is missing; with the line at fault.
    """
    forget_unused()
    path = Path(path)
    files = find_files(path)
    check_era(files)
    importer = Importer(files, private_name(_PREFIX, path.stem, next(_count)))
    try:
        module = _run(path, files, importer, devices)
        functions = _functions(path, module, files)
        return SubmissionFile(path, importer, functions, _fingerprint(files, importer))
    except BaseException:
        importer.drop()
        raise


def _run(path: Path, files: Files, importer: Importer, devices: Sequence[Any] | None) -> ModuleType:
    prepare_flags(_PREFIX, files.sources)
    try:
        with stand_in.standing_in(devices), path_kept():
            return importer.load_main()
    except (Exception, SystemExit) as error:  # somebody else's code: of any kind
        own = [path, *(file for file in files.sources if file != files.main)]
        told = import_error(own, str(path), error, _mend(error))
        raise UsageError(str(told).replace(f"{importer.package}.", "")) from error


def _mend(error: BaseException) -> str:
    """What to do about an error of importing."""
    missing = getattr(error, "name", None) if isinstance(error, ImportError) else None
    first = (missing or "").partition(".")[0]
    if first == "algoperf":
        return "remove the import, or write what is needed of it into the submission"
    if first == "torch":
        return "PyTorch submissions cannot run here; remove what needs torch"
    if isinstance(error, ModuleNotFoundError) and not first.startswith(_PREFIX):
        return f"install {first} beside algoperf_lite, or put the file beside the submission"
    return "mend what this line does"


def _functions(path: Path, module: ModuleType, files: Files) -> dict[str, Any]:
    """AlgoPerf's functions by name; None for what is optional and absent."""
    names = (*REQUIRED, "prepare_for_eval")
    found = {name: getattr(module, name, None) for name in names}
    for name, value in found.items():
        if value is not None and not callable(value):
            line = assignment_line(files.tree(files.main), name) or 1
            raise UsageError(f"{path}:{line}: {name} is {value!r}; make it a function")
    if missing := [name for name in REQUIRED if found[name] is None]:
        ours = hasattr(module, "submission") and len(missing) == len(REQUIRED)
        mend = (
            "it has a 'submission' of algoperf_lite's own kind: name it without algoperf:"
            if ours
            else "add them, or name the file that has them"
        )
        last = len(files.text(files.main).splitlines()) or 1
        raise UsageError(
            f"{path}:{last}: no {', '.join(missing)}, which AlgoPerf calls in every submission;"
            f" {mend}"
        )
    return found


def _fingerprint(files: Files, importer: Importer) -> str:
    """Sha256 over the files' code and where they lie seen from the main one."""
    loaded = [m for m in importer.modules().values() if getattr(m, "__source__", None) is not None]
    texts = {Path(m.__file__): m.__source__ for m in loaded}
    texts |= {file: files.text(file) for file in files.sources}
    folder = files.main.parent
    parts = sorted(
        ("" if file == files.main else os.path.relpath(file, folder), fingerprint_source(text))
        for file, text in texts.items()
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()
