"""What of a JSON file is a number to reckon with."""

from typing import Any

LARGEST = 1e300
"""Numbers below this have finite differences, and leave room for a product or two."""


def is_number(value: Any) -> bool:
    """Whether it is a number, finite and not absurdly large; true is none.

    Example:
        >>> [is_number(value) for value in (1, 0.5, True, float("nan"), 10**400, "1", None)]
        [True, True, False, False, False, False, False]
    """
    return type(value) in (int, float) and abs(value) < LARGEST
