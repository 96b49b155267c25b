"""How JAX is configured: what a submission changed of it is found and put back."""

from __future__ import annotations

import jax


class Configuration:
    """All values of ``jax.config``, as they are now.

    Example:
        >>> import jax
        >>> before = Configuration()
        >>> jax.config.update("jax_default_matmul_precision", "bfloat16")
        >>> before.changed(), jax.config.jax_default_matmul_precision
        (['jax_default_matmul_precision'], None)
    """

    def __init__(self):
        self._values = dict(jax.config.values)

    def changed(self) -> list[str]:
        """Names of what differs; it is put back."""
        now = dict(jax.config.values)  # made anew whenever it is asked for
        found = [name for name, value in self._values.items() if now.get(name) != value]
        for name in found:
            jax.config.update(name, self._values[name])
        return found
