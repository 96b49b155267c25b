"""What ``algoperf-lite watch`` draws: the standings, the trial that runs, those that ended last."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from algoperf_lite.cli.progress import STATUS
from algoperf_lite.cli.watch_words import because, duration, headline, how, which

if TYPE_CHECKING:
    from algoperf_lite.watching import Running, Situation
    from scoring.live import Standing, Standings

QUIET_SECONDS = 60.0  # without a sign of life before it is remarked on
LAST = 4  # trials that ended last
FAILURES = 3
PROBLEMS = 2
NAME = 26  # columns of a submission's name
BAR = 24
PIECE = 6  # characters of a workload's name in the head of a column, from between two underscores
_FIXED_LINES = 19  # of a drawing, besides the submissions


class LiveView:
    """Draws each situation over the one before, on a terminal.

    Args:
        console: the terminal.
    """

    def __init__(self, console: Console):
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._kept: tuple[Standings | None, _Kept | None] = None, None

    def __enter__(self) -> LiveView:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def show(self, situation: Situation) -> None:
        """Draw it."""
        self._console.width = shutil.get_terminal_size().columns  # it may have been resized
        height, found = self._console.height, situation.standings
        if found is not self._kept[0]:
            self._kept = found, found and _Kept(_standings(situation, height))
        self._live.update(drawing(situation, time.time(), height, self._kept[1]), refresh=True)


class _Kept:
    """What is laid out once for each width: a table costs more than all else that is drawn."""

    def __init__(self, renderable: RenderableType):
        self._renderable = renderable
        self._width = 0
        self._segments: list[Segment] = []

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.max_width != self._width:
            self._width = options.max_width
            self._segments = list(console.render(self._renderable, options))
        yield from self._segments


class LineView:
    """Prints a line per change, where there is no terminal: into a file or a pipe.

    Args:
        console: where to.
    """

    def __init__(self, console: Console):
        self._console = console
        self._told: set[tuple] | None = None
        self._headline = ""

    def __enter__(self) -> LineView:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def show(self, situation: Situation) -> None:
        """Print what is new; of the trials that had ended before the first look, their number."""
        ended = {(e.trial.identity, e.at): e for e in situation.ended}
        new = [] if self._told is None else [e for k, e in ended.items() if k not in self._told]
        now = headline(situation, with_left=False)
        if new or now != self._headline:
            what = [f"{how(e)} {which(e.trial)}{because(e)}" for e in reversed(new)]
            self._console.print("; ".join([headline(situation), *what]), soft_wrap=True)
        if situation.state != "absent":
            self._told = set(ended)
        self._headline = now


def drawing(
    situation: Situation, now: float, height: int, table: RenderableType | None = None
) -> RenderableType:
    """A situation, to fit a screen of so many lines.

    Args:
        situation: what a look found.
        now: seconds since 1970, for ages.
        height: lines; of more submissions than there is room for, the best are drawn.
        table: its standings, where they have been drawn before.
    """
    parts: list[RenderableType] = [_head(situation)]
    if situation.running:
        parts += ["", _now(situation.running)]
    if situation.standings:
        parts += ["", table or _standings(situation, height)]
    if situation.ended:
        parts += ["", _ended(situation, now)]
    quiet = now - situation.sign_of_life if situation.sign_of_life else 0.0
    if situation.state in ("running", "idle") and quiet > QUIET_SECONDS:
        parts.append(Text(f"Nothing has been written for {duration(quiet)}.", style="yellow"))
    parts += [_one_line(f"! {problem}", "yellow") for problem in situation.problems[:PROBLEMS]]
    return Group(*parts)


def _head(situation: Situation) -> RenderableType:
    if not situation.declared:
        return Text(headline(situation))
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(_bar(len(situation.ended) / situation.declared), _one_line(headline(situation)))
    return row


def _bar(part: float) -> ProgressBar:
    return ProgressBar(total=1.0, completed=part, width=BAR)


def _now(running: Running) -> RenderableType:
    """The trial that runs: which, how far, how well."""
    steps = f"step {running.step or 0:,}"
    steps += f" of {running.max_steps:,}" if running.max_steps else ""
    budget = f" of {running.budget:.2f} s" if running.budget else ""
    clock = "" if running.seconds is None else f", {running.seconds:.2f} s{budget} on the clock"
    progress = Table.grid(padding=(0, 2, 0, 0))
    bar = [] if running.part is None else [_bar(running.part)]
    progress.add_row(*bar, _one_line(steps + clock))
    value = "not a number" if running.value is None else f"{running.value:.4f}"
    value = "no evaluation yet" if running.step is None else f"{running.target.metric} {value}"
    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(style="bold", no_wrap=True)
    shown.add_row("now", _one_line(which(running.trial)))
    shown.add_row("", progress)
    shown.add_row("", _one_line(f"{value}, target {running.target.value:g}"))
    return shown


@dataclass(frozen=True)
class _Standings:
    """The leaderboard so far, with as many workloads as there is width for, and what it means."""

    found: Standings
    room: int
    final: bool
    clock: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found, rows = self.found, self.found.rows
        if not found.base:
            yield Text("No standings yet: no trial that all submissions have finished.", "dim")
            return
        more = len(rows) - self.room + 1 if len(rows) > self.room else 0
        rows = rows[: len(rows) - more]
        shown = _that_fit(found, options.max_width)
        yield _table(found, rows, shown)
        if more:
            yield Text(f"and {more} more submissions", "dim")
        yield Text(_meaning(found, len(shown), self.final, self.clock), "dim")


def _standings(situation: Situation, height: int) -> _Standings:
    room = max(3, height - _FIXED_LINES)
    final = situation.state == "complete"
    return _Standings(situation.standings, room, final, situation.clock)


def _that_fit(found: Standings, width: int) -> list[str]:
    """Workloads, in the suite's order, that have room beside what every row starts with."""
    names = min(max(len(row.name) for row in found.rows), NAME)
    trials = max(len(_trials(row)) for row in found.rows)
    left = width - sum(2 + w for w in (1, max(names, 10), 6, 7, max(trials, 6))) + 2
    shown = []
    for workload in found.workloads:
        left -= 2 + max(6, *map(len, _pieces(workload)))
        if left < 0:
            break
        shown.append(workload)
    return shown


def _table(found: Standings, rows: Sequence[Standing], shown: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("submission", max_width=NAME, no_wrap=True, overflow="ellipsis")
    for head in ("score", "reached", "trials", *("\n".join(_pieces(w)) for w in shown)):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*_cells(row, found, shown))
    return table


def _cells(row: Standing, found: Standings, shown: Sequence[str]) -> list[Text]:
    if row.score is None:
        return [Text(text, "dim") for text in ("", row.name, "-", "-", _trials(row))]
    cells = [f"{row.rank}", row.name, f"{row.score:.4f}", f"{row.reached}/{len(found.workloads)}"]
    ratios = [_ratio(row.times[workload], row.ratios[workload]) for workload in shown]
    return [*map(Text, cells), Text(_trials(row)), *ratios]


def _trials(row: Standing) -> str:
    return f"{row.finished}/{row.owed}"


def _ratio(time: float, ratio: float) -> Text:
    if math.isfinite(ratio):
        return Text("best", style="green") if ratio == 1 else Text(f"{ratio:.2f}")
    return Text("out" if math.isfinite(time) else "missed", style="red")


def _pieces(workload: str) -> list[str]:
    """A workload's name as the head of a narrow column.

    Example:
        >>> _pieces("rewrite_transformer")
        ['rewrit', 'transf']
    """
    return [piece[:PIECE] for piece in workload.split("_") if piece]


def _meaning(found: Standings, shown: int, final: bool, clock: str) -> str:
    begun = sum(row.score is not None for row in found.rows)
    who = "all submissions" if begun == len(found.rows) else f"the {begun} submissions begun"
    text = (
        "Over all declared trials."
        if final
        else f"Provisional: over {found.compared} trials, those that {who} have finished, on"
        f" {_workloads(len(found.workloads))}; what has not run is no miss."
    )
    if shown:
        text += f" {'Steps' if clock == 'steps' else 'Times'} relative to the fastest."
    if hidden := len(found.workloads) - shown:
        text += f" {_workloads(hidden, ' more')} on a wider screen."
    return text


def _workloads(count: int, more: str = "") -> str:
    return f"{count}{more} workload{'s' if count > 1 else ''}"


def _ended(situation: Situation, now: float) -> RenderableType:
    """The trials that ended last, and the failures that are not among them."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    last = situation.ended[:LAST]
    failed = [e for e in situation.failures if e not in last][:FAILURES]
    for title, group in (("last", last), ("failed", failed)):
        for i, e in enumerate(group):
            _, style = STATUS.get(e.status, (e.status, ""))
            ago = f"{duration(max(0.0, now - e.at))} ago"
            what = _one_line(f"{which(e.trial)}{because(e)}")
            table.add_row("" if i else title, ago, Text(how(e), style), what)
    return table


def _one_line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
