"""The leaderboard in a terminal, by rich."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from scoring.leaderboard import Cell, Leaderboard, Row

STUDIES_FOR_RANKING = 3
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
    lines = []
    if not board.complete:
        lines.append(
            Text(
                f"Incomplete: {board.trials_found} of {board.trials_declared} trials found; "
                "a missing study counts as a miss.",
                style="yellow",
            )
        )
    if board.studies < STUDIES_FOR_RANKING:
        count = "1 study" if board.studies == 1 else f"{board.studies} studies"
        lines.append(Text(f"{count}: no intervals; run {STUDIES_FOR_RANKING} for a ranking."))
    states = {cell.state for row in board.rows for cell in row.cells.values()}
    lines += [Text(text, style="dim") for state, text in _EXPLANATIONS.items() if state in states]
    if board.integration != "exact":
        lines.append(Text(f"Integration: {board.integration}.", style="dim"))
    for problem in board.problems[:max_problems]:
        lines.append(Text(f"! {problem}", style="yellow"))
    if (more := len(board.problems) - max_problems) > 0 and max_problems:
        lines.append(Text(f"! and {more} more such problems (--json lists all).", style="yellow"))
    return lines


_EXPLANATIONS = {
    "too_slow": "over 4x: reached, but in more than 4 times the fastest; counts as missed.",
    "base_missed": "base missed: a held-out variant counts only where its base was reached.",
    "variant_missed": "variant missed: counts as missed, as its held-out variant was.",
}


def _tables(board: Leaderboard, width: int) -> Iterator[Table]:
    """As many tables as are needed for each to be at most `width` wide."""
    if not board.suite:
        return
    names = max([len("submission"), *(len(row.name) for row in board.rows)])
    names = min(names, max(16, width // 3))
    first = sum(w + _PADDING for w in (2, names, 6, 7))
    rest = list(board.suite)
    while rest:
        fixed = first if len(rest) == len(board.suite) else names + _PADDING
        count, used = 0, fixed
        while count < len(rest):
            used += _column_width(board, rest[count]) + _PADDING
            if used > width and count:
                break
            count += 1
        now, rest = rest[:count], rest[count:]
        yield _table(board, now, names, is_first=fixed is first)


def _table(board: Leaderboard, workloads: Sequence[str], names: int, is_first: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    if is_first:
        table.add_column("#", justify="right", width=2)
    table.add_column("submission", width=names, overflow="fold")
    if is_first:
        table.add_column("score", justify="right", width=6)
        table.add_column("targets", justify="right", width=7)
    for workload in workloads:
        header = Text("\n".join(_header_lines(board, workload)))
        width = _column_width(board, workload)
        table.add_column(header, justify="right", vertical="top", width=width, overflow="fold")
    for rank, row in enumerate(board.rows, 1):
        head: list[str | Text] = [Text(row.name, style="bold" if rank == 1 else "")]
        if is_first:
            reached = f"{row.targets_reached}/{len(board.base_workloads)}"
            head = [str(rank), *head, Text(f"{row.score:.4f}", style="bold"), reached]
        table.add_row(*head, *(_shown(row, w, board.studies) for w in workloads))
    return table


def _shown(row: Row, workload: str, studies: int) -> Text:
    cell = row.cells[workload]
    style = {"reached": "green bold" if cell.ratio == 1 else "", "missing": "dim"}
    lines = filter(None, _cell_lines(cell, studies))
    return Text("\n".join(lines), style=style.get(cell.state, "red"))


def _cell_lines(cell: Cell, studies: int) -> tuple[str, str]:
    """Two lines: the seconds and how they compare, or why there are none."""
    if cell.counts:
        return f"{seconds_text(cell.seconds)} s", ratio_text(cell.ratio)
    if math.isfinite(cell.seconds):
        return f"{seconds_text(cell.seconds)} s", cell.word
    if cell.state == "missed" and studies > 1:
        return cell.word, f"met {cell.studies_reached}/{studies}"
    return cell.word, ""


def seconds_text(seconds: float) -> str:
    """Seconds to about four figures.

    Example:
        >>> seconds_text(3.14159), seconds_text(98.76), seconds_text(57674.48)
        ('3.14', '98.8', '57,674')
    """
    decimals = 2 if seconds < 10 else 1 if seconds < 1000 else 0
    return f"{seconds:,.{decimals}f}"


def ratio_text(ratio: float) -> str:
    """A ratio to the fastest: "best" for exactly 1."""
    return "best" if ratio == 1 else f"{ratio:.2f}x"


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


def _column_width(board: Leaderboard, workload: str) -> int:
    cells = (row.cells[workload] for row in board.rows)
    lines = [line for cell in cells for line in _cell_lines(cell, board.studies)]
    return max(map(len, [*_header_lines(board, workload), *lines]))
