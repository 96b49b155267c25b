"""Figures of a leaderboard by matplotlib, for papers: PDF, SVG and PNG, always the same bytes.

Nothing is told by colour alone: dashes, markers, hatches and numbers say it in grey too.
"""

from scoring.figures.profiles import performance_profiles
from scoring.figures.style import COLOURS, DASHES, GREY, INK, MARKERS
from scoring.figures.write import write_figures

__all__ = [
    "COLOURS",
    "DASHES",
    "GREY",
    "INK",
    "MARKERS",
    "performance_profiles",
    "write_figures",
]
