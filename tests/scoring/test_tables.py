import io
import math

import pytest
from rich.console import Console

from scoring.tables import leaderboard_view, notes, ratio_text, time_text
from scoring.walk import Problem
from tests.scoring.made_logs import board_of

INF = math.inf
DEMO = ("digits_resnet", "zipf_lm", "clicks_dlrm")
NINE = (*DEMO, "molecules_gnn", "tones_lstm", "digits_vit", "scenes_unet", "conformer", "mt")


def shown(board, width=80):
    out = io.StringIO()
    Console(width=width, file=out).print(leaderboard_view(board))
    return out.getvalue()


def demo():
    times = {
        "nadamw": dict(zip(DEMO, (6.1, 9.8, 7.7), strict=True)),
        "nesterov": dict(zip(DEMO, (5.2, 31.0, INF), strict=True)),
        "schedule_free_adamw": dict(zip(DEMO, (7.9, 8.6, 31.0), strict=True)),
        "nothing": {},
    }
    return board_of(times, DEMO)


def test_three_workloads_fit_on_80_columns_in_one_table():
    text = shown(demo())
    lines = [line.rstrip() for line in text.splitlines()]
    assert max(map(len, lines)) <= 80
    assert text.count("submission ") == 1
    nadamw = next(line for line in lines if " nadamw" in line)
    assert nadamw.split() == ["1", "nadamw", "0.9653", "3/3", "6.10", "s", "9.80", "s", "7.70", "s"]
    after = lines[lines.index(nadamw) + 1]
    assert after.split() == ["1.17x", "1.14x", "best"]


def test_cells_say_in_a_word_why_they_have_no_time():
    text = shown(demo())
    for word in ("missed", "no logs", "over 4x"):
        assert word in text


@pytest.mark.parametrize("width", [60, 80, 100, 140, 250])
def test_nine_workloads_spread_over_tables_that_fit(width):
    times = {f"s{i}": {w: 1.5 + i for w in NINE} for i in range(3)}
    text = shown(board_of(times, NINE), width)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    # Each of the 3 x 9 cells is whole, wherever it is.
    assert text.count("1.50 s") == text.count("2.50 s") == text.count("3.50 s") == 9


def test_names_are_no_markup():
    assert "[red]x[/]" in shown(board_of({"[red]x[/]": {"a": 1.0}}, ("a",)))


def test_notes_say_what_is_missing_and_what_words_mean():
    board = board_of({"x": {"a": 1.0}, "y": {"a": 9.0}}, ("a", "b"))
    text = "\n".join(map(str, notes(board)))
    assert "Incomplete: 2 of 4 trials found" in text
    assert "1 study: no intervals; run 3 for a ranking." in text
    assert "over 4x: reached, but" in text
    assert "variant missed" not in text


def test_many_problems_are_cut_short():
    board = board_of({"x": {"a": 1.0}}, ("a",))
    many = tuple(Problem(f"p{i}", "bad") for i in range(7))
    board = type(board)(**{**vars(board), "problems": many})
    lines = [str(line) for line in notes(board, max_problems=5) if str(line).startswith("!")]
    assert len(lines) == 6
    assert lines[-1] == "! and 2 more such problems (--json lists all)."


def test_numbers_to_about_three_figures():
    given = (0.004, 9.994, 98.76, 999.4, 57674.48)
    assert [time_text(s) for s in given] == ["0.00 s", "9.99 s", "98.8 s", "999.4 s", "57,674 s"]
    assert [ratio_text(r) for r in (1.0, 1.0001, 3.999)] == ["best", "1.00x", "4.00x"]
