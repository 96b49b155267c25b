"""The live display of a run: a row per trial that is running or has just ended."""

from __future__ import annotations

import math
from time import monotonic
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from algoperf_lite.environment import device_name
from algoperf_lite.targets import NEVER

REDRAW_SECONDS = 1.0
WIDTH_OF_NUMBERS = 54  # characters of all columns but the names, and the gaps
STATUS = {
    "running": ("running", ""),
    "target_reached": ("reached", "green"),
    "budget_exhausted": ("missed", "yellow"),
    "diverged": ("diverged", "red"),
    "error": ("error", "red"),
    "invalid": ("invalid", "red"),
    "stopped": ("stopped", "yellow"),
}


class ProgressView:
    """Draws a run's events on a terminal; where there is none, prints a line per ended trial.

    It redraws when an event comes, at most once in `REDRAW_SECONDS`: the trial that is being timed
    runs on the same processor.

    Args:
        console: where to draw; standard error in the command line.
    """

    def __init__(self, console: Console):
        self._console = console
        self._targets: dict[str, dict[str, Any]] = {}
        self._rows: dict[tuple, dict[str, Any]] = {}
        self._warned: set[str] = set()
        self._todo = 0
        self._doing = "starting"
        self._drawn = -math.inf
        self._live = (
            Live(console=console, auto_refresh=False, transient=True, get_renderable=self.render)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> ProgressView:
        if self._live:
            self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type | None, *exc: object) -> None:
        if self._live:
            self._live.stop()
        if kind is not None and self._rows:
            ended = sum(row["status"] != "running" for row in self._rows.values())
            self._console.print(f"{ended} of {self._todo} trials done before this")

    def observe(self, event: dict[str, Any]) -> None:
        """Take in one event of `study.run`."""
        kind = event["event"]
        getattr(self, f"_on_{kind}")(event)
        now = monotonic()
        if self._live and (kind != "progress" or now - self._drawn >= REDRAW_SECONDS):
            self._live.refresh()
            self._drawn = now

    def _on_plan(self, event: dict[str, Any]) -> None:
        self._targets |= {w["name"]: w["target"] for w in event["workloads"]}
        self._todo += event["todo"]  # a command may run several plans
        recorded = len(event["trials"]) - event["todo"]
        self._console.print(
            f"trials: {len(event['trials'])}, {recorded} already recorded, on"
            f" {device_name(event['environment'])}",
            soft_wrap=True,
        )

    def _on_start(self, event: dict[str, Any]) -> None:
        self._rows[_identity(event["trial"])] = dict(event["trial"]) | {"status": "running"}
        self._doing = "starting"

    def _on_progress(self, event: dict[str, Any]) -> None:
        self._doing = event.get("doing", "training")
        if "step" in event:
            report = {key: event[key] for key in ("step", "seconds", "value")}
            self._rows[_identity(event["trial"])].update(report)

    def _on_done(self, event: dict[str, Any]) -> None:
        row, record = self._rows[_identity(event["trial"])], event["record"]
        row["status"], row["reason"] = record["status"], record.get("reason")
        if record["status"] == "error" and record.get("steps"):
            row["step"], row["seconds"] = record["steps"], record.get("seconds")
        failed = record["status"] in ("error", "invalid", "diverged")
        if failed or not self._live:  # say why, and keep it
            self._console.print(self._line(row), soft_wrap=True)
        self._warn_of_unread(row["submission_name"], record.get("unread_hyperparameters"))

    def _warn_of_unread(self, submission: str, names: list[str] | None) -> None:
        if names and submission not in self._warned:
            self._warned.add(submission)
            text = f"warning: {submission} never reads {', '.join(names)}"
            self._console.print(Text(text, "yellow"), soft_wrap=True)

    def render(self) -> Group:
        """The table as it stands, of as many trials as the screen has room for."""
        rows = list(self._rows.values())
        ended = sum(row["status"] != "running" for row in rows)
        running = len(rows) - ended
        doing = self._doing if running < 2 else f"{running} running side by side"
        footer = Text(f"{ended} of {self._todo} trials done, {doing}")
        if not rows:
            return Group(footer)
        table = Table(box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
        room_for_names = (self._console.width - WIDTH_OF_NUMBERS) // 2
        for name in ("workload", "submission"):
            table.add_column(name, no_wrap=True, max_width=max(8, room_for_names))
        for name in ("trial", "step", "metric / target", "on-clock", "left"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("status", no_wrap=True)
        room = max(3, self._console.height - 5)
        rows.sort(key=lambda row: row["status"] == "running")
        for row in rows[-room:]:
            table.add_row(*self._cells(row), style="bold" if row["status"] == "running" else "")
        return Group(table, footer)

    def _cells(self, row: dict[str, Any]) -> list[Any]:
        target = self._targets.get(row["workload_name"], {"value": math.nan})
        seconds = row.get("seconds", 0.0)
        budget = row.get("budget_seconds") if row.get("timed", True) else None
        steps_left = (row.get("max_steps") or 0) - row.get("step", 0)
        left = f"{max(0.0, budget - seconds):.1f} s" if budget else f"{steps_left} steps"
        value = f"{row['value']:.4f}" if "value" in row else "-"
        word, style = STATUS.get(row["status"], (row["status"], ""))
        goal = f"{target['value']:g}"
        if abs(target["value"]) >= NEVER:
            goal = "none"
            word, style = ("done", "") if word == "missed" else (word, style)
        return [
            row["workload_name"],
            row["submission_name"],
            f"{row['study']}/{row['trial']}",
            str(row.get("step", 0)),
            f"{value} / {goal}",
            "" if seconds is None else f"{seconds:.2f} s",
            left,
            Text(word, style),
        ]

    def _line(self, row: dict[str, Any]) -> str:
        cells = [str(cell) for cell in self._cells(row)]
        metric = self._targets.get(row["workload_name"], {"metric": ""})["metric"]
        reason = f" ({row['reason']})" if row.get("reason") else ""
        return (
            f"{cells[0]} {cells[1]} study {row['study']} trial {row['trial']}:"
            f" {row['status']}{reason} at step {', '.join(filter(None, (cells[3], cells[5])))},"
            f" {metric} {cells[4]}"
        )


def _identity(trial: dict[str, Any]) -> tuple:
    return tuple(trial[key] for key in ("submission_name", "workload_name", "study", "trial"))
