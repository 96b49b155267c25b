"""Text from records, made fit to be shown: it may hold whatever JSON can."""

import re

# What could be markup anywhere (underscores only around a word), and at the start of a line.
_ANYWHERE = re.compile(r"[\\|*<>`$~\[&]|(?<![^\W_])_|_(?![^\W_])")
_AT_THE_START = re.compile(r"^(\d+(?=[.)](?: |$)))?([-+#.)])")


def printable(text: str) -> str:
    r"""Text with escapes for what is no visible character.

    A lone half of a character cannot be written at all, a line break ends a table, and a terminal
    obeys what follows an ESC.

    Example:
        >>> print(printable("red \x1b[31m, half \ud800"))
        red \x1b[31m, half \ud800
    """
    shown = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(shown)


def markdown_text(text: str) -> str:
    r"""Text that Markdown shows as it is, on one line: no markup, image or end of a cell.

    An address may become a link, to what it says.

    Example:
        >>> print(markdown_text("![x](a.png) sgd[lr=1] | a_b _c_"))
        !\[x](a.png) sgd\[lr=1] \| a_b \_c\_
    """
    shown = _ANYWHERE.sub(r"\\\g<0>", printable(" ".join(text.split())))
    return _AT_THE_START.sub(r"\1\\\2", shown)
