"""Names of types that submissions take from chex, for where it is not installed.

Most that import it annotate with these and use nothing else of it
(https://chex.readthedocs.io/en/latest/api.html).
"""

from __future__ import annotations

from typing import Any, NoReturn

import jax
import numpy as np

Array = jax.Array | np.ndarray | np.bool_ | np.number
ArrayDevice = jax.Array
ArrayNumpy = np.ndarray
ArrayTree = ArrayDeviceTree = ArrayNumpyTree = Any
ArrayDType = Any
Device = jax.Device
Numeric = Array | float | int
PRNGKey = jax.Array
PyTreeDef = jax.tree_util.PyTreeDef
Scalar = float | int
Shape = tuple[int, ...]


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(
        f"chex.{name} has no stand-in, as only chex's types have: install chex beside algoperf_lite"
    )
