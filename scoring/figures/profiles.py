"""The performance profiles of a leaderboard: who is within a factor of the fastest, how often."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring.board import Leaderboard, Row
from scoring.figures import style
from scoring.figures.style import COLOURS, GREY, INK, PAGE, PALE
from scoring.profiles import TAU_MAX

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Up to so many curves, each is labelled where it ends; more are listed by rank.
DIRECTLY_LABELLED = 6


def performance_profiles(board: Leaderboard, path_stem: str | Path) -> list[Path]:
    """Draws every submission's performance profile, rho(tau) for tau from 1 to 4.

    A point of a curve says on which fraction of the workloads the submission is within tau times
    the fastest; the score is the mean height of the curve. Curves are drawn slightly beside each
    other so that none hides another, each with its own colour, dashes and marker.

    Args:
        board: from `scoring.score`.
        path_stem: the path without suffix; missing directories are made.

    Returns:
        The paths of the PNG and of the SVG.

    Raises:
        OSError: the files cannot be written.
    """
    with style.drawing(font_size=9.5, axes_linewidth=0.8):
        labels = 0.85 + 0.082 * max([len(_label(row)) for row in board.rows], default=0)
        figure = _draw(board, 5.0, labels, 1.0)
        _title(figure.axes[0], board)
        return style.save(figure, Path(path_stem), ("png", "svg"), dpi=200)


def profiles_figure(board: Leaderboard, width: float = PAGE) -> "Figure":
    """The same picture for a paper: so many inches wide, in smaller type, without a title.

    Of more than nine submissions the best eight are told apart; the others are thin and grey.
    """
    most = len(board.rows) if len(board.rows) <= _HIGHLIGHTED + 1 else _HIGHLIGHTED
    texts = [*map(_label, board.rows[:most]), _others(board, most)]
    labels = 0.62 + style.widest(texts, 9 * _PAPER)
    return _draw(board, width - 0.78 * _PAPER - labels, labels, _PAPER, most)


_PAPER = 0.72  # of the size of the picture that stands alone
_HIGHLIGHTED = 8
_Y_LIMITS = (-0.03, 1.05)
_Y_SPAN = _Y_LIMITS[1] - _Y_LIMITS[0]


def _draw(
    board: Leaderboard, plot: float, labels: float, scale: float, most: int | None = None
) -> "Figure":
    """Curves in a plot of so many inches, and right of it their labels in so many.

    All but the first `most` submissions share one label.
    """
    rows = board.rows[:most]
    pitch = 0.235 * scale
    left, bottom, top = 0.78 * scale, 0.55 * scale, 0.62 if scale == 1 else 0.05
    height = max(3.1 * scale, pitch * len(rows))
    figure = style.canvas(left + plot + labels, bottom + height + top)
    axes = style.panel(figure, left, top, plot, height)
    _dress(axes)
    curves = _Curves(axes, board, scale, len(rows))
    for i in range(len(board.rows)):
        curves.draw(i, pale=i >= len(rows))
    gap = pitch / height * _Y_SPAN
    if len(rows) <= DIRECTLY_LABELLED:
        ends = np.array([board.profile(row.name, [TAU_MAX])[0] for row in rows])
        for i, y in enumerate(_spread(ends, gap)):
            curves.lead(i, ends[i], y)
            curves.label(i, y)
    else:
        for i in range(len(rows)):
            curves.label(i, _Y_LIMITS[1] - (i + 0.8) * gap)
    if len(rows) < len(board.rows):
        curves.label_others(len(rows), _Y_LIMITS[1] - (len(rows) + 0.8) * gap)
    return figure


def _title(axes: "Axes", board: Leaderboard) -> None:
    axes.set_title(
        "Performance profiles", loc="left", fontsize=12, fontweight="bold", pad=24, color=INK
    )
    n = len(board.base_workloads)
    count = "1 workload" if n == 1 else f"{n} workloads"
    studies = "1 study" if board.studies == 1 else f"{board.studies} studies"
    subtitle = f"{count}, {studies}; score = mean height of the curve, higher is better"
    axes.text(0, 1.035, subtitle, transform=axes.transAxes, color=GREY, fontsize=9)


def _dress(axes: "Axes") -> None:
    style.dress(axes)
    axes.tick_params(pad=4)
    axes.set_xlim(1, TAU_MAX)
    axes.set_ylim(*_Y_LIMITS)
    axes.set_xticks(np.arange(1, TAU_MAX + 0.1, 0.5))
    axes.xaxis.set_major_formatter(lambda tau, _: f"{tau:g}x")
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("time to target, relative to the fastest submission (tau)")
    axes.set_ylabel("workloads within that factor")
    axes.spines["bottom"].set_color(PALE)


class _Curves:
    """Draws the curve of each row of a board, and its label."""

    def __init__(self, axes: "Axes", board: Leaderboard, scale: float, beside: int) -> None:
        self.axes, self.board, self.scale, self.beside = axes, board, scale, beside
        inches = axes.get_position().width * axes.figure.get_size_inches()[0]
        self.inch = (TAU_MAX - 1) / inches * scale  # in units of tau, of the unscaled picture

    def draw(self, i: int, pale: bool = False) -> None:
        """One step curve; marked where it jumps, and where it starts, unless it is pale."""
        row, base, n = self.board.rows[i], self.board.base_workloads, len(self.board.rows)
        inside = [row.ratios[w] for w in base if row.ratios[w] <= TAU_MAX]
        tau = np.unique([1.0, *inside])
        share = self.board.profile(row.name, tau)
        self.axes.step(
            np.append(tau, TAU_MAX),
            np.append(share, share[-1]),
            where="post",
            markevery=range(len(tau)),
            transform=self.axes.transData if pale else self._beside(i),
            clip_on=False,
            zorder=2.5 if pale else 3 + (n - i) / n,
            **({"color": PALE, "linewidth": 0.6} if pale else style.line_style(i, self.scale)),
        )

    def lead(self, i: int, end: float, y: float) -> None:
        """A thin line from the end of curve i to its label at height y."""
        from_point = self._beside(i).transform((TAU_MAX, end))
        start = self.axes.transData.inverted().transform(from_point)
        self.axes.plot(
            [start[0], TAU_MAX + 0.2 * self.inch, TAU_MAX + 0.27 * self.inch],
            [start[1], y, y],
            color=COLOURS[i % len(COLOURS)],
            linewidth=0.8 * self.scale,
            clip_on=False,
            zorder=2,
        )

    def label(self, i: int, y: float) -> None:
        """Score and name of curve i right of the plot, behind a sample of its line."""
        look = style.line_style(i, self.scale) | {"markevery": [1]}
        self._sample(y, look, _label(self.board.rows[i]))

    def label_others(self, first: int, y: float) -> None:
        """One label for all curves from the given one on."""
        self._sample(y, {"color": PALE, "linewidth": 0.6}, _others(self.board, first))

    def _sample(self, y: float, look: dict[str, Any], text: str) -> None:
        at = TAU_MAX + self.inch * np.array([0.27, 0.45, 0.63])
        self.axes.plot(at, [y, y, y], clip_on=False, **look)
        x = TAU_MAX + 0.75 * self.inch
        size = 9 * self.scale
        self.axes.text(x, y, text, va="center_baseline", color=INK, fontsize=size)

    def _beside(self, i: int) -> Any:
        """Moves curve i by a few points down and right, so that equal curves run in parallel."""
        from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415

        n = self.beside
        shift = (i - (n - 1) / 2) * min(2.2, 9 / n) * self.scale / 72
        moved = ScaledTranslation(shift, -shift, self.axes.figure.dpi_scale_trans)
        return self.axes.transData + moved


def _label(row: Row) -> str:
    return f"{row.score:.3f}  {row.name}"


def _others(board: Leaderboard, first: int) -> str:
    """What the submissions from the given rank on are together."""
    scores = [row.score for row in board.rows[first:]]
    return f"{len(scores)} others, {scores[-1]:.3f} to {scores[0]:.3f}" if scores else ""


def _spread(wanted: Sequence[float] | np.ndarray, gap: float) -> np.ndarray:
    """Heights near the wanted ones, at least `gap` apart, in order; equals keep their order.

    The first of equals comes out on top. All stay within the axes if there is room.
    """
    wanted = np.asarray(wanted, float)
    order = np.lexsort((np.arange(len(wanted)), -wanted))
    placed = np.empty(len(wanted))
    ceiling = np.inf
    for k in order:
        placed[k] = min(wanted[k], ceiling)
        ceiling = placed[k] - gap
    floor = _Y_LIMITS[0]
    for k in order[::-1]:
        placed[k] = max(placed[k], floor)
        floor = placed[k] + gap
    return placed
