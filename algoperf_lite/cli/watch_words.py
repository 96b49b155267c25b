"""What ``algoperf-lite watch`` says of a situation, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from algoperf_lite.cli.progress import STATUS

if TYPE_CHECKING:
    from algoperf_lite.watching import Ended, Situation
    from scoring.walk import TrialPath


def duration(seconds: float) -> str:
    """Seconds as people say them.

    Example:
        >>> duration(8.4), duration(90), duration(840), duration(8000)
        ('8 s', '90 s', '14 min', '2 h 13 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def headline(situation: Situation, with_left: bool = True) -> str:
    """How far a run is, in a line.

    Args:
        situation: what a look found.
        with_left: whether to say how long it may still take.
    """
    if situation.state == "absent":
        return f"{situation.results}: no such directory yet; waiting for a run to make it"
    if situation.state == "undeclared":
        what = "; ".join(situation.problems) or "no suite.json yet, which a run begins with"
        return f"{situation.results}: {what}"
    failed = f", {len(situation.failures)} failed" if situation.failures else ""
    text = f"{len(situation.ended)} of {situation.declared} trials done{failed}"
    if situation.state == "complete":
        return text
    if situation.state == "idle" and with_left:
        text += ", none is running"
    if with_left and situation.seconds_left is not None:
        text += f", about {duration(situation.seconds_left)} left"
    return text


def failures(situation: Situation) -> list[Text]:
    """A line for each trial that failed, with the reason."""
    return [
        Text(f"! {how(e)}: {which(e.trial)}{because(e)}", style="yellow")
        for e in reversed(situation.failures)
    ]


def how(ended: Ended) -> str:
    """How a trial ended, and its time or steps if it reached the target."""
    word = STATUS.get(ended.status, (ended.status, ""))[0]
    if not math.isfinite(ended.time):
        return word
    if ended.unit == "steps":
        return f"{word} {ended.time:,.0f} steps"
    return f"{word} {ended.time:.2f} s"


def which(trial: TrialPath) -> str:
    """Which trial it is."""
    return f"{trial.submission} on {trial.workload}, study {trial.study} trial {trial.number}"


def because(ended: Ended) -> str:
    """Why a trial failed, to put behind what it is; empty if it did not."""
    return f": {ended.reason}" if ended.reason and ended.failed else ""
