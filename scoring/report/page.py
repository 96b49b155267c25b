"""A report as one HTML file that asks nothing of any network: a template with everything inlined.

The page draws itself from the object of `scoring.report.payload`. What records say is untrusted:
it enters the page as JSON in an inert element, and the scripts only ever put it there as text.
"""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from algoperf_lite.errors import UsageError, unwritable_output
from scoring.report.payload import payload
from scoring.suite import Suite

STYLES = (
    "base.css", "layout.css", "controls.css", "tables.css", "heatmap.css", "details.css",
    "media.css",
)  # fmt: skip
SCRIPTS = (
    "dom.js", "format.js", "model.js", "view.js", "theme.js", "styles.js", "charts.js",
    "command.js", "legend.js", "header.js", "leaderboard.js", "profiles.js", "heatmap.js",
    "cell.js", "curves.js", "trials.js", "clocks.js", "points.js", "noise.js", "failures.js",
    "environment.js", "main.js",
)  # fmt: skip
"""The page's own style sheets and scripts, each joined in this order into one."""

MARK = b'<meta name="generator" content="algoperf_lite">'
"""What tells our pages, which may be replaced, from other files."""
_MARK_WITHIN = 512


@dataclass(frozen=True)
class Written:
    """A report that was written.

    Attributes:
        path: of the file.
        bytes: its size.
        plotly_bytes: what of that is the plotting library.
        trials: how many trials it shows.
        problems: how many files or directories could not be counted.
        seconds: what reading, scoring and writing took.
    """

    path: Path
    bytes: int
    plotly_bytes: int
    trials: int
    problems: int
    seconds: float


def write_report(
    results_dir: str | Path,
    path: str | Path = "report.html",
    suite: str | Path | Suite | None = None,
    *,
    title: str | None = None,
    written: str | None = None,
    integration: str = "exact",
    clock: str = "time",
    baseline: str | None = None,
) -> Written:
    """Writes the report of a results directory; a file that is there is replaced whole.

    Args:
        results_dir: see `scoring.score`.
        path: of the page; missing directories are made.
        suite: see `scoring.score`.
        title: of the page; by default it names the directory.
        written: when, as text, or None.
        integration: see `scoring.score`.
        clock: see `scoring.score`.
        baseline: see `scoring.score`.

    Raises:
        UsageError: see `scoring.score`; or what is there already is no report.
        MachineError: the file cannot be written.

    Example:
        >>> write_report("results/demo", "report.html").bytes  # doctest: +SKIP
    """
    start = time.perf_counter()
    path = Path(path)
    _refuse_to_replace(path)
    content = payload(
        results_dir,
        suite,
        title=title,
        written=written,
        integration=integration,
        clock=clock,
        baseline=baseline,
    )
    library = plotly()
    page = render(content, library).encode()
    _replace(path, page)
    return Written(
        path=path,
        bytes=len(page),
        plotly_bytes=len(library.encode()),
        trials=len(content["trials"]["rows"]),
        problems=len(content["problems"]),
        seconds=time.perf_counter() - start,
    )


def render(content: Mapping[str, Any], library: str | None = None) -> str:
    """The page of a report.

    Args:
        content: from `scoring.report.payload.payload`.
        library: plotly's script; by default the one that the Python package carries.
    """
    parts = {
        "title": escape(content["title"]),
        "style": "\n".join(asset(name) for name in STYLES),
        "theme": asset("first_paint.js"),
        "payload": as_inert_json(content),
        "plotly": plotly() if library is None else library,
        "script": "\n".join(asset(name) for name in SCRIPTS),
    }
    # In one pass, so that nothing inside a part is taken for a place to fill.
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], asset("report.html"))


def as_inert_json(content: Any) -> str:
    r"""JSON that can stand inside a script element: nothing in it can end the element.

    Example:
        >>> as_inert_json({"name": "</script>"})
        '{"name":"\\u003c/script>"}'
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def asset(name: str) -> str:
    """The text of a file of the page."""
    return (files("scoring.report") / "assets" / name).read_text(encoding="utf-8")


def plotly() -> str:
    """The plotting library, as the Python package `plotly` carries it."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def _refuse_to_replace(path: Path) -> None:
    """Records, say, must not become a page by a slip of the keyboard."""
    if not path.name:
        raise UsageError("-o needs the name of a file, as in -o report.html")
    if path.is_dir():
        raise UsageError(f"{path} is a directory: give -o the name of a file in it")
    if path.is_file():
        with path.open("rb") as file:
            if MARK not in file.read(_MARK_WITHIN):
                raise UsageError(
                    f"{path} is there and is no report: give -o another name, or delete it"
                )


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        if beside.exists():
            beside.unlink()
        raise unwritable_output(path, error) from error
