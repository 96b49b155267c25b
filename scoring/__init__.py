"""Scoring: pure functions from the records of trials to a leaderboard.

    from scoring import score
    board = score("results/demo")
    board.rows[0].name, board.rows[0].score

The package knows records, not the harness: it imports no JAX, and arrow, rich and matplotlib only
in the functions that need them.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "compare": "scoring.comparing.compare",
    "Cell": "scoring.board",
    "Leaderboard": "scoring.board",
    "Row": "scoring.board",
    "score": "scoring.leaderboard",
    "performance_profiles": "scoring.figures",
    "write_figures": "scoring.figures",
    "to_csv": "scoring.exports",
    "to_markdown": "scoring.exports",
    "leaderboard_view": "scoring.tables",
    "Suite": "scoring.suite",
    "write_report": "scoring.report.page",
    "load_suite": "scoring.suite",
}
__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'scoring' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
