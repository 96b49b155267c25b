from dataclasses import replace

import pytest

from scoring.figures import style
from scoring.figures.scores import scores_figure
from tests.scoring.figures.made_figures import many, texts
from tests.scoring.made_logs import board_of


def with_intervals(board):
    rows = tuple(replace(r, rank_interval=(1, 2), score_interval=(0.25, 1.0)) for r in board.rows)
    return replace(board, rows=rows, studies=3)


@pytest.fixture
def board():
    return board_of({"x": {"a": 1.0}, "y": {"a": 2.5}}, ("a",))


def test_dots_are_scores_and_whiskers_their_intervals(board):
    with style.drawing():
        axes = scores_figure(with_intervals(board)).axes[0]
    dots = [line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 1]
    assert dots == [1.0, 0.5]
    assert sum(list(line.get_xdata()) == [0.25, 1.0] for line in axes.lines) == 2


def test_ranks_stand_with_their_intervals(board):
    with style.drawing():
        shown = {text for text, _ in texts(scores_figure(with_intervals(board)))}
    assert {"1 (1-2)", "2 (1-2)", "score and 95% interval"} <= shown


def test_without_intervals_it_says_why(board):
    with style.drawing():
        shown = {text for text, _ in texts(scores_figure(board))}
    assert "score (1 study: no intervals)" in shown
    assert "2" in shown


def test_a_column_is_taken_where_names_leave_room(board):
    with style.drawing():
        assert scores_figure(board).get_size_inches()[0] == style.COLUMN
        assert scores_figure(many(4)).get_size_inches()[0] == style.PAGE
