"""Counting XLA compilations while a block of code runs."""

import jax.monitoring
from jax._src import monitoring

_COMPILE_EVENT = "/jax/core/compile/backend_compile_duration"
_open: list["CompileCounter"] = []


class CompileCounter:
    """A re-enterable context that counts the compilations made inside it.

    Attributes:
        count: compilations seen.
        seconds: time they took.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> with CompileCounter() as seen:
        ...     _ = jax.jit(lambda x: x * 3 + 1)(jnp.arange(5))
        >>> seen.count >= 1
        True
    """

    def __init__(self):
        self.count = 0
        self.seconds = 0.0

    def __enter__(self) -> "CompileCounter":
        _open.append(self)
        return self

    def __exit__(self, *exc: object) -> None:
        _open.remove(self)


def _on_event(event: str, duration: float, **_: object) -> None:
    if event == _COMPILE_EVENT:
        for counter in _open:
            counter.count += 1
            counter.seconds += duration


def listening() -> bool:
    """Whether compilations are heard of; True where JAX does not tell."""
    listeners = getattr(monitoring, "get_event_duration_listeners", None)
    return listeners is None or _on_event in listeners()


def listen() -> None:
    """Hear of compilations from now on, if that was ended (`jax.monitoring`)."""
    if not listening():
        jax.monitoring.register_event_duration_secs_listener(_on_event)


jax.monitoring.register_event_duration_secs_listener(_on_event)
