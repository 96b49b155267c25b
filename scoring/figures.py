"""The performance-profile picture, by matplotlib, the same bytes every time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scoring.board import Leaderboard, Row
from scoring.profiles import TAU_MAX

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colour-blind safe palette. In grey, dashes and markers tell the curves apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (6, 1.6)), (0, (1.2, 1.2)), (0, (7, 1.6, 1.4, 1.6)), (0, (3, 1.2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
# Up to so many curves, each is labelled where it ends; more are listed by rank.
DIRECTLY_LABELLED = 6
INK, GREY = "#222222", "#666666"


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
    import matplotlib  # noqa: PLC0415

    stem = Path(path_stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    png, svg = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
    style = {
        "font.family": "DejaVu Sans",
        "font.size": 9.5,
        "svg.hashsalt": "algoperf-lite",
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": GREY,
        "ytick.color": GREY,
    }
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **style, "backend": "agg"}):
        figure = _profiles_figure(board)
        figure.savefig(png, dpi=200, metadata={"Software": None})
        figure.savefig(svg, metadata={"Date": None})
    return [png, svg]


def _profiles_figure(board: Leaderboard) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    rows = board.rows
    label_inches = 0.85 + 0.082 * max([len(_label(row)) for row in rows], default=0)
    left, plot, bottom, top = 0.78, 5.0, 0.55, 0.62
    height = max(3.1, 0.235 * len(rows))
    width = left + plot + label_inches
    figure = Figure(figsize=(width, bottom + height + top), facecolor="white")
    FigureCanvasAgg(figure)
    total = bottom + height + top
    axes = figure.add_axes((left / width, bottom / total, plot / width, height / total))
    _dress(axes, board)
    ends = np.array([board.profile(row.name, [TAU_MAX])[0] for row in rows])
    for i, row in enumerate(rows):
        _curve(axes, board, row, i, len(rows))
    gap = 0.235 / height * _Y_SPAN
    if len(rows) <= DIRECTLY_LABELLED:
        for i, y in enumerate(_spread(ends, gap)):
            _leader(axes, i, len(rows), ends[i], y)
            _label_at(axes, rows[i], i, y)
    else:
        for i, row in enumerate(rows):
            _label_at(axes, row, i, _Y_LIMITS[1] - (i + 0.8) * gap)
    return figure


_Y_LIMITS = (-0.03, 1.05)
_Y_SPAN = _Y_LIMITS[1] - _Y_LIMITS[0]


def _dress(axes: "Axes", board: Leaderboard) -> None:
    n = len(board.base_workloads)
    count = "1 workload" if n == 1 else f"{n} workloads"
    axes.set_title(
        "Performance profiles", loc="left", fontsize=12, fontweight="bold", pad=24, color=INK
    )
    studies = "1 study" if board.studies == 1 else f"{board.studies} studies"
    subtitle = f"{count}, {studies}; score = mean height of the curve, higher is better"
    axes.text(0, 1.035, subtitle, transform=axes.transAxes, color=GREY, fontsize=9)
    axes.set_xlim(1, TAU_MAX)
    axes.set_ylim(*_Y_LIMITS)
    axes.set_xticks(np.arange(1, TAU_MAX + 0.1, 0.5))
    axes.xaxis.set_major_formatter(lambda tau, _: f"{tau:g}x")
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("time to target, relative to the fastest submission (tau)")
    axes.set_ylabel("workloads within that factor")
    axes.grid(color="#E4E4E4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#BBBBBB")


def _curve(axes: "Axes", board: Leaderboard, row: Row, i: int, n: int) -> None:
    """One step curve; marked where it jumps, and where it starts."""
    inside = [row.ratios[w] for w in board.base_workloads if row.ratios[w] <= TAU_MAX]
    tau = np.unique([1.0, *inside])
    share = board.profile(row.name, tau)
    axes.step(
        np.append(tau, TAU_MAX),
        np.append(share, share[-1]),
        where="post",
        markevery=range(len(tau)),
        transform=axes.transData + _beside(axes, i, n),
        clip_on=False,
        zorder=3 + (n - i) / n,
        **_line_style(i),
    )


def _beside(axes: "Axes", i: int, n: int):
    """Moves curve i of n by a few points down and right, so that equal curves run in parallel."""
    from matplotlib.transforms import ScaledTranslation  # noqa: PLC0415

    step = min(2.2, 9 / n) / 72
    shift = (i - (n - 1) / 2) * step
    return ScaledTranslation(shift, -shift, axes.figure.dpi_scale_trans)


def _leader(axes: "Axes", i: int, n: int, end: float, y: float) -> None:
    """A thin line from the end of curve i to its label at height y."""
    from_point = (axes.transData + _beside(axes, i, n)).transform((TAU_MAX, end))
    start = axes.transData.inverted().transform(from_point)
    axes.plot(
        [start[0], TAU_MAX + 0.12, TAU_MAX + 0.16],
        [start[1], y, y],
        color=COLOURS[i % len(COLOURS)],
        linewidth=0.8,
        clip_on=False,
        zorder=2,
    )


def _label_at(axes: "Axes", row: Row, i: int, y: float) -> None:
    """Score and name of curve i right of the plot, behind a sample of its line."""
    axes.plot(
        [TAU_MAX + 0.16, TAU_MAX + 0.27, TAU_MAX + 0.38],
        [y, y, y],
        markevery=[1],
        clip_on=False,
        **_line_style(i),
    )
    axes.text(
        TAU_MAX + 0.45,
        y,
        _label(row),
        va="center_baseline",
        color=INK,
        fontsize=9,
        parse_math=False,
    )


def _line_style(i: int) -> dict:
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": DASHES[i % len(DASHES)],
        "linewidth": 1.9,
        "marker": MARKERS[i % len(MARKERS)],
        "markersize": 5.5,
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
        "solid_capstyle": "butt",
    }


def _label(row: Row) -> str:
    return f"{row.score:.3f}  {row.name}"


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
