"""A comparison on a terminal, by rich, and as Markdown."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from scoring.clocks import CLOCKS, unit
from scoring.comparing.comparison import MARKS, Comparison, Report, Side, Times, WorkloadComparison
from scoring.comparing.paired import LEAST_PAIRS, LEVEL
from scoring.text import markdown_text, printable
from scoring.wording import time_text

_STYLES = {"+": "red", "!": "red bold", "-": "green", "*": "green bold", "x": "yellow", ".": "dim"}
_HEADERS = ("", "workload", "A", "95%", "B", "95%", "B/A", "95%", "p")
_VERDICTS = {
    "+": "B slower",
    "-": "B faster",
    "~": "not significant",
    "?": "too few studies",
    ".": "both missed all targets",
    "x": "nothing is comparable",
}
_INTERVALS = (3, 5, 7)  # columns, each of the column before it


@dataclass(frozen=True)
class ReportView:
    """A report that rich can print."""

    report: Report
    max_problems: int = 5

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        for comparison in self.report.comparisons:
            yield _heading("A", comparison.a)
            yield _heading("B", comparison.b)
            yield ""
            table = _table(comparison, self.report.clock, wide=True)
            if console.measure(table, options=options.update_width(10_000)).maximum > width:
                table = _table(comparison, self.report.clock, wide=False)
            yield table
            yield ""
            yield _overall(comparison)
            for line in row_notes(comparison):
                yield Text(printable(line))
            for note in comparison.notes:
                yield Text(printable(f"Note: {note}."))
            yield ""
        if len(self.report.comparisons) > 1:
            yield _overview(self.report)
            yield ""
        for line in legend(self.report):
            yield Text(line, style="dim")
        for note in self.report.notes:
            yield Text(printable(f"Note: {note}."))
        problems = self.report.problems
        for problem in problems[: self.max_problems]:
            yield Text(printable(f"! {problem}"), style="yellow")
        if (more := len(problems) - self.max_problems) > 0:
            yield Text(f"! and {more} more such problems (--json lists all).", style="yellow")


def markdown(report: Report) -> str:
    """The report as Markdown, a table for each submission."""
    lines = []
    for comparison in report.comparisons:
        for label, side in (("A", comparison.a), ("B", comparison.b)):
            lines += [f"**{label}**: {markdown_text(f'{side.path}, {side.submission}')}  "]
        lines.append("")
        lines += [_pipes(_HEADERS), _pipes(["---"] * 2 + ["---:"] * (len(_HEADERS) - 2))]
        for row in comparison.workloads:
            mark, *cells = _cells(row, report.clock)
            lines.append(_pipes([f"`{mark}`", *map(markdown_text, cells)]))
        lines += ["", _overall(comparison).plain, ""]
        lines += _listed([*row_notes(comparison), *comparison.notes])
        lines.append("")
    lines += _listed([*legend(report), *report.notes, *map(str, report.problems)])
    return "\n".join(lines) + "\n"


def _listed(texts: Sequence[str]) -> list[str]:
    return [f"- {markdown_text(text)}" for text in texts]


def row_notes(comparison: Comparison) -> list[str]:
    """Notes on workloads, one line for all that share one, with their mark."""
    named: dict[tuple[str, str], list[str]] = {}
    for row in comparison.workloads:
        for note in row.notes:
            named.setdefault((row.mark, note), []).append(row.workload)
    everywhere = len(comparison.workloads)
    return [
        f"{mark} {'all workloads' if len(names) == everywhere > 1 else ', '.join(names)}: {note}"
        for (mark, note), names in named.items()
    ]


def legend(report: Report) -> Iterator[str]:
    """What the marks that occur mean, and what the numbers are."""
    rows = [row for comparison in report.comparisons for row in comparison.workloads]
    used = [mark for mark in MARKS if any(row.mark == mark for row in rows)]
    yield "; ".join(f"{mark} {MARKS[mark]}" for mark in used) + "."
    tests = sum(math.isfinite(row.p) for row in rows)
    if tests:
        yield (
            "B/A: geometric mean over the studies that both reached; each 95% interval is of one"
            f" workload alone. p: paired t-test of the logarithms, corrected for {tests}"
            f" test{'s' * (tests > 1)} (Holm). Marked + or -: p below {LEVEL:g}, and"
            f" {report.at_least:g} times apart or more."
        )
    if report.clock != "time":
        yield f"Clock: {report.clock}, {CLOCKS[report.clock]}."


def _heading(label: str, side: Side) -> Text:
    known = side.path.rstrip("/").endswith(side.submission)
    name = "" if known else printable(f"  {side.submission}")
    return Text(printable(f"{label}  {side.path}"), style="bold").append(name)


def _table(comparison: Comparison, clock: str, wide: bool) -> Table:
    """Nine columns, or intervals under their numbers where there is little room."""
    rows = [_cells(row, clock) for row in comparison.workloads]
    filled = [i for i in range(len(_HEADERS)) if i == 0 or any(row[i] for row in rows)]
    stacked = not wide and any(i in filled for i in _INTERVALS)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    columns = [i for i in filled if not (stacked and i in _INTERVALS)]
    for i in columns:
        justify = "left" if i < 2 else "right"
        table.add_column(_HEADERS[i], justify=justify, overflow="fold", no_wrap=i != 1)
    for row, texts in zip(comparison.workloads, rows, strict=True):
        style = _STYLES.get(row.mark, "")
        cells = [Text(text, style="dim" if i in _INTERVALS else "") for i, text in enumerate(texts)]
        cells[0].stylize(style)
        cells[6].stylize(style if row.mark in "+-" else "")
        if stacked:
            for i in _INTERVALS:
                cells[i - 1] = Text("\n").join([cells[i - 1], cells[i]])
        table.add_row(*(cells[i] for i in columns))
    return table


def _overview(report: Report) -> Table:
    """A line for each submission: how many workloads have which mark, and all together."""
    marks = [m for m in MARKS if any(r.mark == m for c in report.comparisons for r in c.workloads)]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("submission", overflow="fold")
    for header in [*marks, "B/A", "p"]:
        table.add_column(header, justify="right")
    table.add_column("all workloads")
    for comparison in report.comparisons:
        found = Counter(row.mark for row in comparison.workloads)
        ratio, (verdict, style) = comparison.overall.ratio, _verdict(comparison)
        table.add_row(
            printable(comparison.name),
            *(Text(str(found[m] or ""), style=_STYLES.get(m, "")) for m in marks),
            "" if math.isnan(ratio) else f"{ratio:.2f}",
            _p_text(comparison.p),
            Text(verdict, style=style),
        )
    return table


def _cells(row: WorkloadComparison, clock: str) -> list[str]:
    ratio = row.ratio
    return [
        row.mark,
        row.workload,
        *_times(row.a, clock),
        *_times(row.b, clock),
        "" if math.isnan(ratio.ratio) else f"{ratio.ratio:.2f}",
        "" if ratio.interval is None else "-".join(f"{end:.2f}" for end in ratio.interval),
        _p_text(row.p),
    ]


def _times(times: Times, clock: str) -> tuple[str, str]:
    if math.isnan(times.median):
        return "", ""
    if not times.reached:
        return "missed", ""
    of = unit(clock)
    if times.interval is None:
        return time_text(times.median, of), ""
    ends = (time_text(end, of).removesuffix(f" {of}") if math.isfinite(end) else "missed"
            for end in times.interval)  # fmt: skip
    return time_text(times.median, of), "-".join(ends)


def _p_text(p: float) -> str:
    if math.isnan(p):
        return ""
    return "<.001" if p < 0.001 else f"{p:.3f}"


def _verdict(comparison: Comparison) -> tuple[str, str]:
    """What all workloads together say, and the style to say it in."""
    mark = comparison.mark
    if mark == "~" and comparison.p < LEVEL:
        return "significant, but too little to count", ""
    return _VERDICTS[mark], _STYLES.get(mark, "")


def _overall(comparison: Comparison) -> Text:
    """One line on all workloads together."""
    overall, text = comparison.overall, Text("All workloads: ", style="bold")
    verdict, style = _verdict(comparison)
    text.append(verdict, style or "not bold")
    if overall.pairs < LEAST_PAIRS:
        if comparison.mark == "?":
            count = "1 pair" if overall.pairs == 1 else f"{overall.pairs} pairs"
            text.append(f": {count} of (workload, study), {LEAST_PAIRS} are needed", "not bold")
        return text.append(".", "not bold")
    ratio = ""
    if math.isfinite(overall.ratio):
        ends = overall.interval and f" ({overall.interval[0]:.2f}-{overall.interval[1]:.2f})"
        ratio = f", B/A {overall.ratio:.2f}{ends or ''} where both reached"
    missed = [
        f"{name} alone missed {count}"
        for name, count in (("A", overall.missed_by_a), ("B", overall.missed_by_b))
        if count
    ]
    text.append(
        f"{ratio}; p = {comparison.p:.2g}, signed ranks of {overall.pairs} pairs"
        f"{''.join(f', {what}' for what in missed)}.",
        "not bold",
    )
    return text


def _pipes(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
