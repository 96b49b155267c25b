"""What stands for a cell, and who may be first, as the page tells it."""

import json
import re

import pytest

from tests.browser.looking import CURVES, cell_details, opened_report, show, texts
from tests.scoring.made_logs import declared, hit, write_trial


@pytest.fixture
def incomplete(browser, tmp_path, requests_of):
    """One submission: two of its three studies on a, none on b."""
    content = declared(("a", "b"), studies=3, submissions={"s": {"ruleset": "external"}})
    (tmp_path / "suite.json").write_text(json.dumps(content))
    for study, seconds in enumerate((5.0, 9.0)):
        write_trial(tmp_path, "s", "a", hit(seconds), study)
    yield from opened_report(browser, tmp_path, requests_of)


@pytest.fixture
def undecided(browser, tmp_path, requests_of):
    """Two submissions, each the faster one in some studies."""
    names = {name: {"ruleset": "external"} for name in "pq"}
    content = declared(("a",), studies=3, submissions=names)
    (tmp_path / "suite.json").write_text(json.dumps(content))
    for name, of_studies in {"p": (5.0, 9.0, 6.0), "q": (8.0, 5.5, 7.0)}.items():
        for study, seconds in enumerate(of_studies):
            write_trial(tmp_path, name, "a", hit(seconds), study)
    yield from opened_report(browser, tmp_path, requests_of)


def test_of_an_incomplete_set_of_studies_the_curve_is_that_of_the_median(incomplete):
    details = cell_details(incomplete, "a")
    assert "9.00 s (median over studies)" in details
    assert "study 0: 5.00 s; study 1: 9.00 s; study 2: no logs" in details
    assert re.search(r"algoperf-lite show \S+/s/study_1/a_jax/trial_1", details)
    assert "No logs: no trial on disk" in cell_details(incomplete, "b")
    show(incomplete, CURVES)
    bold = (
        "return document.querySelector(arguments[0]).data"
        ".filter((one) => one.mode === 'lines+markers').map((one) => one.x.at(-1))"
    )
    assert incomplete.execute_script(bold, CURVES) == [9.0]


def test_where_intervals_of_rank_overlap_nobody_is_said_to_lead(undecided):
    verdict = texts(undecided, "#verdict")[0]
    assert "leads" not in verdict
    assert verdict.startswith("p has the highest score")
    assert verdict.endswith("the data do not decide which is first: p and q may be.")
