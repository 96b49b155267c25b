"""Modules that stand in for AlgoPerf's while a submission's file is loaded and called.

They are ours and hold what submissions use of AlgoPerf 0.6: `spec`, `jax_sharding_utils`,
`param_utils` and `jax_utils`, and where chex is not installed its types (`chex`). Outside of
`standing_in` nobody sees them, and an AlgoPerf that is installed is untouched by them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, NoReturn

NAME = "algoperf"
CHEX = "chex"
"""A library that AlgoPerf brings and we need not: its types stand in where it is not installed."""
MODULES = ("jax_sharding_utils", "jax_utils", "param_utils", "spec")
"""The modules of AlgoPerf that have a stand-in."""
ALIASES = {"sharding_utils": "jax_sharding_utils"}
"""Earlier names of some, as submissions of their time have them."""
NOT_HERE = {
    "pytorch_utils": "it belongs to PyTorch submissions, and only JAX submissions run here",
    "workloads": "a submission sees the workload that it is given, and no other",
    "data_utils": "batches come from the input queue that data_selection is given",
}
"""Why some of the others have none."""


@contextmanager
def standing_in(devices: Sequence[Any] | None = None) -> Iterator[None]:
    """Have ``import algoperf`` and the like give our modules; afterwards all is as it was.

    May be entered again while it is in force.

    Args:
        devices: what `jax_sharding_utils` spreads arrays over; None leaves those of a `standing_in`
            around this one, else ``jax.devices()``.

    Example:
        >>> with standing_in():
        ...     from algoperf import spec
        >>> spec.__name__
        'algoperf_lite.algoperf.stand_in.spec'
    """
    spread = _device_module()
    before = spread.choose(devices)
    try:
        if sys.modules.get(NAME) is _package():
            yield
        else:
            with _swapped():
                yield
    finally:
        spread.restore(before)


@contextmanager
def _swapped() -> Iterator[None]:
    """Our modules in the place of AlgoPerf's, which come back even if ours were removed."""
    theirs = _take_out() if NAME in sys.modules else {}
    sys.modules.update(ours := _modules())
    sys.meta_path.insert(0, _REFUSAL)
    count = len(sys.modules)
    try:
        yield
    finally:
        if _REFUSAL in sys.meta_path:
            sys.meta_path.remove(_REFUSAL)
        if len(sys.modules) != count:  # a search takes long, and has nothing to find as a rule
            _take_out()
        for name in ours:
            sys.modules.pop(name, None)
        sys.modules.update(theirs)


def _take_out() -> dict[str, ModuleType]:
    """Remove AlgoPerf and all below it from the imported modules, whoever's they are."""
    names = [n for n in list(sys.modules) if n == NAME or n.startswith(f"{NAME}.")]
    return {name: sys.modules.pop(name) for name in names}


class _Refusal:
    """The first place where Python looks for modules: says which have no stand-in."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Called for modules that are not imported yet.

        Raises:
            ModuleNotFoundError: it is one of AlgoPerf's.
        """
        del path, target
        if name.startswith(f"{NAME}."):
            _refuse(name)


_REFUSAL = _Refusal()


def _refuse(name: str) -> NoReturn:
    why = NOT_HERE.get(name.split(".")[1])
    known = ", ".join(f"{NAME}.{module}" for module in MODULES)
    raise ModuleNotFoundError(
        f"{name} has no stand-in{f': {why}' if why else ''}. What submissions may import of"
        f" AlgoPerf here: {known}",
        name=name,
    )


@cache
def _package() -> ModuleType:
    """The package itself: a new module, so that nothing of this one shows in it."""
    package = module_from_spec(ModuleSpec(NAME, None, is_package=True))
    package.__doc__ = "Stands in for AlgoPerf."

    def missing(name: str) -> NoReturn:
        # `from algoperf import x` asks here first and would not tell why an import failed
        if name.startswith("_"):
            raise AttributeError(f"module {NAME!r} has no attribute {name!r}")
        _refuse(f"{NAME}.{name}")

    package.__getattr__ = missing
    for name in MODULES:
        setattr(package, name, importlib.import_module(f"{__name__}.{name}"))
    for name, current in ALIASES.items():
        setattr(package, name, getattr(package, current))
    return package


@cache
def _modules() -> dict[str, ModuleType]:
    package = _package()
    found = {NAME: package} | {f"{NAME}.{n}": getattr(package, n) for n in (*MODULES, *ALIASES)}
    if find_spec(CHEX) is None:
        found[CHEX] = importlib.import_module(f"{__name__}.{CHEX}")
    return found


@cache
def _device_module() -> ModuleType:
    return importlib.import_module(f"{__name__}.devices")  # imports JAX
