import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from scoring.board import Cell
from scoring.tables import leaderboard_view, notes, ratio_text, time_text
from scoring.walk import Problem
from scoring.wording import cell_texts
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
    assert " ".join(nadamw.split()) == "1 nadamw 0.9653 3/3 3 6.10 s 9.80 s 7.70 s"
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


def test_a_machine_that_was_busy_is_told_where_times_count():
    board = replace(board_of({"x": {"a": 1.0}, "y": {"a": 2.0}}, ("a",)), trials_noisy=1)
    assert "Noisy: 1 of 2 trials" in "\n".join(map(str, notes(board)))
    assert board.to_json()["trials_noisy"] == 1
    for quiet in (replace(board, trials_noisy=0), replace(board, clock="steps")):
        assert "Noisy" not in "\n".join(map(str, notes(quiet)))


def test_a_host_loop_is_told_where_times_count():
    board = replace(board_of({"x": {"a": 1.0}, "y": {"a": 2.0}}, ("a",)), trials_on_host_loop=1)
    assert "Host loop: 1 of 2 trials called" in "\n".join(map(str, notes(board)))
    assert board.to_json()["trials_on_host_loop"] == 1
    for none in (replace(board, trials_on_host_loop=0), replace(board, clock="steps")):
        assert "Host loop" not in "\n".join(map(str, notes(none)))


def test_many_problems_are_cut_short():
    board = board_of({"x": {"a": 1.0}}, ("a",))
    many = tuple(Problem(f"p{i}", f"bad in way {i}") for i in range(7))
    board = replace(board, problems=many)
    lines = [str(line) for line in notes(board, max_problems=5) if str(line).startswith("!")]
    assert len(lines) == 6
    assert lines[-1] == "! and 2 more such problems (--json lists all)."


def test_problems_that_say_the_same_are_one_line():
    board = board_of({"x": {"a": 1.0}}, ("a",))
    board = replace(board, problems=(Problem("p", "odd"), Problem("q", "bad"), Problem("r", "bad")))
    lines = [str(line) for line in notes(board) if str(line).startswith("!")]
    assert lines == ["! p: odd", "! q: bad (and 1 more like it)"]


def test_reached_but_worth_nothing_is_plain_to_see():
    times = {"x": {"a": 1.0, "b": 1.0}, "slow": {"a": 5.0, "b": 9.0}, "bad": {}}
    text = shown(board_of(times, ("a", "b")), 120)
    assert "slow scores 0 though it reached 2 targets: over 4x there." in text
    assert "bad scores 0" not in text
    slow = next(line for line in text.splitlines() if " slow " in line)
    assert slow.split()[1:5] == ["slow", "0.0000", "2/2", "0"]
    assert "counted" in text


def test_counted_is_shown_only_where_it_differs():
    assert "counted" not in shown(board_of({"x": {"a": 1.0}, "y": {"a": 2.0}}, ("a",)))


def test_exactly_4x_is_named_as_what_it_is():
    board = board_of({"x": {"a": 1.0}, "y": {"a": 4.0}}, ("a",))
    assert "y scores 0 though it reached 1 target: exactly 4x there." in map(str, notes(board))


def test_many_that_are_worth_nothing_are_counted():
    times = {"x": {"a": 1.0}} | {f"s{i}": {"a": 9.0} for i in range(5)}
    text = [str(note) for note in notes(board_of(times, ("a",)))]
    assert sum("scores 0" in line for line in text) == 3
    assert "So do 2 more." in text


def test_cells_take_one_line_where_there_is_room():
    board = board_of({"x": {"a": 1.0}, "y": {"a": 2.5}, "z": {"a": INF}}, ("a",))
    lines = [line.split() for line in shown(board, 80).splitlines()]
    assert ["1", "x", "1.0000", "1/1", "1.00", "s", "best"] in lines
    assert ["2", "y", "0.5000", "1/1", "2.50", "s", "2.50x"] in lines


def test_ranks_stand_with_their_intervals():
    board = board_of({"x": {"a": 1.0}, "y": {"a": 2.0}}, ("a",))
    rows = tuple(replace(r, rank_interval=(1, 2), score_interval=(0.25, 1.0)) for r in board.rows)
    lines = [line.split() for line in shown(replace(board, rows=rows)).splitlines()]
    assert lines[0][:5] == ["#", "95%", "submission", "score", "95%"]
    assert lines[2][:5] == ["1", "1-2", "x", "1.0000", "0.25-1.00"]


def test_rulesets_are_shown_if_there_are_two():
    board = board_of({"x": {"a": 1.0}, "y": {"a": 2.0}}, ("a",))
    assert "ruleset" not in shown(board)
    rows = tuple(
        replace(row, ruleset=ruleset)
        for row, ruleset in zip(board.rows, ("self", "external"), strict=True)
    )
    assert "ruleset" in shown(replace(board, rows=rows))


@pytest.mark.parametrize(
    ("reached", "open_studies", "studies", "words"),
    [
        (1, 2, 3, ("incomplete", "met 1/3")),
        (1, 1, 3, ("incomplete", "met 1/3")),
        (0, 1, 3, ("missed", "met 0/3")),
        (1, 0, 3, ("missed", "met 1/3")),
        (2, 1, 4, ("incomplete", "met 2/4")),
        (2, 0, 4, ("missed", "met 2/4")),
        (0, 0, 1, ("missed", "")),
    ],
)
def test_a_cell_is_no_miss_while_studies_to_come_may_decide(reached, open_studies, studies, words):
    cell = Cell(INF, INF, "missed", studies_reached=reached, studies_open=open_studies)
    assert cell_texts(cell, studies, "s") == words


def test_numbers_to_about_three_figures():
    given = (0.004, 9.994, 98.76, 999.4, 57674.48)
    assert [time_text(s) for s in given] == ["0.00 s", "9.99 s", "98.8 s", "999.4 s", "57,674 s"]
    assert [ratio_text(r) for r in (1.0, 1.0001, 3.999)] == ["best", "1.00x", "4.00x"]
