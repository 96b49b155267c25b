"""How cells, times and a leaderboard's notes are worded, wherever they are shown."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from scoring.board import WORDS, Cell, Leaderboard, Row
from scoring.clocks import CLOCKS
from scoring.uncertainty import LEAST_STUDIES

# What the words of `scoring.board.WORDS` mean.
MEANINGS = {
    "missing": "no trial on disk; counts as missed",
    "missed": "the median study missed the target; another word says how most trials ended",
    "too_slow": "reached, but in more than 4 times the fastest; counts as missed",
    "base_missed": "a held-out variant counts only where its base was reached",
    "variant_missed": "counts as missed, as its held-out variant was",
}
# Which rule of the protocol takes a time away that was reached.
RULES = {"too_slow": 2, "base_missed": 1, "variant_missed": 3}
_MOST_NAMED = 3


class Note(NamedTuple):
    """A sentence under a leaderboard.

    Attributes:
        text: the sentence.
        weight: "warning", "plain" or "aside".
    """

    text: str
    weight: str = "aside"


def time_text(time: float, unit: str = "s") -> str:
    """A time to about four figures, with its unit; of steps, the number alone.

    Example:
        >>> time_text(3.14159), time_text(57674.48), time_text(1250, "steps")
        ('3.14 s', '57,674 s', '1,250')
    """
    if unit == "steps":
        return f"{time:,.0f}"
    decimals = 2 if time < 10 else 1 if time < 1000 else 0
    return f"{time:,.{decimals}f} {unit}"


def ratio_text(ratio: float) -> str:
    """A ratio to the fastest: "best" for exactly 1."""
    return "best" if ratio == 1 else f"{ratio:.2f}x"


def speedup_text(row: Row) -> str:
    """A speedup; a dash where a workload was run by nobody."""
    known = row.speedup is not None and math.isfinite(row.speedup)
    return f"{row.speedup:.2f}x" if known else "-"


def span_text(ends: tuple[float, float] | None, form: str) -> str:
    """An interval, or the one number it comes down to; nothing where there is none.

    Example:
        >>> span_text((0.5, 0.75), ".2f"), span_text((1, 1), "d"), span_text(None, "d")
        ('0.50-0.75', '1', '')
    """
    if ends is None:
        return ""
    low, high = (format(end, form) for end in ends)
    return low if low == high else f"{low}-{high}"


def cell_texts(cell: Cell, studies: int, unit: str) -> tuple[str, str]:
    """A time and how it compares; or why there is none, and how often the target was met."""
    if cell.counts:
        return time_text(cell.time, unit), ratio_text(cell.ratio)
    if math.isfinite(cell.time):
        return time_text(cell.time, unit), cell.word
    if cell.state == "missed" and studies > 1:
        undecided = not cell.detail and _undecided(cell, studies)
        word = "incomplete" if undecided else cell.word
        return word, f"met {cell.studies_reached}/{studies}"
    return cell.word, ""


def counted(row: Row, board: Leaderboard) -> int:
    """Base workloads whose target was reached and counts, after the rules."""
    return sum(row.cells[workload].counts for workload in board.base_workloads)


def some_lost(board: Leaderboard) -> bool:
    """Whether the rules take a base workload away from a submission that reached its target."""
    return any(counted(row, board) < row.targets_reached for row in board.rows)


def notes(board: Leaderboard, max_problems: int = 5) -> list[Note]:
    """What a reader of a leaderboard must know: what is missing, what words mean, problems."""
    return [
        *_completeness(board),
        *_meanings(board),
        *_settings(board),
        *_problems(board, max_problems),
    ]


def _undecided(cell: Cell, studies: int) -> bool:
    """Whether studies that were not run yet could still bring the median below infinity."""
    return cell.studies_reached + cell.studies_open > studies // 2


def _completeness(board: Leaderboard) -> Iterator[Note]:
    if not board.complete:
        yield Note(
            f"Incomplete: {board.trials_found} of {board.trials_declared} trials found; "
            "a missing study counts as a miss.",
            "warning",
        )
    if board.trials_noisy and board.clock != "steps":
        yield Note(
            f"Noisy: {board.trials_noisy} of {board.trials_found} trials were timed while the"
            " machine was busy (`show` marks them); --clock robust leaves slow windows out, `rm`"
            " and the same run again times them anew.",
            "warning",
        )
    if board.trials_on_host_loop and board.clock != "steps":
        yield Note(
            f"Host loop: {board.trials_on_host_loop} of {board.trials_found} trials called their"
            " submission from Python once per step, as AlgoPerf does (`show` marks them); that is"
            " on their clock.",
            "plain",
        )
    if board.studies < LEAST_STUDIES:
        count = "1 study" if board.studies == 1 else f"{board.studies} studies"
        yield Note(f"{count}: no intervals; run {LEAST_STUDIES} for a ranking.", "plain")


def _meanings(board: Leaderboard) -> Iterator[Note]:
    yield from _worth_nothing(board)
    if some_lost(board):
        yield Note("counted: of the targets reached, those that the rules let count.")
    states = {cell.state for row in board.rows for cell in row.cells.values()}
    for state in RULES:
        if state in states:
            yield Note(f"{WORDS[state]}: {MEANINGS[state]}.")


def _worth_nothing(board: Leaderboard) -> Iterator[Note]:
    """Submissions that reached targets and score 0 all the same: that looks like an error."""
    rows = [row for row in board.rows if row.score == 0 and row.targets_reached]
    for row in rows[:_MOST_NAMED]:
        reached = [row.cells[w] for w in board.base_workloads if math.isfinite(row.cells[w].time)]
        words = {cell.word or "exactly 4x" for cell in reached}
        targets = "1 target" if len(reached) == 1 else f"{len(reached)} targets"
        why = " or ".join(sorted(words))
        yield Note(f"{row.name} scores 0 though it reached {targets}: {why} there.", "plain")
    if (more := len(rows) - _MOST_NAMED) > 0:
        yield Note(f"So {'does' if more == 1 else 'do'} {more} more.", "plain")


def _settings(board: Leaderboard) -> Iterator[Note]:
    if board.studies >= LEAST_STUDIES:
        yield Note(f"95%: intervals by bootstrap over {board.studies} studies.")
    if board.clock != "time":
        yield Note(f"Clock: {board.clock}, {CLOCKS[board.clock]}.")
    if board.ruleset is not None:
        yield Note(f"Ruleset: {board.ruleset} only, ranked among themselves.")
    if board.baseline is not None:
        yield Note(
            f"speedup: over {board.baseline}, geometric mean over workloads; a miss counts at"
            " the budget, without one where its workload's logs end."
        )
    if board.integration != "exact":
        yield Note(f"Integration: {board.integration}.")


def _problems(board: Leaderboard, most: int) -> Iterator[Note]:
    """Problems, those that say the same in one line."""
    paths: dict[str, list[str]] = {}
    for problem in board.problems:
        paths.setdefault(problem.what, []).append(problem.path)
    for what, where in list(paths.items())[:most]:
        times = "" if len(where) == 1 else f" (and {len(where) - 1} more like it)"
        yield Note(f"! {where[0]}: {what}{times}", "warning")
    if (more := sum(map(len, list(paths.values())[most:]))) and most:
        yield Note(f"! and {more} more such problems (--json lists all).", "warning")
