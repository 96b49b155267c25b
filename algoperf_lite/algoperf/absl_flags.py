"""Flags of absl that a submission's files define or read, as AlgoPerf's runner has them parsed."""

from __future__ import annotations

import sys
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path


def prepare_flags(prefix: str, files: Collection[Path]) -> None:
    """See that files may define their flags again, and read any, before they are run anew.

    absl refuses a flag that another module defined; one of the same file is no other.

    Args:
        prefix: what the names of all submissions' modules begin with.
        files: that will be run.
    """
    if find_spec("absl") is None:
        return
    from absl import flags  # noqa: PLC0415  (not a requirement of ours)

    for name, defined in flags.FLAGS.flags_by_module_dict().items():
        if not name.startswith(prefix):
            continue
        module = sys.modules.get(name)
        if module is None or Path(str(module.__file__)) in files:
            for flag in defined:
                if flag.name in flags.FLAGS:
                    delattr(flags.FLAGS, flag.name)
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
