"""Every learning-rate schedule in a picture of small panels, the same bytes every time."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algoperf_lite.errors import UsageError, unwritable_output

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# One hue that all eyes tell from the grey of what it is compared with (Okabe and Ito's blue).
BLUE, INK, GREY = "#0072B2", "#222222", "#666666"
REFERENCE = "cosine"
"""Drawn behind every other schedule, dashed."""
METADATA = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None, "Producer": None},
}
COLUMNS = 4


def draw_schedules(rows: list[dict[str, Any]], path: Path) -> None:
    """Draws a panel for each schedule: learning rate over peak against share of the horizon.

    Args:
        rows: from `schedules_view.read_schedules`.
        path: ending in ``.png``, ``.svg`` or ``.pdf``; missing directories are made.

    Raises:
        UsageError: the path ends otherwise.
        MachineError: the file cannot be written.
    """
    import matplotlib  # noqa: PLC0415

    suffix = path.suffix.lower()
    if suffix not in METADATA:
        raise UsageError(f"cannot draw {path}: give a name that ends in .png, .svg or .pdf")
    style = {
        "font.family": "DejaVu Sans",
        "font.size": 8.5,
        "svg.hashsalt": "algoperf-lite",
        "text.color": INK,
        "xtick.color": GREY,
        "ytick.color": GREY,
    }
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **style, "backend": "agg"}):
        figure = _figure(rows)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=160, metadata=METADATA[suffix], format=suffix[1:])
        except OSError as error:
            raise unwritable_output(path, error) from error


def _figure(rows: list[dict[str, Any]]) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    columns = min(COLUMNS, len(rows))
    lines = -(-len(rows) // columns)
    head, foot, left, right = 0.62, 0.45, 0.5, 0.3  # inches
    width, height = left + max(4.0, 2.6 * columns) + right, head + 1.55 * lines + foot
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        lines,
        columns,
        left=left / width,
        right=1 - right / width,
        bottom=foot / height,
        top=1 - (head + 0.34) / height,
        wspace=0.14,
        hspace=0.55,
    )
    behind = next((row for row in rows if row["name"] == REFERENCE), None)
    for i, row in enumerate(rows):
        axes = figure.add_subplot(grid[i // columns, i % columns])
        is_lowest = i + columns >= len(rows)
        _panel(axes, row, behind, leftmost=i % columns == 0, lowest=is_lowest)
    _headings(figure, behind is not None, left / width, 1 - 0.3 / height)
    return figure


def _headings(figure: "Figure", compared: bool, x: float, y: float) -> None:
    figure.text(x, y, "Learning-rate schedules", fontsize=12, fontweight="bold", va="center")
    about = "rate over peak, against the share of the horizon"
    if compared and len(figure.axes) > 1:
        about += f"; dashed: {REFERENCE}"
    inches = figure.get_size_inches()
    figure.text(x, y - 0.21 / inches[1], about, color=GREY, fontsize=9, va="center")


def _panel(
    axes: "Axes",
    row: dict[str, Any],
    behind: dict[str, Any] | None,
    leftmost: bool,
    lowest: bool,
) -> None:
    rates = np.asarray(row["learning_rate"])
    shares = np.linspace(0, 1, len(rates))
    axes.fill_between(shares, rates, color=BLUE, alpha=0.14, linewidth=0)
    if behind is not None and behind is not row:
        axes.plot(shares, behind["learning_rate"], color=GREY, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.plot(shares, rates, color=BLUE, linewidth=1.7, solid_joinstyle="round", clip_on=False)
    axes.set_title(
        row["name"], loc="left", fontsize=9.5, fontweight="bold", pad=5, parse_math=False
    )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.04)
    axes.set_xticks((0, 0.5, 1), ("0", "50%", "100%") if lowest else ("", "", ""))
    axes.set_yticks((0, 0.5, 1), ("0", "0.5", "1") if leftmost else ("", "", ""))
    axes.grid(color="#E4E4E4", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#BBBBBB")
