"""Which points to explore, and under which trial number each is recorded. Imports no JAX."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.records import SCHEMA, read_json, write_json
from algoperf_lite.selectors import with_values
from algoperf_lite.tuning import Point, draw_points

DIGITS = 4
LEDGER_FILE = "points.json"

Described = dict[str, Any]
"""What `describing.describe_submission` says."""


def drawn(submission: Described, count: int, only: Sequence[str], seed: int) -> list[Point]:
    """The default point, then points of the search space; the first ones of a longer list.

    Points come from `tuning.draw_points`, a scrambled Halton sequence, so that every prefix covers
    the space about evenly (along a single hyperparameter it is a van der Corput sequence). Numbers
    are rounded to `DIGITS` significant digits, which keeps commands and names short.

    Args:
        submission: whose points.
        count: how many, the default included; without a search space there is only that.
        only: hyperparameters to explore, the others stay at their default; all if empty.
        seed: what the draw depends on, with the submission's name.

    Raises:
        UsageError: a name in `only` that is no hyperparameter, or that has no range.
    """
    default, space = submission["default"], submission["search_space"]
    if only:
        space = _restricted(submission, only)
    if not space:
        return [dict(default)]
    ranges = isinstance(space, Mapping)
    if not ranges and only:
        space = _distinct([{**default, **{n: p[n] for n in only}} for p in space])
    if not ranges:
        return _distinct([default, *space])[:count]
    points = draw_points(space, default, count - 1, f"{submission['name']}/tune/{seed}")
    continuous = [name for name, entry in space.items() if "feasible_points" not in entry]
    rounded = [{**p, **{n: float(f"{p[n]:.{DIGITS}g}") for n in continuous}} for p in points]
    return _distinct([default, *rounded])


def _restricted(submission: Described, only: Sequence[str]) -> Any:
    """The part of the search space that belongs to the names in `only`."""
    default, space = submission["default"], submission["search_space"]
    for name in only:
        if name not in default:
            raise unknown_name("hyperparameter", name, default, f"--only of {submission['name']}")
        if not space or (isinstance(space, Mapping) and name not in space):
            raise UsageError(
                f"{submission['name']} has no search space entry for {name!r}: say which values"
                f" to try, as in --grid {name}={_example(default[name])}"
            )
    return {n: space[n] for n in space if n in only} if isinstance(space, Mapping) else space


def _example(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{value},..."
    return ",".join(f"{value * factor:g}" for factor in (0.5, 1, 2))


def on_grid(
    submission: Described,
    grid: Mapping[str, Sequence[Any]],
    describe: Callable[[list[str]], list[Described]],
) -> list[Point]:
    """The default point, then every combination of the grid's values.

    A value that brings hyperparameters of its own, as a schedule does, brings their defaults.

    Args:
        submission: whose points.
        grid: values by hyperparameter.
        describe: from selectors to what is known of them; it refuses wrong names and values.
    """
    combinations = [
        dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())
    ]
    default, selector = submission["default"], submission["selector"]
    selectors = [with_values(selector, changes(default, values)) for values in combinations]
    return _distinct([default, *(d["default"] for d in describe(selectors))])


def changes(default: Point, values: Mapping[str, Any]) -> Point:
    """Those of `values` that the default point does not have.

    Example:
        >>> changes({"learning_rate": 0.1, "beta": 1.0}, {"learning_rate": 0.2, "beta": 1.0})
        {'learning_rate': 0.2}
    """
    return {n: v for n, v in values.items() if n not in default or v != default[n]}


def parse_grid(texts: Sequence[str]) -> dict[str, list[Any]]:
    """From ``NAME=VALUE,VALUE`` to values by name.

    Raises:
        UsageError: a text of another form, or a name that stands twice.

    Example:
        >>> parse_grid(["learning_rate=1e-3,3e-3", "schedule=cosine,rex"])
        {'learning_rate': [0.001, 0.003], 'schedule': ['cosine', 'rex']}
    """
    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, _, values = (part.strip() for part in text.partition("="))
        cells = [value.strip() for value in values.split(",")]
        if not name.isidentifier() or not all(cells):
            raise UsageError(
                f"--grid {text!r}: give values by name, as in --grid learning_rate=1e-3,3e-3,1e-2"
            )
        if name in grid:
            raise UsageError(f"--grid {name}=... stands twice; give all its values at once")
        grid[name] = [_value(text, cell) for cell in cells]
    return grid


def _value(text: str, cell: str) -> Any:
    if cell.isidentifier() and cell not in ("True", "False", "None"):
        return cell
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError):
        raise UsageError(f"--grid {text!r}: {cell!r} is no number and no word") from None


def numbered(points: Sequence[Point], directory: Path) -> dict[int, Point]:
    """The trial number of each point, kept in a file: a point that is known keeps its own.

    So a longer list, another grid, or fewer hyperparameters run only what is not recorded yet.

    Args:
        points: distinct points.
        directory: of the submission's explorations; the file is updated.
    """
    known = (read_json(directory / LEDGER_FILE) or {"points": []})["points"]
    known += [point for point in points if point not in known]
    write_json(directory / LEDGER_FILE, {"schema": SCHEMA, "points": known})
    return {known.index(point) + 1: point for point in points}


def varying(points: Sequence[Point]) -> list[str]:
    """Names of the hyperparameters that differ between points, in the order of their appearance."""
    names = dict.fromkeys(name for point in points for name in point)
    return [n for n in names if len({repr(point.get(n)) for point in points}) > 1]


def _distinct(points: Sequence[Mapping[str, Any]]) -> list[Point]:
    found: list[Point] = []
    for point in points:
        if point not in found:
            found.append(dict(point))
    return found
