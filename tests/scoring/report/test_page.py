"""The page around the payload: whole, self-contained, safe."""

import json
import os
import re

import pytest

from algoperf_lite.errors import AlgoperfLiteError, MachineError, UsageError
from scoring.report import page
from scoring.report.page import MARK, SCRIPTS, STYLES, as_inert_json, render, write_report
from scoring.report.payload import payload
from tests.scoring.report.made_report import HOSTILE, REASON, make_results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("records"))


@pytest.fixture(scope="module")
def html(results):
    return render(payload(results, title="A </title><script>window.broken=1</script>"), "/* P */")


def embedded(html):
    return re.search(r'<script type="application/json" id="payload">(.*?)</script>', html, re.S)[1]


def test_the_payload_comes_back_whole_whatever_it_holds(html, results):
    found = json.loads(embedded(html))
    assert HOSTILE in [one["name"] for one in found["submissions"]]
    reasons = {row[found["trials"]["columns"].index("reason")] for row in found["trials"]["rows"]}
    assert REASON in reasons


def test_nothing_of_the_records_is_markup(html):
    assert "<" not in embedded(html)
    assert HOSTILE not in html
    assert "<script>window.broken" not in html


def test_comments_cannot_swallow_the_page():
    assert "<" not in as_inert_json(["<!-- <script>"])


def test_nothing_is_left_to_fill_and_nothing_filled_is_filled_again(results):
    shown = payload(results, title="{{plotly}}")
    html = render(shown, "/* {{payload}} */")
    assert "<title>{{plotly}}</title>" in html
    assert "/* {{payload}} */" in html
    for name in ("style", "theme", "script", "title"):
        assert f"{{{{{name}}}}}" not in html


def test_the_page_refers_to_no_other_file(html):
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:|//|\.)""", html)
    assert "default-src 'none'" in html
    assert "@import" not in html


def test_every_asset_is_part_of_the_page_and_ends_no_element():
    directory = page.files("scoring.report") / "assets"
    there = {entry.name for entry in directory.iterdir()}
    assert there == {*STYLES, *SCRIPTS, "first_paint.js", "report.html"}
    for name in (*STYLES, *SCRIPTS):
        assert not re.search("</(script|style)", page.asset(name), re.I)


def test_scripts_never_write_markup():
    for name in SCRIPTS:
        for writer in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert writer not in page.asset(name), f"{name} uses {writer}"


def test_the_plotting_library_ends_no_element():
    assert not re.search(r"</script|<!--|<script", page.plotly(), re.I)


def test_a_report_replaces_the_file_whole(results, tmp_path):
    path = tmp_path / "new" / "report.html"
    write_report(results, path)
    path.write_bytes(MARK + b"old")
    written = write_report(results, path)
    assert written.bytes == path.stat().st_size
    assert 0 < written.plotly_bytes < written.bytes
    assert written.trials == 27
    assert os.listdir(path.parent) == ["report.html"]


def test_an_unwritable_place_is_named(results, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AlgoperfLiteError, match="report"):
        write_report(results, tmp_path / "file" / "report.html")


def test_a_failed_write_leaves_what_was_there(results, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_bytes(MARK + b"old")

    def refuse(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(path), "replace", refuse)
    with pytest.raises(MachineError, match="No space left"):
        write_report(results, path)
    assert os.listdir(tmp_path) == ["report.html"]
    assert path.read_bytes() == MARK + b"old"


def test_a_page_is_replaced_and_nothing_else_is(results, tmp_path):
    path = tmp_path / "report.html"
    write_report(results, path, title="one")
    write_report(results, path, title="two")
    assert "<title>two</title>" in path.read_text()
    for name in ("suite.json", "index.html"):
        (tmp_path / name).write_text("<!doctype html>\n<p>mine")
        with pytest.raises(UsageError, match=f"{name} is there and is no report: give -o another"):
            write_report(results, tmp_path / name)
        assert (tmp_path / name).read_text().endswith("mine")


@pytest.mark.parametrize(("path", "what"), [("", "needs the name"), (".", "needs the name")])
def test_a_page_needs_the_name_of_a_file(results, path, what):
    with pytest.raises(UsageError, match=what):
        write_report(results, path)


def test_a_directory_is_no_name_of_a_page(results, tmp_path):
    with pytest.raises(UsageError, match="is a directory: give -o the name of a file in it"):
        write_report(results, tmp_path)
