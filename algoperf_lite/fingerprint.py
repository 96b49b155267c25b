"""Fingerprints of code: the same for two texts that run the same, different otherwise."""

import ast
import hashlib
from pathlib import Path
from types import ModuleType

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def fingerprint_source(source: str) -> str:
    """Sha256 of Python source without comments, docstrings and layout.

    Example:
        >>> fingerprint_source("x = 1  # one") == fingerprint_source("x=1")
        True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


def fingerprint_code(module: ModuleType) -> str:
    """`fingerprint_source` of what `module` was loaded from; its name if that is unknown."""
    if hasattr(module, "__source__"):  # what was run, whatever the file says by now
        return fingerprint_source(module.__source__)
    file = getattr(module, "__file__", None)
    return fingerprint_source(Path(file).read_text()) if file else module.__name__
