"""Scores with their 95% intervals, a row for each submission."""

from typing import TYPE_CHECKING

from scoring.board import Leaderboard, Row
from scoring.figures import style
from scoring.figures.style import COLOURS, COLUMN, GREY, GRID, INK, PAGE, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH = 0.15  # inches between two rows
_LEAST_PLOT = 1.0


def scores_figure(board: Leaderboard) -> "Figure":
    """A dot for each score, a whisker for its 95% interval, ranks with theirs on the left.

    It is a column wide where names leave room for the plot, else a page.
    """
    rows = board.rows
    ranks = [_rank(row) for row in rows]
    left = 0.05 + style.widest(["rank", *ranks])
    names = left + 0.1 + style.widest(["submission", *(row.name for row in rows)])
    right = 0.1 + style.text_width("score") + 0.05
    narrow = COLUMN - names - 0.1 - right >= _LEAST_PLOT
    width = COLUMN if narrow else PAGE
    top, bottom = 0.2, 0.36
    height = top + _PITCH * len(rows) + bottom
    figure = style.canvas(width, height)
    plot = width - names - 0.1 - right
    axes = style.panel(figure, names + 0.1, top, plot, _PITCH * len(rows))
    _dress(axes, board)
    page = style.sheet(figure)
    for x, text, align in (
        (left, "rank", "right"),
        (left + 0.1, "submission", "left"),
        (width - 0.05, "score", "right"),
    ):  # fmt: skip
        page.text(x, top - 0.05, text, ha=align, va="bottom", color=GREY)
    for i, row in enumerate(rows):
        y = top + (i + 0.5) * _PITCH
        page.text(left, y, ranks[i], ha="right", va="center_baseline")
        page.text(left + 0.1, y, row.name, va="center_baseline")
        page.text(width - 0.05, y, f"{row.score:.3f}", ha="right", va="center_baseline")
        _dot(axes, row, i)
    return figure


def _dress(axes: "Axes", board: Leaderboard) -> None:
    style.dress(axes)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(board.rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    intervals = any(row.score_interval for row in board.rows)
    few = "1 study" if board.studies == 1 else f"{board.studies} studies"
    label = "score and 95% interval" if intervals else f"score ({few}: no intervals)"
    axes.set_xlabel(label, fontsize=SMALL)


def _dot(axes: "Axes", row: Row, i: int) -> None:
    axes.plot([0, 1], [i, i], color=GRID, linewidth=0.5, zorder=1)
    if row.score_interval:
        axes.plot(row.score_interval, [i, i], color=COLOURS[0], linewidth=1.3, zorder=2)
        for end in row.score_interval:
            axes.plot([end, end], [i - 0.2, i + 0.2], color=COLOURS[0], linewidth=1.0, zorder=4,
                      clip_on=False)  # fmt: skip
    axes.plot(
        [row.score], [i], marker="o", markersize=4, color=INK, markeredgecolor="white",
        markeredgewidth=0.5, zorder=3, clip_on=False,
    )  # fmt: skip


def _rank(row: Row) -> str:
    if row.rank_interval is None or row.rank_interval[0] == row.rank_interval[1]:
        return str(row.rank)
    low, high = row.rank_interval
    return f"{row.rank} ({low}-{high})"
