"""Where the seconds of a trial go: on the clock and off it, a bar for each submission."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from scoring.board import Leaderboard
from scoring.details import Details
from scoring.figures import style
from scoring.figures.style import GREY, INK, PAGE, PALE, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PITCH = 0.15  # inches between two rows
_VISIBLE = 0.002  # of the longest bar: what takes less of every bar is left out
# Dark is on the clock, hatched is off it; each differs from its neighbours in grey.
_LOOKS: dict[str, dict[str, Any]] = {
    "update": {"facecolor": "#00456F"},
    "data": {"facecolor": "#E69F00"},
    "eval_params, on_eval": {"facecolor": "#A9D0EC"},
    "on the clock": {"facecolor": "#00456F"},
    "compile (off)": {"facecolor": "white", "hatch": "//////", "edgecolor": GREY},
    "evaluation (off)": {"facecolor": "white", "hatch": ".....", "edgecolor": GREY},
}


def clock_figure(board: Leaderboard, details: Sequence[Details], width: float = PAGE) -> "Figure":
    """Mean seconds of a submission's trials, split into what they were spent on.

    Trials that were not timed are left out, since their seconds mean nothing. Those whose records
    do not split the time on the clock, as AlgoPerf's own logs, show it whole.

    Args:
        board: from `scoring.score`; its order is that of the bars.
        details: of its trials.
        width: of the figure in inches.
    """
    of: dict[str, list[Details]] = {}
    for one in details:
        if one.trial.timed:
            of.setdefault(one.trial.submission, []).append(one)
    spent = [mean_seconds(of.get(row.name, ())) for row in board.rows]
    most = max([1e-9, *(sum(of_row.values()) for of_row in spent)])
    least = _VISIBLE * most
    parts = [part for part in _LOOKS if any(of_row.get(part, 0) > least for of_row in spent)]
    names = 0.05 + style.widest(["submission", *(row.name for row in board.rows)])
    tall = _PITCH * len(board.rows)
    figure = style.canvas(width, 0.05 + tall + 0.6)
    axes = style.panel(figure, names + 0.1, 0.05, width - names - 0.25, tall)
    style.dress(axes)
    axes.set_ylim(len(board.rows) - 0.5, -0.5)
    axes.set_yticks([])
    axes.locator_params(axis="x", nbins=6)
    axes.xaxis.set_major_formatter(lambda x, _: f"{x / 1000:g}k" if x >= 1000 else f"{x:g}")
    axes.set_xlabel("seconds of a trial, mean over all", fontsize=SMALL)
    page = style.sheet(figure)
    for i, row in enumerate(board.rows):
        page.text(names, 0.05 + (i + 0.5) * _PITCH, row.name, ha="right", va="center_baseline")
        _bar(axes, i, spent[i], parts)
    axes.set_xlim(0, 1.03 * most)
    _key(page, parts, names + 0.1, 0.05 + tall + 0.5)
    return figure


def mean_seconds(trials: Sequence[Details]) -> dict[str, float]:
    """Mean seconds of trials by what they were spent on; empty without trials.

    Example:
        >>> mean_seconds([])
        {}
    """
    total: dict[str, float] = {}
    for one in trials:
        for part, seconds in _seconds(one).items():
            total[part] = total.get(part, 0.0) + (seconds or 0.0)
    return {part: seconds / len(trials) for part, seconds in total.items()}


def _seconds(one: Details) -> dict[str, float | None]:
    clock, off = one.record.get("clock"), one.record.get("off_clock") or {}
    evaluation = off.get("evaluation", one.evaluation_seconds)
    if not clock:
        return {"on the clock": one.on_clock, "evaluation (off)": evaluation}
    return {
        "update": clock.get("update"),
        "data": clock.get("data"),
        "eval_params, on_eval": clock.get("eval_params", 0.0) + clock.get("on_eval", 0.0),
        "compile (off)": off.get("compile"),
        "evaluation (off)": evaluation,
    }


def _bar(axes: "Axes", i: int, spent: dict[str, float], parts: Sequence[str]) -> None:
    start = 0.0
    for part in parts:
        look = {"edgecolor": "white", "linewidth": 0.3} | _LOOKS[part]
        axes.barh(i, spent.get(part, 0.0), 0.72, left=start, **look)
        start += spent.get(part, 0.0)


def _key(page: "Axes", parts: Sequence[str], x: float, y: float) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415

    for part in parts:
        look = {"edgecolor": PALE, "linewidth": 0.5} | _LOOKS[part]
        page.add_patch(Rectangle((x, y - 0.05), 0.2, 0.1, **look))
        page.text(x + 0.25, y, part, va="center_baseline", color=INK, fontsize=6)
        x += 0.25 + style.text_width(part, 6) + 0.15
