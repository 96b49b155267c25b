"""A leaderboard as CSV, for programs, and as a Markdown table, for a README or an issue."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import Any

from scoring.board import Cell, Leaderboard, Row
from scoring.text import markdown_text
from scoring.wording import cell_texts, counted, notes, some_lost, span_text, speedup_text

_COLUMNS = (
    "rank",
    "rank_low",
    "rank_high",
    "submission",
    "ruleset",
    "score",
    "score_low",
    "score_high",
    "speedup",
    "targets",
)


def to_csv(board: Leaderboard) -> str:
    """A row for each submission, best first.

    The columns are rank, rank_low, rank_high, submission, ruleset, score, score_low, score_high,
    speedup, targets, and for each workload `<workload>/time` before the rules, in the board's
    unit, `<workload>/ratio` after them and `<workload>/state`, see `scoring.board.Cell`. What does
    not exist, as an interval of too few studies, is empty; a time or ratio that is not reached or
    does not count is `inf`.

    Example:
        >>> print(to_csv(board))  # doctest: +SKIP
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    parts = ("time", "ratio", "state")
    writer.writerow([*_COLUMNS, *(f"{name}/{part}" for name in board.suite for part in parts)])
    for row in board.rows:
        cells = (row.cells[workload] for workload in board.suite)
        measured = [value for cell in cells for value in (cell.time, cell.ratio, cell.state)]
        writer.writerow([*_leading(row), *measured])
    return out.getvalue()


def to_markdown(board: Leaderboard) -> str:
    """A table as GitHub shows it: rank, submission, score, targets, times with their ratios.

    95% intervals stand in brackets. Under it, as a list, is what a reader must know: what is
    missing, what words mean, problems of the records.

    Example:
        >>> print(to_markdown(board))  # doctest: +SKIP
    """
    lost = some_lost(board)
    heads = ["#", "submission", "score"]
    heads += ["speedup"] if board.baseline is not None else []
    heads += ["targets"] + (["counted"] if lost else [])
    heads += [markdown_text(name) + _held_out(name, board) for name in board.suite]
    rules = ["---:", ":---", *["---:"] * (len(heads) - 2)]
    lines = [_line(heads), _line(rules)]
    lines += [_line(list(_shown(row, board, lost))) for row in board.rows]
    listed = [f"- {markdown_text(note.text)}" for note in notes(board)]
    return "\n".join([*lines, *([""] if listed else []), *listed]) + "\n"


def _leading(row: Row) -> list[Any]:
    ranks = row.rank_interval or (None, None)
    ends = row.score_interval or (None, None)
    known = row.speedup is not None and math.isfinite(row.speedup)
    return [
        row.rank, *ranks, row.name, row.ruleset, row.score, *ends,
        row.speedup if known else None, row.targets_reached,
    ]  # fmt: skip


def _shown(row: Row, board: Leaderboard, lost: bool) -> Iterator[str]:
    yield _with_interval(str(row.rank), str(row.rank), span_text(row.rank_interval, "d"))
    yield markdown_text(row.name)
    rough = f"{row.score:.2f}"
    yield _with_interval(f"{row.score:.3f}", rough, span_text(row.score_interval, ".2f"))
    if board.baseline is not None:
        yield speedup_text(row)
    yield f"{row.targets_reached}/{len(board.base_workloads)}"
    if lost:
        yield str(counted(row, board))
    for workload in board.suite:
        yield _cell(row.cells[workload], board)


def _cell(cell: Cell, board: Leaderboard) -> str:
    first, second = cell_texts(cell, board.studies, board.unit)
    text = markdown_text(f"{first} ({second})" if second else first)
    return f"**{text}**" if cell.ratio == 1 else text


def _with_interval(number: str, rough: str, span: str) -> str:
    """A number and its interval, unless that has no width and says the same."""
    return f"{number} ({span})" if span not in ("", rough) else number


def _held_out(name: str, board: Leaderboard) -> str:
    return " (held-out)" if name in board.held_out_workloads else ""


def _line(fields: Sequence[str]) -> str:
    return f"| {' | '.join(fields)} |"
