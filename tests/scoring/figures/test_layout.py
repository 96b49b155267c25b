"""In every figure no label is cut and none covers another, for few and many submissions."""

import pytest

from scoring.details import read_details
from scoring.figures import style
from scoring.figures.clock import clock_figure
from scoring.figures.curves import curves_figure
from scoring.figures.profiles import profiles_figure
from scoring.figures.ratios import ratios_figure
from scoring.figures.scores import scores_figure
from scoring.leaderboard import from_records
from scoring.reader import read_records
from scoring.suite import load_suite
from tests.scoring.figures.made_figures import cut, logs, many, overlapping
from tests.scoring.made_logs import board_of


@pytest.mark.parametrize("n", [1, 4, 20, 47])
@pytest.mark.parametrize("draw", [profiles_figure, ratios_figure, scores_figure])
def test_labels_are_whole_and_apart(draw, n):
    with style.drawing():
        figure = draw(many(n))
        assert cut(figure) == []
        assert overlapping(figure) == []
        assert figure.get_size_inches()[0] <= style.PAGE + 1e-9
        assert figure.get_size_inches()[1] < 10


@pytest.mark.parametrize("n", [1, 4, 8])
def test_labels_of_curves_and_clocks_are_whole_and_apart(tmp_path, n):
    names = [f"nadamw[schedule=slow_start_fast_decay,b={i}]" for i in range(n)]
    suite = load_suite(logs(tmp_path, names, studies=1) / "suite.json")
    records = read_records(tmp_path, suite)
    board = from_records(records, suite)
    with style.drawing():
        details = read_details(records.trials, suite)
        for figure in (curves_figure(board, details, suite), clock_figure(board, details)):
            assert cut(figure) == []
            assert overlapping(figure) == []


@pytest.mark.parametrize("draw", [profiles_figure, ratios_figure, scores_figure])
def test_one_workload_is_enough(draw):
    with style.drawing():
        figure = draw(board_of({"x": {"a": 1.0}, "y": {"a": 9.0}, "z": {}}, ("a",)))
        assert cut(figure) == overlapping(figure) == []


def test_many_workloads_widen_the_heat_map_rather_than_cover_each_other():
    base = [f"workload_{i}" for i in range(40)]
    with style.drawing():
        figure = ratios_figure(many(5, base, ()))
        assert figure.get_size_inches()[0] > style.PAGE
        assert cut(figure) == overlapping(figure) == []


def test_the_checks_find_what_they_look_for():
    figure = style.canvas(2, 1)
    sheet = style.sheet(figure)
    for text, x in (("first", 0.5), ("second", 0.6), ("outside", 1.9)):
        sheet.text(x, 0.5, text)
    assert cut(figure) == ["outside"]
    assert overlapping(figure) == [("first", "second")]
