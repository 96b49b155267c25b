"""The leaderboard in a terminal, by rich."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from scoring.board import Cell, Leaderboard, Row
from scoring.wording import (
    cell_texts,
    counted,
    ratio_text,
    some_lost,
    span_text,
    speedup_text,
    time_text,
)
from scoring.wording import notes as _notes

__all__ = ["LeaderboardView", "leaderboard_view", "notes", "ratio_text", "time_text"]

# Blanks between two columns: one of padding, one for the divider that is not drawn.
_PADDING = 2


@dataclass(frozen=True)
class LeaderboardView:
    """A leaderboard that rich can print; make one with `leaderboard_view`."""

    board: Leaderboard
    max_problems: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for i, table in enumerate(_tables(self.board, options.max_width)):
            if i:
                yield ""
            yield table
        yield ""
        yield from notes(self.board, self.max_problems)


def leaderboard_view(board: Leaderboard, max_problems: int = 5) -> LeaderboardView:
    """A table of the leaderboard and notes under it, to fit whatever it is printed on.

    Workloads that do not fit beside each other go into further tables below.

    Args:
        board: from `scoring.score`.
        max_problems: how many problems to spell out.

    Example:
        >>> from rich.console import Console  # doctest: +SKIP
        >>> Console().print(leaderboard_view(score("results/demo")))  # doctest: +SKIP
    """
    return LeaderboardView(board, max_problems)


def notes(board: Leaderboard, max_problems: int = 5) -> list[Text]:
    """What a reader of the table must know: what is missing, what the words mean, problems."""
    return [Text(note.text, style=_WEIGHTS[note.weight]) for note in _notes(board, max_problems)]


_WEIGHTS = {"warning": "yellow", "plain": "", "aside": "dim"}


def _tables(board: Leaderboard, width: int) -> Iterator[Table]:
    """As many tables as are needed for each to be at most `width` wide."""
    if not board.suite:
        return
    longest = max([len("submission"), *(len(row.name) for row in board.rows)])
    lead = _leading_columns(board)
    short = min(longest, max(16, width // 3))
    for flat in (True, False):
        columns = [_Column(board, workload, flat) for workload in board.suite]
        others = sum(column.width + _PADDING for column in (*lead, *columns)) + _PADDING
        names = min(longest, width - others)
        if names >= short:
            yield _table(board, columns, names, lead)
            return
    left = sum(column.width + _PADDING for column in lead) + short + _PADDING
    rest = columns
    while rest:
        count, used = 0, left
        while count < len(rest):
            used += rest[count].width + _PADDING
            if used > width and count:
                break
            count += 1
        yield _table(board, rest[:count], short, lead if rest is columns else [])
        left, rest = short + _PADDING, rest[count:]


class _Lead(NamedTuple):
    """A column that is not a workload's; those of the rank stand before the names."""

    header: str
    texts: list[str]
    style: str = ""
    before: bool = False

    @property
    def width(self) -> int:
        return max(map(len, [self.header, *self.texts]))


def _leading_columns(board: Leaderboard) -> list[_Lead]:
    rows = board.rows
    columns = [_Lead("#", [str(row.rank) for row in rows], before=True)]
    if any(row.rank_interval for row in rows):
        spans = [span_text(row.rank_interval, "d") for row in rows]
        columns.append(_Lead("95%", spans, "dim", before=True))
    if len({row.ruleset for row in rows}) > 1:
        columns.append(_Lead("ruleset", [row.ruleset or "" for row in rows]))
    columns.append(_Lead("score", [f"{row.score:.4f}" for row in rows], "bold"))
    if any(row.score_interval for row in rows):
        spans = [span_text(row.score_interval, ".2f") for row in rows]
        columns.append(_Lead("95%", spans, "dim"))
    if board.baseline is not None:
        columns.append(_Lead("speedup", [speedup_text(row) for row in rows]))
    reached = [f"{row.targets_reached}/{len(board.base_workloads)}" for row in rows]
    columns.append(_Lead("targets", reached))
    if some_lost(board):
        columns.append(_Lead("counted", [str(counted(row, board)) for row in rows]))
    return columns


def _table(
    board: Leaderboard, columns: Sequence["_Column"], names: int, lead: Sequence[_Lead]
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    ranks = [column for column in lead if column.before]
    others = [column for column in lead if not column.before]
    for column in ranks:
        table.add_column(column.header, justify="right", width=column.width)
    table.add_column("submission", width=names, overflow="fold")
    for column in others:
        table.add_column(column.header, justify="right", width=column.width)
    for column in columns:
        header = Text("\n".join(column.header))
        table.add_column(
            header, justify="right", vertical="top", width=column.width, overflow="fold"
        )
    for i, row in enumerate(board.rows):
        name = Text(row.name, style="bold" if row.rank == 1 else "")
        table.add_row(
            *(Text(column.texts[i], style=column.style) for column in ranks),
            name,
            *(Text(column.texts[i], style=column.style) for column in others),
            *(column.shown(row) for column in columns),
        )
    return table


class _Column:
    """A workload's column: of two lines in each cell, or flat, which is wider."""

    def __init__(self, board: Leaderboard, workload: str, flat: bool = False) -> None:
        self.board, self.workload = board, workload
        self.header = _header_lines(board, workload)
        texts = [self._texts(row.cells[workload]) for row in board.rows]
        self.second = max((len(second) for _, second in texts), default=0) if flat else 0
        lines = [line for row in board.rows for line in self._lines(row.cells[workload])]
        self.width = max(map(len, [*self.header, *lines]))

    def shown(self, row: Row) -> Text:
        """One submission's cell."""
        cell = row.cells[self.workload]
        style = {"reached": "green bold" if cell.ratio == 1 else "", "missing": "dim"}
        return Text("\n".join(self._lines(cell)), style=style.get(cell.state, "red"))

    def _lines(self, cell: Cell) -> list[str]:
        first, second = self._texts(cell)
        if self.second:
            return [f"{first}  {second:>{self.second}}"]
        return [line for line in (first, second) if line]

    def _texts(self, cell: Cell) -> tuple[str, str]:
        return cell_texts(cell, self.board.studies, self.board.unit)


def _header_lines(board: Leaderboard, workload: str) -> list[str]:
    """A workload's name, broken at underscores into lines of at most about 10 characters."""
    lines = [""]
    parts = workload.split("_")
    for i, part in enumerate(parts):
        piece = part if i == len(parts) - 1 else f"{part}_"
        if lines[-1] and len(lines[-1]) + len(piece) > 10:
            lines.append("")
        lines[-1] += piece
    return [*lines, "(held-out)"] if workload in board.held_out_workloads else lines
