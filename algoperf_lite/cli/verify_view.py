"""What verifying found, on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from algoperf_lite.environment import device_name
from algoperf_lite.verifying import Verdict, Verification

_WORDS = {
    "equal": ("reproduces", "green"),
    "close": ("reproduces", "green"),
    "differs": ("differs", "red"),
    "altered": ("altered", "red"),
    "unverifiable": ("cannot be verified", "yellow"),
}


def verification_view(found: Verification) -> Iterator[RenderableType]:
    """A line for each trial, why, and what it comes to."""
    where = f" on {device_name(found.environment)}" if found.environment else ""
    yield Text(found.results, style="bold").append(f"  run again{where}", "not bold")
    if found.verdicts:
        yield ""
        yield _table(found.verdicts)
    yield Text(_summary(found), style="" if found.ok else "red")
    if found.left_out:
        counts = ", ".join(f"{n} {status}" for status, n in sorted(found.left_out.items()))
        yield Text(f"Left out, as they do not score: {counts}.", style="dim")
    yield Text(
        f"Times are not verified. The same draw: --seed {found.seed}, of {found.trials} trials.",
        style="dim",
    )


def _table(verdicts: tuple[Verdict, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name in ("workload", "submission", "trial"):
        table.add_column(name, overflow="fold", ratio=2 if name != "trial" else None)
    table.add_column("steps", justify="right", no_wrap=True)
    table.add_column("verdict", overflow="fold", ratio=5)
    for verdict in verdicts:
        word, style = _WORDS[verdict.outcome]
        table.add_row(
            verdict.workload,
            verdict.submission,
            f"{verdict.study}/{verdict.trial}",
            f"{verdict.steps:,}" if isinstance(verdict.steps, int) else "",
            Text(word, style).append(_details(verdict), "default"),
        )
    return table


def _details(verdict: Verdict) -> str:
    if verdict.outcome == "equal":
        return f", bit-equal at {_count(verdict.evaluations, 'evaluation')}"
    if verdict.outcome == "close":
        largest = f" within {verdict.difference.largest:.1e}" if verdict.difference else ""
        return f"{largest} at {_count(verdict.evaluations, 'evaluation')} ({verdict.reason})"
    separator = " " if verdict.outcome == "differs" else ": "
    return f"{separator}{verdict.reason}"


def _summary(found: Verification) -> str:
    counts = Counter(_WORDS[verdict.outcome][0] for verdict in found.verdicts)
    if not counts:
        return "No trial there has trained to its end, so none can be verified."
    told = ", ".join(f"{n} {_plural(word) if n > 1 else word}" for word, n in counts.items())
    none = "" if any(v.outcome != "unverifiable" for v in found.verdicts) else " None was verified."
    return f"{_count(len(found.verdicts), 'trial')}: {told}.{none}"


def _plural(word: str) -> str:
    return word.removesuffix("s")  # reproduces, differs


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
