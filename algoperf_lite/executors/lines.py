"""Reading lines from pipes without waiting longer than one wants to. Imports no JAX."""

from __future__ import annotations

import os
import select
from collections.abc import Callable

MOST_BYTES = 64 * 2**20  # of a line; an answer is far shorter
CHUNK_BYTES = 2**18


class Lines:
    r"""Lines out of bytes that come in pieces.

    Example:
        >>> lines = Lines()
        >>> lines.add(b"a\nb")
        >>> lines.pop(), lines.pop()
        (b'a', None)
    """

    def __init__(self):
        self._bytes = bytearray()
        self._searched = 0

    def pop(self) -> bytes | None:
        """The next line that is there, without its end; None if none is whole yet.

        Raises:
            OverflowError: a line is too long to be one.
        """
        end = self._bytes.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._bytes)
            if len(self._bytes) > MOST_BYTES:
                raise OverflowError
            return None
        line = bytes(self._bytes[:end])
        del self._bytes[: end + 1]
        self._searched = 0
        return line

    def add(self, data: bytes) -> None:
        """Append what was read."""
        self._bytes += data


class Listener:
    """Reads whatever comes through several pipes, so that none of them fills up.

    Args:
        take: what to do with the bytes of each pipe, by descriptor.
    """

    def __init__(self, take: dict[int, Callable[[bytes], None]]):
        self._take = dict(take)
        self._poll = select.poll()
        for descriptor in self._take:
            self._poll.register(descriptor, select.POLLIN)

    def open(self, descriptor: int) -> bool:
        """Whether a pipe has not come to its end."""
        return descriptor in self._take

    def listen(self, seconds: float) -> bool:
        """Wait so long for something, and take it.

        Returns:
            Whether anything came, be it the end of a pipe.
        """
        ready = self._poll.poll(1000 * seconds) if self._take else []
        for descriptor, _ in ready:
            data = os.read(descriptor, CHUNK_BYTES)
            if data:
                self._take[descriptor](data)
            else:
                self._poll.unregister(descriptor)
                del self._take[descriptor]
        return bool(ready)
