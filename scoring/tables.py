"""The leaderboard in a terminal, by rich."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from scoring.board import Cell, Leaderboard, Row
from scoring.clocks import CLOCKS
from scoring.uncertainty import LEAST_STUDIES

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
    if board.studies < LEAST_STUDIES:
        count = "1 study" if board.studies == 1 else f"{board.studies} studies"
        lines.append(Text(f"{count}: no intervals; run {LEAST_STUDIES} for a ranking."))
    states = {cell.state for row in board.rows for cell in row.cells.values()}
    lines += [Text(text, style="dim") for state, text in _EXPLANATIONS.items() if state in states]
    if board.studies >= LEAST_STUDIES:
        lines.append(
            Text(f"95%: intervals by bootstrap over {board.studies} studies.", style="dim")
        )
    if board.clock != "time":
        lines.append(Text(f"Clock: {board.clock}, {CLOCKS[board.clock]}.", style="dim"))
    if board.baseline is not None:
        lines.append(
            Text(
                f"speedup: over {board.baseline}, geometric mean over workloads; a miss counts at"
                " the budget.",
                style="dim",
            )
        )
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
    lead = _leading_columns(board)
    first = sum(width + _PADDING for _, width, _ in lead) + names + _PADDING
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
        yield _table(board, now, names, lead if fixed is first else [])


def _leading_columns(board: Leaderboard) -> list[tuple[str, int, list[str]]]:
    """(header, width, text of each row) of the columns that are not workloads'; the rank first."""
    rows = board.rows
    columns = [("#", [str(row.rank) for row in rows])]
    if any(row.rank_interval for row in rows):
        columns.append(("95%", [_span(row.rank_interval, "d") for row in rows]))
    columns.append(("score", [f"{row.score:.4f}" for row in rows]))
    if any(row.score_interval for row in rows):
        columns.append(("95%", [_span(row.score_interval, ".2f") for row in rows]))
    if board.baseline is not None:
        columns.append(("speedup", [f"{row.speedup:.2f}x" for row in rows]))
    reached = [f"{row.targets_reached}/{len(board.base_workloads)}" for row in rows]
    columns.append(("targets", reached))
    return [(header, max(map(len, [header, *texts])), texts) for header, texts in columns]


def _span(ends: tuple[float, float] | None, form: str) -> str:
    """An interval, or the one number it comes down to."""
    if ends is None:
        return ""
    low, high = (format(end, form) for end in ends)
    return low if low == high else f"{low}-{high}"


def _table(
    board: Leaderboard,
    workloads: Sequence[str],
    names: int,
    lead: list[tuple[str, int, list[str]]],
) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    ranks, others = lead[:1], lead[1:]
    for header, width, _ in ranks:
        table.add_column(header, justify="right", width=width)
    table.add_column("submission", width=names, overflow="fold")
    for header, width, _ in others:
        table.add_column(header, justify="right", width=width)
    for workload in workloads:
        header = Text("\n".join(_header_lines(board, workload)))
        width = _column_width(board, workload)
        table.add_column(header, justify="right", vertical="top", width=width, overflow="fold")
    for i, row in enumerate(board.rows):
        name = Text(row.name, style="bold" if row.rank == 1 else "")
        head = [texts[i] for _, _, texts in ranks]
        numbers = [
            Text(texts[i], style="bold" if header == "score" else "dim" if header == "95%" else "")
            for header, _, texts in others
        ]
        table.add_row(*head, name, *numbers, *(_shown(row, w, board) for w in workloads))
    return table


def _shown(row: Row, workload: str, board: Leaderboard) -> Text:
    cell = row.cells[workload]
    style = {"reached": "green bold" if cell.ratio == 1 else "", "missing": "dim"}
    lines = filter(None, _cell_lines(cell, board.studies, board.unit))
    return Text("\n".join(lines), style=style.get(cell.state, "red"))


def _cell_lines(cell: Cell, studies: int, unit: str) -> tuple[str, str]:
    """Two lines: the time and how they compare, or why there are none."""
    if cell.counts:
        return time_text(cell.time, unit), ratio_text(cell.ratio)
    if math.isfinite(cell.time):
        return time_text(cell.time, unit), cell.word
    if cell.state == "missed" and studies > 1:
        return cell.word, f"met {cell.studies_reached}/{studies}"
    return cell.word, ""


def time_text(time: float, unit: str = "s") -> str:
    """A time to about four figures, with its unit; of steps, the number alone.

    Example:
        >>> time_text(3.14159), time_text(57674.48), time_text(1250, "steps")
        ('3.14 s', '57,674 s', '1,250')
    """
    if unit == "steps":
        return f"{time:,.0f}"
    decimals = 2 if time < 10 else 1 if time < 1000 else 0
    return f"{time:,.{decimals}f} {unit}"


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
    lines = [line for cell in cells for line in _cell_lines(cell, board.studies, board.unit)]
    return max(map(len, [*_header_lines(board, workload), *lines]))
