"""Recognising submissions that AlgoPerf 0.6 on JAX would not run, before they are run. No JAX.

AlgoPerf 0.5 and before mapped each step over devices by ``jax.pmap``, with a leading axis of
devices on parameters and batches; 0.6 has ``jax.jit`` with shardings, on arrays without it. The
package was once called ``algorithmic_efficiency``. Submissions for PyTorch have the same functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from algoperf_lite.algoperf.files import Files
from algoperf_lite.errors import UsageError

_PMAP = (
    "uses jax.pmap, as submissions for AlgoPerf 0.5 and before did: their parameters and batches"
    " have a leading axis of devices. In AlgoPerf 0.6, which runs here, they have none: replace"
    " jax.pmap by jax.jit with in_shardings and out_shardings"
    " (algoperf.jax_sharding_utils.get_replicate_sharding() for parameters and states,"
    " get_batch_dim_sharding() for batches), and remove lax.pmean, lax.psum over its axis and"
    " flax.jax_utils.replicate and unreplicate"
)
_REPLICATE = (
    "uses flax.jax_utils, which gives arrays a leading axis of devices, as submissions for AlgoPerf"
    " 0.5 and before did. In AlgoPerf 0.6, which runs here, they have none: use"
    " algoperf.jax_sharding_utils.replicate, and nothing in the place of unreplicate"
)
_OLD_NAME = (
    "imports algorithmic_efficiency, as AlgoPerf's package was called in 0.5 and before: import"
    " from algoperf, and see that the steps use jax.jit with shardings instead of jax.pmap, as in"
    " AlgoPerf 0.6, which runs here"
)
_PYTORCH = (
    "imports {}: a submission for PyTorch, which cannot run here; give its counterpart for JAX, if"
    " it has one (in AlgoPerf often in a folder called jax beside it)"
)


def check_era(files: Files) -> None:
    """See that a submission is one for AlgoPerf 0.6 on JAX.

    ``jax.pmap`` counts wherever the code of its files uses it. An import counts if it is certain to
    run: not within ``try``, ``if`` or a function.

    Raises:
        UsageError: it is of another era or framework; with the line and what to change.
    """
    for file in files.sources:
        tree = files.tree(file)
        imports = list(_top_imports(tree)) if file in files.unguarded else []
        for line, name in imports:
            if name.partition(".")[0] == "torch" or name.startswith("algoperf.pytorch"):
                raise UsageError(f"{file}:{line} {_PYTORCH.format(name)}")
        if lines := _uses_of_pmap(tree):
            raise UsageError(f"{file}:{lines[0]} {_PMAP}")
        if lines := _uses_of_replicate(tree):
            raise UsageError(f"{file}:{lines[0]} {_REPLICATE}")
        for line, name in imports:
            if name.partition(".")[0] == "algorithmic_efficiency":
                raise UsageError(f"{file}:{line} {_OLD_NAME}")


def _top_imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and full name of what statements at the top level import."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _uses_of_replicate(tree: ast.Module) -> list[int]:
    r"""Lines that use `replicate` or `unreplicate` of ``flax.jax_utils``.

    Example:
        >>> _uses_of_replicate(ast.parse("from flax import jax_utils\nx = jax_utils.replicate(x)"))
        [2]
    """
    modules = {"flax.jax_utils"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "flax" and not node.level:
            modules |= {a.asname or a.name for a in node.names if a.name == "jax_utils"}
    return sorted(
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("replicate", "unreplicate")
        if ast.unparse(node.value) in modules
    )


def _uses_of_pmap(tree: ast.Module) -> list[int]:
    r"""Lines that take ``pmap`` from ``jax``, whatever that is called.

    Example:
        >>> _uses_of_pmap(ast.parse("import jax as j\n# jax.pmap\nf = j.pmap(g)"))
        [3]
    """
    names, lines = {"jax"}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname for a in node.names if a.name == "jax" and a.asname}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "jax":
            taken = not node.level and any(alias.name == "pmap" for alias in node.names)
            lines += [node.lineno] * taken
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "pmap":
            lines += [node.lineno] * (isinstance(node.value, ast.Name) and node.value.id in names)
    return sorted(lines)
