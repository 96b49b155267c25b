"""What all figures share: colours, dashes, markers, sizes, and how they are written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colour-blind safe palette. In grey, dashes and markers tell the curves apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES = ("-", (0, (6, 1.6)), (0, (1.2, 1.2)), (0, (7, 1.6, 1.4, 1.6)), (0, (3, 1.2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
INK, GREY, PALE, GRID = "#222222", "#666666", "#BBBBBB", "#E4E4E4"
# Inches: the text width of a two-column page on letter or A4 paper, and one column of it.
PAGE, COLUMN = 6.75, 3.25
FORMATS = ("pdf", "svg", "png")
DPI = 300
SMALL = 6.5  # points, of most text in a figure for a paper
RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SMALL,
    "svg.hashsalt": "algoperf-lite",
    "pdf.fonttype": 42,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "hatch.linewidth": 0.4,
    "backend": "agg",
}
_METADATA: dict[str, dict[str, None]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
    "png": {"Software": None},
}


@contextmanager
def drawing(**more: Any) -> Iterator[None]:
    """Within it matplotlib draws in this style, whatever the user's own settings are.

    Args:
        more: settings of matplotlib that differ, with underscores for dots.
    """
    import matplotlib  # noqa: PLC0415

    own = {name.replace("_", ".", 1): value for name, value in more.items()}
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **RC, **own}):
        yield


def canvas(width: float, height: float) -> "Figure":
    """An empty white figure, in inches, that touches no global state of matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def sheet(figure: "Figure") -> "Axes":
    """Axes over the whole figure whose data coordinates are inches from its top left corner."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    return axes


def panel(figure: "Figure", left: float, top: float, width: float, height: float) -> "Axes":
    """Axes at a place given in inches from the figure's top left corner."""
    full_width, full_height = figure.get_size_inches()
    bottom = (full_height - top - height) / full_height
    return figure.add_axes((left / full_width, bottom, width / full_width, height / full_height))


def dress(axes: "Axes") -> None:
    """A light grid, a base line, no frame and no ticks."""
    axes.grid(color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, which="both", pad=2)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(PALE)


def line_style(i: int, scale: float = 1.0) -> dict[str, Any]:
    """Keywords of `Axes.plot` for the i-th curve: its own colour, dashes and marker.

    315 curves differ in at least one of the three.
    """
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": DASHES[i % len(DASHES)],
        "linewidth": 1.9 * scale,
        "marker": MARKERS[i % len(MARKERS)],
        "markersize": 5.5 * scale,
        "markeredgecolor": "white",
        "markeredgewidth": 0.7 * scale,
        "solid_capstyle": "butt",
    }


@lru_cache(maxsize=4096)
def text_width(text: str, points: float = SMALL, weight: str = "normal") -> float:
    """How wide a line of text will be, in inches."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415
    from matplotlib.textpath import text_to_path  # noqa: PLC0415

    font = FontProperties(family=RC["font.family"], size=points, weight=weight)
    return text_to_path.get_text_width_height_descent(text, font, ismath=False)[0] / 72


def widest(texts: Sequence[str], points: float = SMALL, weight: str = "normal") -> float:
    """The width of the widest of some lines of text, in inches; 0 of none."""
    return max((text_width(text, points, weight) for text in texts), default=0.0)


def save(
    figure: "Figure", stem: Path, formats: Sequence[str] = FORMATS, dpi: int = DPI
) -> list[Path]:
    """Writes a figure to STEM.pdf, STEM.svg, STEM.png: the same bytes every time.

    Raises:
        OSError: a file cannot be written.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    for form in formats:
        path = stem.with_name(f"{stem.name}.{form}")
        figure.savefig(path, dpi=dpi, metadata=_METADATA[form])
        paths.append(path)
    return paths
