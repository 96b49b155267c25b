"""What a submission's traced programs may hold: no value from the host, no trained parameters.

Both are seen in the program before it runs, so a trial that breaks a rule ends before it trains.
What the workload's own model, loss and augmentation bring along is nobody's offence.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np
from jax.extend import core

from algoperf_lite.errors import InvalidTrialError

HOST = ("callback", "infeed", "outfeed", "debug_print")
"""Parts of the names of the primitives by which a program calls the host."""
SILENT = ("debug_callback", "debug_print")
"""Those that give nothing back to the program; the clock waits for them."""
CONSTANT_BYTES = 16 * 2**10
"""What a program may always hold in constants, compressed: tables of a schedule, indices."""
CONSTANT_SHARE = 0.1
"""What it may hold beyond that, as a share of the bytes of the model's parameters."""


def inner(values: Iterable[Any]) -> Iterator[Any]:
    """Programs among the parameters of an operation, with their constants where they are closed."""
    for value in values:
        if isinstance(value, tuple | list):
            yield from inner(value)
        elif hasattr(value, "jaxpr") or hasattr(value, "eqns"):
            yield value


def operations(program: Any) -> Iterator[Any]:
    """All operations (``JaxprEqn``) of a program, those of inner programs too."""
    for equation in getattr(program, "jaxpr", program).eqns:
        yield equation
        for part in inner(equation.params.values()):
            yield from operations(part)


def host_calls(program: Any) -> dict[str, str]:
    """Operations that bring values from the host: the primitive's name, and where in the program.

    Example:
        >>> import jax
        >>> told = jax.make_jaxpr(lambda x: jax.debug.print("{}", x))(1.0)
        >>> asked = jax.make_jaxpr(lambda x: jax.pure_callback(abs, x, x))(1.0)
        >>> host_calls(told), host_calls(asked)
        ({}, {'pure_callback': ''})
    """
    found = {}
    for equation in getattr(program, "jaxpr", program).eqns:
        inside = [equation, *(o for p in inner(equation.params.values()) for o in operations(p))]
        for operation in inside:
            name = operation.primitive.name
            if name not in SILENT and any(part in name for part in HOST):
                found.setdefault(name, str(equation.source_info.name_stack))
    return found


def check_host_calls(method: str, program: Any, own: Callable[[], Iterable[Any]]) -> None:
    """Raise `InvalidTrialError` if a program brings values from the host.

    Args:
        method: of the submission, for the message. ``update`` becomes ``select`` for what is called
            under that name.
        program: a ``ClosedJaxpr``.
        own: gives the workload's own programs, whose calls are not the submission's.
    """
    found = host_calls(program)
    if not found:
        return
    allowed = {name for one in own() for name in host_calls(one)}
    for name, where in found.items():
        if name not in allowed:
            method = "select" if method == "update" and "select" in where else method
            raise InvalidTrialError(
                f"{method} brings values from the host ({name}): what runs there is not on the"
                " clock, and may know what a submission may not"
            )


def constants(program: Any) -> list[Any]:
    """Arrays with at least one axis that a program holds, each once."""
    found = {id(c): c for c in getattr(program, "consts", ()) if np.ndim(c)}
    for equation in getattr(program, "jaxpr", program).eqns:
        literals = [v.val for v in equation.invars if isinstance(v, core.Literal)]
        found |= {id(c): c for c in literals if np.ndim(c)}
        for part in inner(equation.params.values()):
            found |= {id(c): c for c in constants(part)}
    return list(found.values())


def check_constants(
    method: str, program: Any, parameter_bytes: int, own: Callable[[], Iterable[Any]]
) -> None:
    """Raise `InvalidTrialError` if a program holds as much as trained parameters would take.

    A constant counts by what it takes when compressed (`content_bytes`): unit matrices and tables
    of smooth schedules are long and say little, and a program could hold them compressed.

    Args:
        method: of the submission, for the message.
        program: a ``ClosedJaxpr``.
        parameter_bytes: of the model.
        own: gives the workload's own programs, whose constants are not the submission's.
    """
    found = constants(program)
    most = max(CONSTANT_BYTES, CONSTANT_SHARE * parameter_bytes)
    if sum(map(_bytes, found)) <= most:
        return
    allowed = {_content(c) for one in own() for c in constants(one)}
    brought = {_content(c): c for c in found}
    brought = [c for content, c in brought.items() if content not in allowed]
    total = sum(map(_bytes, brought))
    if total > most and (said := sum(map(content_bytes, brought))) > most:
        largest = max(brought, key=_bytes)
        raise InvalidTrialError(
            f"{method} holds {total} bytes of constants, the largest {largest.dtype}"
            f"{list(largest.shape)}; the model's parameters take {parameter_bytes} bytes, and at"
            f" most {most:.0f} may be brought along (these compress to {said}): parameters are"
            f" trained within the trial, and a table is computed with jax.numpy inside {method}"
        )


def content_bytes(array: Any) -> int:
    """What an array takes when compressed with zlib, as it is or as differences of differences.

    The second differences of neighbours' bits, sorted by the place of the byte, are small numbers
    where an array is smooth, whatever its values; those of trained parameters are not.

    Example:
        >>> import numpy as np
        >>> smooth = np.cos(np.linspace(0, np.pi, 5000)).astype(np.float32)
        >>> noise = np.random.default_rng(0).normal(size=5000).astype(np.float32)
        >>> [content_bytes(a) < a.nbytes / 9 for a in (np.eye(128), smooth, noise)]
        [True, True, False]
    """
    content = _content(array)[-1]
    found = [len(content), len(zlib.compress(content))]
    if (size := array.dtype.itemsize) in (2, 4, 8) and len(content) % size == 0:
        bent = np.diff(np.frombuffer(content, f"u{size}"), 2).view("u1")
        found.append(len(zlib.compress(bent.reshape(-1, size).T.tobytes())))
    return min(found)


def _bytes(array: Any) -> int:
    return int(np.prod(array.shape)) * array.dtype.itemsize


def _content(array: Any) -> tuple[Any, ...]:
    if jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key):
        return array.shape, str(array.dtype), np.asarray(jax.random.key_data(array)).tobytes()
    return array.shape, str(array.dtype), np.asarray(array).tobytes()
