"""Pictures of what was explored, by matplotlib, in the leaderboard's colours."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from algoperf_lite.errors import UsageError, unwritable_output
from algoperf_lite.explore.batch_size import BatchSizeStudy, Size
from algoperf_lite.explore.law import Curve, Fit
from algoperf_lite.explore.law_records import Prediction
from algoperf_lite.explore.sensitivity import Sensitivity
from scoring.figures import COLOURS, DASHES, GREY, INK, MARKERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "svg.hashsalt": "algoperf-lite",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "text.parse_math": False,
    "backend": "agg",
}
MOST_LINES = 6  # of predicted curves; more cannot be told apart


def law(
    path: Path,
    fitted: Fit,
    curves: Sequence[Curve],
    predictions: Sequence[Prediction],
    target: float | None,
    title: str,
) -> None:
    """Losses that the law was fitted to, the law through them, and its predictions.

    Args:
        path: of the picture; its suffix is the format.
        fitted: the fit.
        curves: what it was fitted to.
        predictions: best first; the first six are drawn.
        target: a loss to mark, or None.
        title: above the picture.

    Raises:
        UsageError: the suffix names no format.
        MachineError: the file cannot be written.
    """
    with _canvas(path, 2, title) as (left, right):
        for i, curve in enumerate(curves[: len(COLOURS)]):
            start = curve.steps[0]
            steps = np.arange(start, len(curve.rates) + 1)
            left.plot(steps, fitted.law.losses(curve.rates)[start - 1 :], **_line(i))
            left.plot(curve.steps, curve.losses, linestyle="none", label=curve.name, **_points(i))
        shown = predictions[:MOST_LINES]
        first = min(int(curve.steps[0]) for curve in curves)
        for i, one in enumerate(shown):
            steps = np.arange(first, len(one.losses) + 1)
            right.plot(steps, one.losses[first - 1 :], label=one.schedule, **_line(i))
        heights = [curve.losses for curve in curves] + [p.losses[first - 1 :] for p in shown]
        low, high = min(map(np.min, heights)), max(np.quantile(h, 0.9) for h in heights)
        for axes, name in ((left, "measured (points) and fitted"), (right, "predicted")):
            axes.set_ylim(low - 0.05 * (high - low), high)
            axes.set_xlim(left=0)
            _dress(axes, name, "step", "loss")
            if target is not None:
                axes.axhline(target, color=GREY, linewidth=0.9, linestyle=(0, (2, 2)))
                _note(axes, 0, target, "  target", "left")
            axes.legend(frameon=False, fontsize=8.5)
        if len(predictions) > len(shown):
            right.set_title(f"predicted, the best {len(shown)}", loc="left", fontsize=10)


def sensitivity(path: Path, found: Sequence[Sensitivity]) -> None:
    """Final loss against learning rate, one panel for each workload.

    Args:
        path: of the picture; its suffix is the format.
        found: what was measured.

    Raises:
        UsageError: the suffix names no format.
        MachineError: the file cannot be written.
    """
    workloads = list(dict.fromkeys(one.workload for one in found))
    with _canvas(path, len(workloads), "Learning-rate sensitivity") as panels:
        for axes, workload in zip(panels, workloads, strict=True):
            shown = [one for one in found if one.workload == workload]
            for i, one in enumerate(shown):
                x = np.array(one.rates) / one.default
                label = f"{one.value:.3f}  {one.submission}"
                axes.plot(x, one.losses, label=label, **{**_line(i), **_points(i)})
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}x")
            axes.minorticks_off()
            axes.axhline(shown[0].initial, color=GREY, linewidth=0.9, linestyle=(0, (2, 2)))
            _note(axes, 1, shown[0].initial, "at initialisation", "center")
            axes.margins(y=0.1)
            _dress(axes, workload, "learning rate, relative to the default", "final loss")
            below = {"loc": "upper left", "bbox_to_anchor": (0, -0.17), "alignment": "left"}
            axes.legend(frameon=False, fontsize=8.5, title="sensitivity", **below)


def batch_sizes(path: Path, study: BatchSizeStudy) -> None:
    """Steps and seconds to the target against batch size, a line for each rule.

    A hollow point is a budget that was used up without reaching the target.

    Args:
        path: of the picture; its suffix is the format.
        study: what was measured.

    Raises:
        UsageError: the suffix names no format.
        MachineError: the file cannot be written.
    """
    title = f"{study.submission} on {study.workload}, budgets of equal {study.equal}"
    with _canvas(path, 2, title) as (left, right):
        rules = list(dict.fromkeys(size.rule for size in study.sizes))
        for i, rule in enumerate(rules):
            sizes = [size for size in study.sizes if size.rule == rule]
            _line_of_sizes(left, i, rule, sizes, lambda size: size.steps)
            _line_of_sizes(right, i, rule, sizes, lambda size: size.seconds)
            missed = [size for size in sizes if math.isinf(size.steps)]
            left.plot([s.batch_size for s in missed], [s.budget for s in missed],
                      linestyle="none", **_points(i) | {"markerfacecolor": "none",
                                                        "markeredgecolor": COLOURS[i]})  # fmt: skip
        _perfect_scaling(left, study)
        for axes, name, y in ((left, "steps to target (hollow: missed)", "steps"),
                              (right, "on-clock seconds to target", "seconds")):  # fmt: skip
            sizes = sorted({size.batch_size for size in study.sizes})
            axes.set_xscale("log", base=2)
            axes.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
            axes.set_xticks(sizes, [str(size) for size in sizes])
            if axes is left:
                axes.set_yscale("log", base=2)
            else:
                axes.set_ylim(bottom=0)
            axes.minorticks_off()
            axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            _dress(axes, name, "batch size", y)
            if axes.get_legend_handles_labels()[0]:
                axes.legend(frameon=False, fontsize=8.5, title="learning rate by", alignment="left")


def _line_of_sizes(
    axes: "Axes", i: int, rule: str, sizes: Sequence[Size], value: Callable[[Size], float]
) -> None:
    reached = [(size.batch_size, value(size)) for size in sizes if math.isfinite(value(size))]
    if reached:
        label = {"sqrt": "sqrt(k)", "linear": "k", "none": "1"}[rule]
        axes.plot(*zip(*reached, strict=True), label=label, **{**_line(i), **_points(i)})


def _perfect_scaling(axes: "Axes", study: BatchSizeStudy) -> None:
    """The line on which twice the batch size takes half the steps, from the smallest size on."""
    finite = [size for size in study.sizes if math.isfinite(size.steps)]
    if not finite:
        return
    first = min(finite, key=lambda size: (size.batch_size, size.steps))
    last = max(size.batch_size for size in study.sizes)
    axes.plot([first.batch_size, last], [first.steps, first.examples / last],
              color=GREY, linewidth=0.9, linestyle=(0, (2, 2)),
              label="perfect scaling")  # fmt: skip


@contextmanager
def _canvas(path: Path, panels: int, title: str) -> Iterator[Sequence["Axes"]]:
    """Panels side by side; on leaving, the picture is written."""
    import matplotlib  # noqa: PLC0415
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        figure = Figure(figsize=(1.0 + 4.4 * panels, 3.9), facecolor="white", layout="constrained")
        canvas = FigureCanvasAgg(figure)
        formats = canvas.get_supported_filetypes()
        if path.suffix.lstrip(".") not in formats:
            raise UsageError(f"--plot {path}: end it in .png, .svg or .pdf")
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
        yield figure.subplots(1, panels, squeeze=False)[0]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, dpi=160)
        except OSError as error:
            raise unwritable_output(path, error) from error


def _dress(axes: "Axes", title: str, x: str, y: str) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color="#E4E4E4", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, which="both")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#BBBBBB")


def _note(axes: "Axes", x: float, y: float, text: str, align: str) -> None:
    axes.text(x, y, text, color=GREY, fontsize=8.5, ha=align, va="bottom")


def _line(i: int) -> dict[str, Any]:
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": DASHES[i % len(DASHES)],
        "linewidth": 1.7,
    }


def _points(i: int) -> dict[str, Any]:
    return {
        "color": COLOURS[i % len(COLOURS)],
        "marker": MARKERS[i % len(MARKERS)],
        "markersize": 5,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
    }
