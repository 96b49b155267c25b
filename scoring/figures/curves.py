"""Learning curves: the target's metric against on-clock time, a panel for each workload."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scoring.board import Leaderboard
from scoring.deciding import by_cell, deciding, of_median_study
from scoring.details import Details
from scoring.figures import style
from scoring.figures.style import GREY, INK, PAGE, PALE, SMALL
from scoring.suite import Suite, WorkloadTarget

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HIGHLIGHTED = 5  # as many as there are dashes; the others are grey
_SHOWN = 0.75  # quantile of the points, from the best, that a panel must hold
_TALL = {
    1: 2.2,
    2: 1.5,
    3: 1.05,
    4: 0.9,
}  # inches of a panel's plot, by how many stand side by side
_HEAD_POINTS = SMALL - 0.5
_MANY = 15  # panels, more than fill a page three abreast
_AXIS, _HEAD, _FOOT = 0.42, 0.34, 0.2  # inches left of a plot, above and below it


def curves_figure(
    board: Leaderboard, details: Sequence[Details], suite: Suite, width: float = PAGE
) -> "Figure":
    """Learning curves on every workload of a board.

    Of each submission and study the trial that decides the study's time is drawn: the first to
    reach the target, else the one that came nearest. The best submissions are in colour, the trial
    of the median study bold and the others faint; of the rest the median study alone, in grey. A
    marker is where the target was reached, a hollow one where a trial ended that missed it.

    Args:
        board: from `scoring.score`.
        details: of its trials, from `scoring.details.read_details`.
        suite: its workloads, with their targets.
        width: of the figure in inches.
    """
    cells = by_cell(details, suite)
    key = _Key(board, width)
    targets = {target.name: target for target in suite.workloads}
    across = _across([targets[workload] for workload in board.suite], width)
    tall = _TALL[across]
    down = math.ceil(len(board.suite) / across)
    pitch = _HEAD + tall + _FOOT
    height = down * pitch + 0.2 + key.height
    figure = style.canvas(width, height)
    for k, workload in enumerate(board.suite):
        left = k % across * width / across + _AXIS
        top = k // across * pitch + _HEAD
        axes = style.panel(figure, left, top, width / across - _AXIS - 0.13, tall)
        _panel(axes, board, targets[workload], cells)
    page = style.sheet(figure)
    x_label = "steps" if board.clock == "steps" else "on-clock time (s)"
    page.text(width / 2, down * pitch + 0.08, x_label, ha="center", va="center")
    key.draw(page, down * pitch + 0.2)
    return figure


def _across(targets: Sequence[WorkloadTarget], width: float) -> int:
    """How many panels stand side by side: three, or four of many if their heads leave room."""
    names = style.widest([target.name for target in targets], _HEAD_POINTS, "bold")
    widest = max(names, style.widest([_goal(target) for target in targets], _HEAD_POINTS))
    if len(targets) > _MANY and widest < width / 4 - 0.1:
        return 4
    return max(1, min(3, len(targets)))


def _panel(
    axes: "Axes",
    board: Leaderboard,
    target: WorkloadTarget,
    cells: Mapping[tuple[str, str], list[Details]],
) -> None:
    style.dress(axes)
    shown: list[np.ndarray] = []
    medians = []
    for i, row in enumerate(board.rows):
        trials = deciding(cells.get((row.name, target.name), ()), target)
        median = of_median_study(trials, board.studies)
        if median is None:
            continue
        if i < HIGHLIGHTED:
            medians.append((i, median))
            for one in trials:
                _curve(axes, one, board.clock, i, bold=one is median)
        else:
            axes.plot(*_points(median, board.clock), color=PALE, linewidth=0.5, zorder=1)
        shown.append(np.stack(_points(median, board.clock)))
    axes.axhline(target.value, color=INK, linewidth=0.7, linestyle=(0, (4, 2)), zorder=1.5)
    _limit(axes, target, shown)
    for i, median in medians:
        _end(axes, median, board.clock, i)
    _head(axes, target)


def _head(axes: "Axes", target: WorkloadTarget) -> None:
    """The workload and its target, beginning above the numbers of the axis, where there is room."""
    goal = _goal(target)
    for text, y, colour, weight in ((target.name, 0.22, INK, "bold"), (goal, 0.1, GREY, "normal")):
        axes.annotate(
            text, (0, 1), ((0.06 - _AXIS) * 72, y * 72), "axes fraction", "offset points",
            color=colour, weight=weight, fontsize=_HEAD_POINTS, va="center_baseline",
            annotation_clip=False,
        )  # fmt: skip


def _goal(target: WorkloadTarget) -> str:
    better = "<=" if target.direction == "minimize" else ">="
    variant = ", held-out" if target.base is not None else ""
    return f"{target.metric} {better} {target.value:.5g}{variant}"


def _curve(axes: "Axes", one: Details, clock: str, i: int, bold: bool) -> None:
    look = style.line_style(i, 0.65) | {"marker": "", "linewidth": 1.3 if bold else 0.6}
    order = 4 - i / HIGHLIGHTED if bold else 2
    axes.plot(*_points(one, clock), **look, alpha=1.0 if bold else 0.3, zorder=order)


def _end(axes: "Axes", one: Details, clock: str, i: int) -> None:
    """A marker where a trial met the target; a hollow one where it ended without."""
    x, y = _points(one, clock)
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not len(known):
        return
    at = one.trial.hit if one.trial.hit in known else known[-1]
    look = style.line_style(i)
    colours = (look["color"], "white") if one.trial.reached else ("white", look["color"])
    axes.plot(
        x[at], np.clip(y[at], *axes.get_ylim()), marker=look["marker"], markersize=4.5,
        markerfacecolor=colours[0], markeredgecolor=colours[1], markeredgewidth=0.7, zorder=5,
        clip_on=False,
    )  # fmt: skip


def _points(one: Details, clock: str) -> tuple[np.ndarray, np.ndarray]:
    return (one.steps if clock == "steps" else one.seconds), one.metric


def _limit(axes: "Axes", target: WorkloadTarget, shown: Sequence[np.ndarray]) -> None:
    """Axes that show the way to the target; the first steep fall and divergence may lie above."""
    points = np.concatenate(shown, axis=1) if shown else np.empty((2, 0))
    points = points[:, np.isfinite(points).all(axis=0)]
    sign = 1 if target.direction == "minimize" else -1
    heights = sign * points[1]
    best = min([*heights, sign * target.value])
    worst = max(float(np.quantile(heights, _SHOWN)) if len(heights) else 0.0, sign * target.value)
    room = 0.06 * ((worst - best) or abs(best) or 1.0)
    axes.set_ylim(*sorted((sign * (best - room), sign * (worst + room))))
    axes.set_xlim(0, 1.02 * max([*points[0].tolist(), 0.0]) or 1.0)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}")
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=4)


class _Key:
    """Which line is whose, under the panels, in as many lines as it takes."""

    def __init__(self, board: Leaderboard, width: float) -> None:
        named = [row.name for row in board.rows[:HIGHLIGHTED]]
        others = len(board.rows) - len(named)
        self.entries: list[tuple[int | None, str]] = list(enumerate(named))
        if others:
            self.entries.append((None, f"{others} other{'s' if others > 1 else ''}"))
        self.studies, self.places = board.studies, []
        x, line = _AXIS, 0
        for _, name in self.entries:
            needs = 0.36 + style.text_width(name) + 0.16
            if x + needs > width and x > _AXIS:
                x, line = _AXIS, line + 1
            self.places.append((x, line))
            x += needs
        self.height = 0.15 * (line + 1) + 0.2

    def draw(self, page: "Axes", top: float) -> None:
        """Draws it from so many inches below the top edge on."""
        for (i, name), (x, line) in zip(self.entries, self.places, strict=True):
            y = top + 0.15 * (line + 0.5)
            at = [x, x + 0.15, x + 0.3]
            if i is None:
                page.plot(at, [y] * 3, color=PALE, linewidth=0.8)
            else:
                page.plot(at, [y] * 3, markevery=[1], **style.line_style(i, 0.65))
            page.text(x + 0.36, y, name, va="center_baseline")
        studies = "bold: median study; faint: other studies; " if self.studies > 1 else ""
        note = f"{studies}marker: target reached; hollow: ended without; dashed line: target"
        page.text(_AXIS, top + self.height - 0.1, note, va="center_baseline", color=GREY,
                  fontsize=6)  # fmt: skip
