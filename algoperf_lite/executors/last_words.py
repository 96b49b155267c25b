"""What a worker said last, and where its code was. Imports no JAX."""

from __future__ import annotations

import re
import sysconfig
from pathlib import Path

KEPT_BYTES = 20_000
WORD_CHARACTERS = 500
_STACK = re.compile(r"^(?:Stack|Current thread \S+).*\(most recent call first\):$", re.MULTILINE)
_FRAME = re.compile(r'  File "(.*)", line (\d+) in (.*)')
_OTHERS = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), "<")


class Tail:
    """The end of a stream, however much came.

    Example:
        >>> tail = Tail(3)
        >>> tail.add(b"abcde")
        >>> tail.text
        'cde'
    """

    def __init__(self, kept: int = KEPT_BYTES):
        self._kept = kept
        self._bytes = b""

    def add(self, data: bytes) -> None:
        """Append, and forget what is past the end that is kept."""
        self._bytes = (self._bytes + data)[-self._kept :]

    @property
    def text(self) -> str:
        """What is kept; bytes that are no UTF-8 are replaced."""
        return self._bytes.decode(errors="replace")


def last_line(text: str) -> str:
    """The last line that is not empty, cut short."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("Extension modules: ")]  # faulthandler's
    return lines[-1][:WORD_CHARACTERS] if lines else ""


def place(text: str) -> str:
    r"""File, line and function of the last stack that `faulthandler` wrote; empty without one.

    The user's code is named before ours or a library's.

    Example:
        >>> place('Stack (most recent call first):\n  File "/my/rule.py", line 7 in update')
        '/my/rule.py:7 (update)'
    """
    stacks = list(_STACK.finditer(text))
    if not stacks:
        return ""
    frames = []
    for line in text[stacks[-1].end() + 1 :].splitlines():
        if not (frame := _FRAME.fullmatch(line)):
            break
        frames.append(frame.groups())
    theirs = [f for f in frames if "site-packages" not in f[0] and not f[0].startswith(_OTHERS)]
    if not frames:
        return ""
    file, number, function = (theirs or frames)[0]
    return f"{file}:{number} ({function})"
