"""Search spaces and how points are drawn from them.

A space is AlgoPerf's JSON: ``{"name": {"min":, "max":, "scaling": "linear" | "log"}}`` and
``{"name": {"feasible_points": [...]}}`` entries, or a list of complete points.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from algoperf_lite.errors import UsageError, unknown_name

Point = dict[str, Any]


def check_point(point: Mapping[str, Any], where: str) -> None:
    """Refuse values that a record could not hold: only numbers, strings, booleans and None can.

    Raises:
        UsageError: naming the hyperparameter and its value.
    """
    for name, value in point.items():
        if type(value) not in (int, float, str, bool, type(None)) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise UsageError(
                f"{where}: hyperparameter {name!r} is {value!r}; it must be a finite Python number,"
                " a string, a boolean or None"
            )


def check_space(space: Any, default: Mapping[str, Any], where: str) -> None:
    """Refuse a malformed search space.

    Args:
        space: the search space.
        default: the default point, whose names are the hyperparameters there are.
        where: the submission, for messages.

    Raises:
        UsageError: naming the entry and what is wrong with it.
    """
    if isinstance(space, Mapping):
        for name, entry in space.items():
            if name not in default:
                raise unknown_name("hyperparameter", name, default, f"{where}: search space")
            _check_entry(f"{where}: search space entry {name!r}", entry)
        return
    if not isinstance(space, Sequence) or isinstance(space, str) or not space:
        raise UsageError(
            f"{where}: a search space is a non-empty object of entries or a non-empty list of"
            f" points, not {space!r}"
        )
    for index, point in enumerate(space):
        if not isinstance(point, Mapping):
            raise UsageError(
                f"{where}: point {index} of the search space is not an object: {point!r}"
            )
        for name in point:
            if name not in default:
                raise unknown_name("hyperparameter", name, default, f"{where}: point {index}")
        if missing := set(default) - set(point):
            raise UsageError(f"{where}: point {index} lacks {sorted(missing)}")
        check_point(point, f"{where}: point {index}")


def draw_points(space: Any, default: Mapping[str, Any], count: int, seed_text: str) -> list[Point]:
    """`count` points of a space, the same for the same `seed_text`.

    Numeric and listed entries are filled from a scrambled Halton sequence (Owen 2017,
    https://arxiv.org/abs/1706.02808), one dimension each; hyperparameters without an entry keep
    their default. A list of points is given in order, and around again if it is short.

    Args:
        space: a space that `check_space` accepts, or None for the default point alone.
        default: the default point.
        count: how many points.
        seed_text: what the draw depends on; ``"<submission>/<study>"`` in a run.

    Example:
        >>> space = {"lr": {"min": 1e-3, "max": 1e-1, "scaling": "log"}}
        >>> points = draw_points(space, {"lr": 0.1, "b1": 0.9}, 2, "sgd/0")
        >>> all(1e-3 <= p["lr"] <= 1e-1 and p["b1"] == 0.9 for p in points)
        True
    """
    if not space:
        return [dict(default) for _ in range(count)]
    if not isinstance(space, Mapping):
        return [dict(space[i % len(space)]) for i in range(count)]
    from scipy.stats import qmc  # noqa: PLC0415  (seven tenths of a second)

    seed = int.from_bytes(hashlib.sha256(seed_text.encode()).digest()[:8], "big")
    unit = qmc.Halton(d=len(space), scramble=True, rng=seed).random(count)
    return [
        {
            **default,
            **{
                name: _at(entry, float(u))
                for (name, entry), u in zip(space.items(), row, strict=True)
            },
        }
        for row in unit
    ]


def _at(entry: Mapping[str, Any], u: float) -> Any:
    """The value of an entry at `u` in [0, 1)."""
    if "feasible_points" in entry:
        choices = entry["feasible_points"]
        return choices[int(u * len(choices))]
    low, high = entry["min"], entry["max"]
    if entry["scaling"] == "log":
        return math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
    return low + u * (high - low)


def _check_entry(where: str, entry: Any) -> None:
    if not isinstance(entry, Mapping):
        raise UsageError(
            f"{where}: expected an object with min, max and scaling, or feasible_points"
        )
    if "feasible_points" in entry:
        choices = entry["feasible_points"]
        if (
            set(entry) != {"feasible_points"}
            or not isinstance(choices, list | tuple)
            or not choices
        ):
            raise UsageError(f"{where}: feasible_points must be a non-empty list, and alone")
        for choice in choices:
            check_point({"feasible_points": choice}, where)
        return
    for key in entry:
        if key not in ("min", "max", "scaling"):
            raise unknown_name("key", key, ("min", "max", "scaling", "feasible_points"), where)
    if missing := {"min", "max", "scaling"} - set(entry):
        raise UsageError(f"{where}: lacks {sorted(missing)}")
    low, high, scaling = entry["min"], entry["max"], entry["scaling"]
    for bound in (low, high):
        if (
            isinstance(bound, bool)
            or not isinstance(bound, int | float)
            or not math.isfinite(bound)
        ):
            raise UsageError(f"{where}: min and max must be finite numbers, not {bound!r}")
    if scaling not in ("linear", "log"):
        raise unknown_name("scaling", str(scaling), ("linear", "log"), where)
    if low >= high:
        raise UsageError(f"{where}: min {low} is not below max {high}")
    if scaling == "log" and low <= 0:
        raise UsageError(f"{where}: log scaling needs min > 0, not {low}")
