"""Many trials on a terminal: each in a line, or counted by submission or by workload."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from algoperf_lite.cli.show_records import LOGGED, UNREADABLE, place_of
from algoperf_lite.environment import device_name
from scoring.numbers import is_number

MOST_LINES = 20
"""More trials than this are counted, unless each is asked for."""
NOT_COUNTED = "not counted"
"""Of trials that ended, but whose files are wrong, so that they count as missing their target."""
_ENDS = ("target_reached", "budget_exhausted", "diverged", LOGGED)
_SHORT = {"target_reached": "reached", "budget_exhausted": "exhausted"}
_STYLES = {
    "reached": "green",
    "target_reached": "green",
    "error": "red",
    "diverged": "red",
    "invalid": "red",
    "unreadable": "red",
    NOT_COUNTED: "red",
}
_TELL_WHY = ("error", "diverged", "invalid", "unreadable", "unfinished", "interrupted")
_MARKS = {
    "noisy": "noisy", "drifted": "drifted", "resumed": "resumed_at", "host-loop": "host_loop",
}  # fmt: skip
_MOST_REASONS = 8
_KEYS = ("submission", "workload", "study", "trial")


def trials_view(rows: Sequence[dict[str, Any]], path: str, each: bool) -> Iterator[RenderableType]:
    """What there is below a path: rows of `show_records.read_trials`.

    Args:
        rows: the trials.
        path: where they were looked for.
        each: show each, however many there are.
    """
    places = [place_of(row) for row in rows]
    yield _heading(rows, places, path)
    yield ""
    by = "submission" if len({place["submission"] for place in places}) > 1 else "workload"
    if each or len(rows) <= max(MOST_LINES, len({place[by] for place in places})):
        yield _list(rows, places)
    else:
        yield _counts(rows, places, by)
        yield from _reasons(rows, places)
        yield Text(f"--all shows each of the {len(rows)} trials.", style="dim")
    if any(row["status"] == LOGGED and row.get("counts") is None for row in rows):
        yield Text(
            "logged: no trial.json, as in AlgoPerf's own logs; `algoperf-lite score --suite FILE`"
            " says which targets they met.",
            style="dim",
        )


def _heading(rows: Sequence[dict[str, Any]], places: Sequence[dict[str, str]], path: str) -> Text:
    parts = [_count(len(rows), "trial")]
    for key, plural in (("submission", "submissions"), ("workload", "workloads"),
                        ("study", "studies")):  # fmt: skip
        values = {place[key] for place in places}
        if len(values) > 1:
            parts.append(f"{len(values)} {plural}")
        elif key != "study":
            parts += values - {""}
    text = Text(path, style="bold").append(f"  {', '.join(parts)}", "not bold")
    devices = sorted({name for row in rows if (name := _device(row))})
    return text.append(f"\non {'; '.join(devices)}", "not bold dim") if devices else text


def _device(row: dict[str, Any]) -> str | None:
    environment = row.get("environment")
    needed = ("platform", "device_kind", "device_count", "host_cpu", "host_threads")
    if not isinstance(environment, dict) or not all(key in environment for key in needed):
        return None
    return device_name(environment)


def _list(rows: Sequence[dict[str, Any]], places: Sequence[dict[str, str]]) -> Table:
    """A line for each trial; what is the same of all is in the heading."""
    columns: dict[str, list] = {
        key: [place[key] for place in places]
        for key in _KEYS
        if len({place[key] for place in places}) > 1
    }
    columns |= {
        "status": [Text(_end(row), style=_STYLES.get(_end(row), "")) for row in rows],
        ">steps": [_steps(row.get("steps")) for row in rows],
        ">on-clock s": [_seconds(row.get("seconds")) for row in rows],
        "marks": [" ".join(_marks(row)) for row in rows],
        "reason": [_why(row) for row in rows],
    }
    said = {header: cells for header, cells in columns.items() if any(map(str, cells))}
    table = _table(*said)
    for cells in zip(*said.values(), strict=True):
        table.add_row(*cells)
    return table


def _counts(rows: Sequence[dict[str, Any]], places: Sequence[dict[str, str]], by: str) -> Table:
    """A line for each submission or workload: how its trials ended, and the time they took."""
    statuses = sorted({_SHORT.get(_end(row), _end(row)) for row in rows}, key=_order)
    marks = [mark for mark in _MARKS if any(mark in _marks(row) for row in rows)]
    typical = "median s" if by == "workload" else "total s"
    table = _table(by, ">trials", *(f">{status}" for status in statuses),
                   *(f">{mark}" for mark in marks), f">{typical}")  # fmt: skip
    for name in sorted({place[by] for place in places}):
        own = [row for row, place in zip(rows, places, strict=True) if place[by] == name]
        ends = Counter(_SHORT.get(_end(row), _end(row)) for row in own)
        seconds = [row["seconds"] for row in own if is_number(row.get("seconds"))]
        total = (median(seconds) if by == "workload" else sum(seconds)) if seconds else None
        table.add_row(
            name,
            str(len(own)),
            *(Text(_number(ends[status]), style=_STYLES.get(status, "")) for status in statuses),
            *(_number(sum(mark in _marks(row) for row in own)) for mark in marks),
            _seconds(total),
        )
    return table


def _reasons(
    rows: Sequence[dict[str, Any]], places: Sequence[dict[str, str]]
) -> Iterator[RenderableType]:
    """Why trials failed, one line for all that failed for one reason."""
    why: dict[tuple[str, str], list[str]] = {}
    for row, place in zip(rows, places, strict=True):
        if _end(row) in _TELL_WHY or row.get("problems"):
            where = f"{place['submission']} on {place['workload']}, study {place['study']}"
            why.setdefault((_end(row), _why(row)), []).append(where)
    if why:
        yield ""
    for (status, reason), where in list(why.items())[:_MOST_REASONS]:
        more = f" and {len(where) - 1} more" if len(where) > 1 else ""
        yield Text(status, style="red").append(
            f" {where[0]}{more}{f': {reason}' if reason else ''}", "not red"
        )
    if len(why) > _MOST_REASONS:
        yield Text(f"and {_count(len(why) - _MOST_REASONS, 'more reason')}", style="red")
    if why:
        yield ""


def _end(row: dict[str, Any]) -> str:
    """How a trial ended, as scoring sees it."""
    voided = row.get("problems") and row.get("counts") is False and row["status"] in _ENDS
    return NOT_COUNTED if voided else row["status"]


def _why(row: dict[str, Any]) -> str:
    """The reason a trial gives, and what is wrong with its files."""
    problems = [] if row["status"] == UNREADABLE else row.get("problems") or []
    return "; ".join(filter(None, [str(row.get("reason") or ""), *problems]))


def _order(status: str) -> tuple[bool, bool, str]:
    return status != "reached", status != "exhausted", status


def _table(*headers: str) -> Table:
    """A table whose headers say with ">" that they are on the right."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for header in headers:
        justify = "right" if header.startswith(">") else "left"
        table.add_column(header.removeprefix(">"), justify=justify, overflow="fold")
    return table


def _marks(row: dict[str, Any]) -> list[str]:
    return [word for word, key in _MARKS.items() if row.get(key)]


def _steps(value: Any) -> str:
    return f"{value:,}" if is_number(value) and isinstance(value, int) else ""


def _seconds(value: Any) -> str:
    return f"{value:,.2f}" if is_number(value) else ""


def _number(count: int) -> str:
    return str(count) if count else ""


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
