"""Setting validation targets: `choice` says which value, `measure` runs the trials it takes.

After AlgoPerf (https://arxiv.org/abs/2306.07179, section 4.2): search well-tuned methods within the
step hint, run the best point again over many seeds, and take the median of the best values reached.
On a laptop a target must also be reached reliably by the reference submission, on the slope of its
curve rather than at its flat end; that is the value to paste, and both are shown.
"""

NEVER = 1e30
"""The size of a target that no trial reaches, so that it runs on to its end."""


def never(direction: str) -> float:
    """The value of a target in a direction that is never met.

    Example:
        >>> never("minimize")
        -1e+30
    """
    return -NEVER if direction == "minimize" else NEVER
