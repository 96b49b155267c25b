"""A heat map of relative times: submissions by workloads, every cell with its number or word."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.board import WORDS, Cell, Leaderboard
from scoring.figures import style
from scoring.figures.style import GREY, INK, PAGE, PALE, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# From the fastest to four times it: ever lighter, so that grey shows the order too.
_SHADES = ("#00456F", "#0072B2", "#56A0D3", "#A9D0EC", "#EDF6FC")
_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0)
_TALLEST = 6.5  # inches of rows in the smallest type
# Hatches: sparse dots where the target was reached and does not count, lines where it was missed.
_HATCHES = {"missed": "//////", "missing": ""}
_DISQUALIFIED = "....."
_SIZES = (SMALL, 6.0, 5.5, 5.0, 4.5)  # points of the text in cells: the largest that fits
_WIDEST_CELL, _PAD, _GAP = 0.8, 0.05, 0.1  # inches
_LEADING = 1.2  # between two lines of a heading


def ratios_figure(board: Leaderboard, width: float = PAGE) -> "Figure":
    """Relative times after the rules, a row for each submission, best first.

    A number is the time over that of the fastest submission. Cells without one are hatched and say
    why: lines for a missed target, dots for a target that was reached and does not count.

    Args:
        board: from `scoring.score`.
        width: of the figure in inches; more is taken only if even the smallest type asks for it,
            less if the cells need less.
    """
    table = _Table(board, width)
    figure = style.canvas(table.width, table.height)
    axes = style.sheet(figure)
    table.heads(axes)
    for i, row in enumerate(board.rows):
        y = table.top + (i + 0.5) * table.row
        for x, text in ((table.names, row.name), (table.left - 2 * _PAD, f"{row.score:.3f}")):
            axes.text(x, y, text, ha="right", va="center_baseline")
        for j, workload in enumerate(board.suite):
            table.cell(axes, table.x[j], y, row.cells[workload])
    left = min(table.left, table.width - _PAD - table.key.width)
    table.key.draw(axes, left, table.height - 0.14)
    return figure


class _Table:
    """Where everything is, in inches from the top left corner."""

    def __init__(self, board: Leaderboard, width: float) -> None:
        self.board = board
        n, base = len(board.suite), len(board.base_workloads)
        self._choose_words(board)
        self.names = style.widest(["submission", *(row.name for row in board.rows)]) + _PAD
        self.left = self.names + style.text_width("score") + 4 * _PAD
        gap = _GAP if n > base else 0.0
        room = (width - self.left - gap - _PAD) / max(n, 1)
        self.points = next((p for p in _SIZES if self._needs(p) <= room), _SIZES[-1])
        self.column = min(max(room, self._needs(self.points)), _WIDEST_CELL)
        self.row = self.points / 72 * (2.5 if self.two else 1.9)
        self._head(board)
        self.x = [self.left + j * self.column + (gap if j >= base else 0) for j in range(n)]
        ends = self.left + n * self.column + gap
        self.key = _Key(board)
        self.width = max(ends + _PAD, self.key.width + 2 * _PAD)
        self.height = self.top + len(board.rows) * self.row + 0.36

    def _choose_words(self, board: Leaderboard) -> None:
        """Words of one line where those of two would make the table taller than a page.

        In a table so long that every line counts, a rule is named by what was missed.
        """
        cells = [cell for row in board.rows for cell in row.cells.values()]
        tall = len(board.rows) * _SIZES[-1] / 72 * 2.5 > _TALLEST
        end = "" if tall else "\nmissed"
        self.words = {state: word.replace(" missed", end) for state, word in WORDS.items()}
        self.two = any("\n" in self.text(cell) for cell in cells)
        self.lines = sorted({line for cell in cells for line in self.text(cell).split("\n")})

    def _needs(self, points: float) -> float:
        """The width of a cell that holds any of the words."""
        return style.widest(self.lines, points, "bold") + _PAD

    def text(self, cell: Cell) -> str:
        """What a cell says, if there is no room for more."""
        return f"{cell.ratio:.2f}" if cell.counts else self.words[cell.state]

    def _head(self, board: Leaderboard) -> None:
        """Names of workloads above the columns: level where they fit, else upright."""
        self.labels = [_broken(name, 11) for name in board.suite]
        parts = _parts(self.labels)
        level = (p for p in _SIZES[:3] if style.widest(parts, p) + _PAD <= self.column)
        self.head_points = next(level, None) or SMALL
        self.level = style.widest(parts, self.head_points) + _PAD <= self.column
        line = self.head_points / 72 * _LEADING
        if self.level:
            tall = line * max(label.count("\n") + 1 for label in self.labels)
        else:
            two = [_broken(name, max(18, -(-len(name) // 2) + 3)) for name in board.suite]
            fits = line * max(label.count("\n") + 1 for label in two) <= self.column
            self.labels = two if fits else list(board.suite)
            tall = style.widest(_parts(self.labels))
        self.group = 0.2 if board.held_out_workloads else 0.03
        self.top = self.group + tall + 0.08

    def heads(self, axes: "Axes") -> None:
        """Draws what stands above the cells."""
        bottom = self.top - 0.04
        axes.text(self.names, bottom, "submission", ha="right", va="bottom", color=GREY)
        axes.text(self.left - 2 * _PAD, bottom, "score", ha="right", va="bottom", color=GREY)
        for x, label in zip(self.x, self.labels, strict=True):
            axes.text(
                x + self.column / 2,
                bottom,
                label,
                ha="center",
                va="bottom",
                rotation=0 if self.level else 90,
                multialignment="center" if self.level else "left",
                linespacing=_LEADING,
                fontsize=self.head_points,
            )
        base = len(self.board.base_workloads)
        for name, xs in (("base", self.x[:base]), ("held-out variants", self.x[base:])):
            if xs and self.board.held_out_workloads:
                axes.text(xs[0], 0.05, name, va="top", color=GREY)
                ends = (xs[0], xs[-1] + self.column - 0.02)
                axes.plot(ends, (0.17, 0.17), color=PALE, linewidth=0.6)

    def cell(self, axes: "Axes", x: float, y: float, cell: Cell) -> None:
        """One cell with its number or word."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415

        size = (self.column - 0.02, self.row - 0.02)
        corner = (x, y - size[1] / 2)
        colour = _shade(cell.ratio) if cell.counts else "white"
        text = axes.text(
            x + size[0] / 2,
            y,
            self._fitting(cell),
            ha="center",
            va="center_baseline" if "\n" not in self.text(cell) else "center",
            fontsize=self.points,
            linespacing=0.95,
            color=_ink_on(colour) if cell.counts else INK,
            fontweight="bold" if cell.ratio == 1 else "normal",
        )
        axes.add_patch(Rectangle(corner, *size, facecolor=colour, **_edge(cell.state)))
        if not cell.counts:
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.4})

    def _fitting(self, cell: Cell) -> str:
        """How the trials ended if there is room to say so; else that the target was missed."""
        if style.text_width(cell.detail, self.points) + 2 * _PAD <= self.column and cell.detail:
            return cell.detail
        return self.text(cell)


class _Key:
    """What shades and hatches mean, of those that are there; on one line."""

    def __init__(self, board: Leaderboard) -> None:
        states = {cell.state for row in board.rows for cell in row.cells.values()}
        marks = [(state, WORDS[state]) for state in ("missed", "missing")]
        disqualified = sorted(states - {"reached", "missed", "missing"})
        marks[1:1] = [(state, "reached, does not count") for state in disqualified[:1]]
        self.marks = [(state, meaning) for state, meaning in marks if state in states]
        says = ["time over the fastest", *(meaning for _, meaning in self.marks)]
        self.width = len(_STEPS) * _SWATCH + len(self.marks) * (_SWATCH + 0.05) + 0.05
        self.width += sum(style.text_width(text, 6) + 0.14 for text in says) - 0.14

    def draw(self, axes: "Axes", x: float, y: float) -> None:
        """Draws it from x on, at the height y."""
        for ratio in _STEPS:
            shade = _shade(ratio)
            _swatch(axes, x, y, {"facecolor": shade, "edgecolor": "none"})
            axes.text(
                x + _SWATCH / 2, y, f"{ratio:g}x", ha="center", va="center_baseline",
                fontsize=5, color=_ink_on(shade),
            )  # fmt: skip
            x += _SWATCH
        x = _say(axes, x + 0.05, y, "time over the fastest")
        for state, meaning in self.marks:
            _swatch(axes, x, y, {"facecolor": "white", **_edge(state)})
            x = _say(axes, x + _SWATCH + 0.05, y, meaning)


_SWATCH = 0.24  # inches


def _swatch(axes: "Axes", x: float, y: float, look: dict[str, Any]) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    axes.add_patch(Rectangle((x, y - 0.06), _SWATCH, 0.12, **look))


def _say(axes: "Axes", x: float, y: float, text: str) -> float:
    """Writes a few words of the key; returns where the next may begin."""
    axes.text(x, y, text, va="center_baseline", color=GREY, fontsize=6)
    return x + style.text_width(text, 6) + 0.14


def _edge(state: str) -> dict[str, Any]:
    if state == "reached":
        return {"edgecolor": "none"}
    hatch = _HATCHES.get(state, _DISQUALIFIED)
    return {"edgecolor": PALE, "linewidth": 0.5, "hatch": hatch or None}


def _parts(labels: list[str]) -> list[str]:
    return [line for label in labels for line in label.split("\n")]


def _broken(name: str, most: int) -> str:
    """A workload's name over lines, broken at underscores."""
    lines = [""]
    for part in name.split("_"):
        joined = f"{lines[-1]}_{part}" if lines[-1] else part
        if len(joined) > most and lines[-1]:
            lines[-1] += "_"
            lines.append(part)
        else:
            lines[-1] = joined
    return "\n".join(lines)


def _shade(ratio: float) -> tuple[float, float, float]:
    """The colour of a ratio from 1 to 4, by its logarithm."""
    rgb = np.array([[int(shade[k : k + 2], 16) / 255 for k in (1, 3, 5)] for shade in _SHADES])
    at = np.linspace(0, 2, len(_SHADES))
    return tuple(float(np.interp(math.log2(ratio), at, channel)) for channel in rgb.T)


def _ink_on(colour: str | tuple[float, float, float]) -> str:
    """White on dark, ink on light (relative luminance, ITU-R BT.709 weights)."""
    if isinstance(colour, str):
        return INK
    return "white" if np.dot(colour, (0.2126, 0.7152, 0.0722)) < 0.5 else INK
