"""Comparisons on a terminal and in Markdown."""

import io
import json

from markdown_it import MarkdownIt
from rich.console import Console

from scoring.comparing.compare import compare
from scoring.comparing.view import ReportView, markdown
from tests.scoring.comparing.made_comparisons import ENVIRONMENT, TIMES, slower, write


def test_text_of_records_is_not_obeyed(tmp_path):
    """Neither by a terminal, nor by Markdown, and no half of a character ends the command."""
    evil = "\ud800 \x1b[2J\n<b> | ![](http://evil/p.png)"
    old = write(tmp_path / "old", {"a": TIMES}, environment=ENVIRONMENT | {evil: 0})
    environment = ENVIRONMENT | {"platform": evil, evil: 1}
    new = write(tmp_path / "new", {"a": TIMES}, environment=environment)
    report = compare(old, new)
    console = Console(file=io.TextIOWrapper(io.BytesIO(), "utf-8"), width=500)
    console.print(ReportView(report))
    console.file.seek(0)
    shown = console.file.read()
    assert "\x1b" not in shown
    assert "platform cpu / \\ud800 \\x1b[2J\\n<b> | ![](http://evil/p.png)" in shown
    page = MarkdownIt("commonmark").enable("table").render(markdown(report))
    assert "<img" not in page
    assert "<b>" not in page
    assert "\\ud800 \\x1b[2J &lt;b&gt; | ![](http://evil/p.png)" in page
    json.dumps(report.to_json(), allow_nan=False).encode()


def test_a_note_in_markdown_keeps_its_mark(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES})
    new = write(tmp_path / "new", {"a": (*slower(1.5)[:3], "")})
    page = MarkdownIt("commonmark").enable("table").render(markdown(compare(old, new)))
    assert "<p>+ a: B lacks 1 of 4 trials: left out</p>" in page
