"""One trial on a terminal: its curve, its clock breakdown, its status."""

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from scoring.numbers import is_number

_NUMBERS = (
    "steps", "seconds", "budget_seconds", "robust_seconds", "interpolated_seconds",
    "flops_per_step", "peak_memory_bytes",
)  # fmt: skip
_TABLES = ("clock", "off_clock", "final", "compiles_on_clock")
WIDTH, HEIGHT = 64, 12  # characters of the curve's plotting area


def trial_view(found: dict[str, Any]) -> Group:
    """A rich renderable of what `show.read_trial` returned."""
    trial, damaged = _legible(found["trial"] or {})
    trial["status"] = found["status"]
    parts: list[Any] = [_heading(found["path"], trial, found["counts"])]
    parts += [Text(problem, "bold red") for problem in found["problems"]]
    if damaged:
        parts.append(Text(f"not legible in trial.json: {', '.join(damaged)}", "bold red"))
    curve = _curve(trial, found["evaluations"])
    if curve:
        parts += [Text(""), Text(curve)]
    if all(key in trial for key in ("clock", "seconds", "off_clock")):
        parts += [Text(""), _clock_table(trial)]
    facts = _facts(trial, found["hyperparameters"] or {})
    if found["trial"] is None:
        facts = _logged(found["evaluations"]) | facts
    parts += [Text(""), _facts_table(facts)]
    return Group(*parts)


def plot(
    xs: Sequence[float], ys: Sequence[float], level: float | None = None, labels: tuple = ("", "")
) -> str:
    """A scatter of points in characters, with a dashed line at `level`.

    Args:
        xs: horizontal positions.
        ys: vertical positions; points that are not finite, or beyond 1e300, are left out.
        level: where to draw the line, or None.
        labels: of the horizontal and the vertical axis.

    Returns:
        Lines of text joined by newlines; empty if there is no finite point.

    Example:
        >>> print(plot([0, 1], [0.0, 1.0]).splitlines()[0].rstrip()[-1])
        o
    """
    points = [pair for pair in zip(xs, ys, strict=True) if all(map(is_number, pair))]
    if not points:
        return ""
    heights = [y for _, y in points] + ([] if level is None else [level])
    low, high = min(heights), max(heights)
    # From 0, unless there are negative times, which are wrong and yet to be seen.
    left, right = min(0, *(x for x, _ in points)), max(0, *(x for x, _ in points))
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]

    def row(y: float) -> int:
        return round((high - y) / ((high - low) or 1) * (HEIGHT - 1))

    if level is not None:
        grid[row(level)] = list("- " * (WIDTH // 2))
    for x, y in points:
        grid[row(y)][round((x - left) / ((right - left) or 1) * (WIDTH - 1))] = "o"
    marks = {0: f"{high:.4g}", HEIGHT - 1: f"{low:.4g}"}
    if level is not None:
        marks[row(level)] = f"{level:.4g}"
    lines = [f"{marks.get(i, ''):>10} |{''.join(cells)}" for i, cells in enumerate(grid)]
    lines.append(" " * 11 + "+" + "-" * WIDTH)
    start = f"{left:.4g}"
    lines.append(" " * 12 + start + f"{right:.4g} {labels[0]}".rjust(WIDTH - len(start)))
    return "\n".join([f"{labels[1]:>10}", *lines] if labels[1] else lines)


def _legible(record: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """(what of a record can be shown, names of what is not what it should be)."""

    def is_fine(name: str, value: Any) -> bool:
        if name == "target":
            known = isinstance(value, dict) and isinstance(value.get("metric"), str)
            return known and _fits(value.get("value"))
        if name in _TABLES:
            return isinstance(value, dict) and all(map(_fits, value.values()))
        return name not in _NUMBERS or _fits(value)

    fine = {name: v for name, v in record.items() if v is None or is_fine(name, v)}
    shown = {name: v for name, v in fine.items() if v is not None}
    return shown, [name for name in record if name not in fine]


def _fits(value: Any) -> bool:
    return value is None or is_number(value)


def _heading(path: str, trial: dict[str, Any], counts: bool | None) -> Text:
    text = Text(f"{path}\n")
    styles = {"target_reached": "bold green", "logged": "bold"}
    if trial["status"] == "target_reached" and counts is False:
        text.append("target_reached, but not counted", "bold red")
    else:
        text.append(trial["status"], styles.get(trial["status"], "bold red"))
    if trial["status"] == "logged":
        text.append(": no trial.json, as in AlgoPerf's own logs; `score --suite FILE` judges it")
    if trial.get("reason"):
        text.append(f": {trial['reason']}")
    for mark, why in (
        ("noisy", "the two clocks disagree by over 10%, or others had so much of the processors"),
        ("drifted", "the calibration kernel's time changed by over 10%"),
        ("resumed_at", "it went on from a checkpoint after an interruption"),
        ("host_loop", "the submission was called from Python once per step, as AlgoPerf does"),
    ):
        if trial.get(mark):
            word = mark.removesuffix("_at").replace("_", "-")
            text.append(f"\n{word}: {why}", "yellow")
    if not trial.get("timed", True):
        text.append("\nnot timed: it has no seconds, and scores by --clock steps alone", "yellow")
    return text


def _curve(trial: dict[str, Any], evaluations: list[dict[str, float]]) -> str:
    target = trial.get("target") or {"metric": _metric(evaluations), "value": None}
    column = f"validation/{target['metric']}"
    timed = trial.get("timed", True)
    x = "accumulated_submission_time" if timed else "global_step"
    xs = [row.get(x, math.nan) for row in evaluations]
    ys = [row.get(column, math.nan) for row in evaluations]
    return plot(xs, ys, target["value"], ("on-clock seconds" if timed else "steps", column))


def _metric(evaluations: list[dict[str, float]]) -> str:
    """What to draw of a trial whose target is not recorded: rather a metric than the loss."""
    names = {name.removeprefix("validation/") for row in evaluations for name in row
             if name.startswith("validation/")} - {"num_examples"}  # fmt: skip
    return min(names, key=lambda name: ("loss" in name, name == "accuracy", name), default="loss")


def _logged(evaluations: list[dict[str, float]]) -> dict[str, Any]:
    """What evaluations alone tell of a trial."""
    last = evaluations[-1] if evaluations else {}
    return {
        "evaluations": len(evaluations),
        "steps": _whole(last.get("global_step")),
        "on-clock time": _seconds(last.get("accumulated_submission_time")),
        "evaluating": _seconds(last.get("accumulated_eval_time")),
        "last": " ".join(
            f"{name.removeprefix('validation/')}={value:.4g}"
            for name, value in last.items()
            if name.startswith("validation/") and not name.endswith("num_examples")
        ),
    }


def _clock_table(trial: dict[str, Any]) -> Table:
    table = Table("where time went", "seconds", "share of on-clock")
    total = trial["seconds"]
    off_clock = dict(trial["off_clock"])
    wall = off_clock.pop("wall", None) or math.nan

    def add(name: str, seconds: float | None, style: str = "") -> None:
        seconds = math.nan if seconds is None else seconds
        share = f"{seconds / total:.1%}" if total else ""
        table.add_row(name, f"{seconds:.3f}", share, style=style)

    for name, seconds in trial["clock"].items():
        add(f"on the clock: {name}", seconds)
    add("on the clock, all", total, "bold")
    for name, seconds in off_clock.items():
        add(f"off the clock: {name.replace('_', ' ')}", seconds)
    table.add_row("the whole trial, by the wall clock", f"{wall:.3f}", "")
    return table


def _facts(trial: dict[str, Any], hyperparameters: dict[str, Any]) -> dict[str, Any]:
    facts = {
        "steps": trial.get("steps"),
        "budget": _seconds(trial.get("budget_seconds")),
        "robust clock": _seconds(trial.get("robust_seconds")),
        "interpolated crossing": _seconds(trial.get("interpolated_seconds")),
        "compiles on the clock": (trial.get("compiles_on_clock") or {}).get("count"),
        "FLOPs per step": _short(trial.get("flops_per_step")),
        "peak memory": _megabytes(trial.get("peak_memory_bytes")),
        "seed": trial.get("seed"),
        "hyperparameters": " ".join(f"{k}={v}" for k, v in hyperparameters.items()),
        "test": " ".join(
            f"{k.removeprefix('test/')}={v:.4f}"
            for k, v in (trial.get("final") or {}).items()
            if k.startswith("test/") and v is not None
        ),
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def _facts_table(facts: dict[str, Any]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        if value not in (None, ""):
            table.add_row(name, str(value))
    return table


def _whole(value: float | None) -> str | None:
    return None if value is None or not math.isfinite(value) else f"{value:.0f}"


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f} s"


def _short(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"


def _megabytes(value: float | None) -> str | None:
    return None if value is None else f"{value / 2**20:.0f} MiB"
