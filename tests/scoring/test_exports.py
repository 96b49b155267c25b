import csv
import io
import math
from dataclasses import replace

import pytest

from scoring.exports import to_csv, to_markdown
from scoring.leaderboard import from_times
from scoring.times import time_table
from scoring.trial import Trial
from tests.scoring.made_logs import board_of, suite

INF = math.inf


def table(board):
    return list(csv.DictReader(io.StringIO(to_csv(board))))


@pytest.fixture
def board():
    """Base a with the variant a_v, base b; y is disqualified on both, z missed and ran no b."""
    times = {"x": {"a": 1, "a_v": 2, "b": 1}, "y": {"a": 2, "a_v": 9, "b": 9}, "z": {"a": INF}}
    return board_of(times, ("a", "b"), ("a_v",))


def three_studies(baseline=None):
    made = suite(("a",), studies=3)
    trials = [
        Trial(name, study, "a", 1, seconds, 1, "x", None, "made")
        for name, of_study in {"x": (1.0, 2.0, 3.0), "y": (2.5, 4.0, 7.0)}.items()
        for study, seconds in enumerate(of_study)
    ]
    return from_times(time_table(trials, made, ("x", "y")), made, baseline=baseline)


def test_csv_names_its_columns(board):
    header = to_csv(board).splitlines()[0]
    assert header == (
        "rank,rank_low,rank_high,submission,ruleset,score,score_low,score_high,speedup,targets,"
        "a/time,a/ratio,a/state,b/time,b/ratio,b/state,a_v/time,a_v/ratio,a_v/state"
    )


def test_csv_keeps_times_and_says_what_does_not_count(board):
    x, y, z = table(board)
    assert (x["submission"], x["rank"], float(x["score"]), x["targets"]) == ("x", "1", 1.0, "2")
    assert [y[f"a/{part}"] for part in ("time", "ratio", "state")] == [
        "2.0",
        "inf",
        "variant_missed",
    ]
    assert [y[f"b/{part}"] for part in ("time", "ratio", "state")] == ["9.0", "inf", "too_slow"]
    assert [z["a/time"], z["a/state"], z["b/time"], z["b/state"]] == [
        "inf", "missed", "inf", "missing"
    ]  # fmt: skip


def test_csv_has_empty_fields_for_what_does_not_exist(board):
    row = table(board)[0]
    for name in ("rank_low", "rank_high", "ruleset", "score_low", "score_high", "speedup"):
        assert row[name] == ""


def test_csv_has_intervals_and_speedups():
    x, y = table(three_studies(baseline="y"))
    assert (y["rank_low"], y["rank_high"]) == ("1", "2")
    assert float(y["score_low"]) < float(y["score"]) == pytest.approx(2 / 3)
    assert float(x["speedup"]) == pytest.approx(2.0)
    assert float(y["speedup"]) == 1.0


def test_csv_has_no_number_where_a_speedup_has_none(board):
    rows = tuple(replace(row, speedup=math.nan) for row in board.rows)
    assert {row["speedup"] for row in table(replace(board, baseline="x", rows=rows))} == {""}


@pytest.mark.parametrize("name", ['a,"b"', "a\nb", "nadamw[schedule=wsd]", "é|"])
def test_csv_quotes_names(name):
    (row,) = table(board_of({name: {"a": 1.5}}, ("a",)))
    assert row["submission"] == name
    assert float(row["a/time"]) == 1.5


def test_csv_numbers_are_whole():
    (row,) = table(board_of({"x": {"a": 1 / 3}}, ("a",)))
    assert float(row["a/time"]) == 1 / 3


def cells(line):
    return [field.strip() for field in line.strip("|").split(" | ")]


def test_markdown_is_a_table_in_words(board):
    head, rule, x, y, z, *_ = to_markdown(board).splitlines()
    assert cells(head) == [
        "#", "submission", "score", "targets", "counted", "a", "b", "a_v (held-out)"
    ]  # fmt: skip
    assert cells(rule)[:3] == ["---:", ":---", "---:"]
    assert len(cells(rule)) == len(cells(head)) == len(cells(x)) == len(cells(z))
    assert cells(x)[-3:] == ["**1.00 s (best)**", "**1.00 s (best)**", "**2.00 s (best)**"]
    assert cells(y)[3:] == [
        "2/2", "0", "2.00 s (variant missed)", "9.00 s (over 4x)", "9.00 s (over 4x)"
    ]  # fmt: skip
    # Made trials that missed ended as "x", which is what the cell says then.
    assert cells(z)[-3:] == ["x", "no logs", "no logs"]


def test_markdown_lists_what_a_reader_must_know(board):
    lines = to_markdown(board).splitlines()
    notes = lines[lines.index("") + 1 :]
    assert all(line.startswith("- ") for line in notes)
    assert any("over 4x: reached, but" in line for line in notes)


def test_markdown_shows_intervals_in_brackets():
    y = cells(to_markdown(three_studies(baseline="x")).splitlines()[3])
    assert y[:2] == ["2 (1-2)", "y"]
    assert y[2].startswith("0.667 (0.")
    assert y[3] == "0.50x"


def test_an_interval_of_no_width_is_left_out_of_markdown(board):
    rows = tuple(replace(row, score_interval=(row.score,) * 2) for row in board.rows)
    x = cells(to_markdown(replace(board, rows=rows)).splitlines()[2])
    assert x[2] == "1.000"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a|b", r"a\|b"),
        ("a\\|b", r"a\\\|b"),
        ("*a*", r"\*a\*"),
        ("a\nb", "a b"),
        ("<b>`x`", r"\<b\>\`x\`"),
        ("nadamw[schedule=wsd_s]", r"nadamw\[schedule=wsd_s]"),
        ("![](http://evil/p.png)", r"!\[](http://evil/p.png)"),
        ("a\x1b[2J\ud800", r"a\\x1b\[2J\\ud800"),
    ],
)
def test_names_are_no_markup_in_markdown(name, shown):
    row = to_markdown(board_of({name: {"a": 1}}, ("a",))).splitlines()[2]
    assert row.startswith(f"| 1 | {shown} |")
