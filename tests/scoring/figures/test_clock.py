import math

import numpy as np
import pytest

from scoring.details import Details
from scoring.figures import style
from scoring.figures.clock import clock_figure, mean_seconds
from scoring.trial import Trial
from tests.scoring.figures.made_figures import texts
from tests.scoring.made_logs import board_of

CLOCK = {"data": 0.5, "update": 3.0, "eval_params": 0.25, "on_eval": 0.25}


def details(record, name="x"):
    trial = Trial(name, 0, "a", 1, math.inf, None, "missed", None, "made")
    seconds = np.array([1.0, 6.0])
    return Details(trial, seconds, seconds, seconds, 2.0, record, {}, {})


def test_seconds_are_means_over_trials():
    first = details({"clock": CLOCK, "off_clock": {"compile": 4.0, "evaluation": 1.0}})
    second = details({"clock": CLOCK | {"update": 5.0}, "off_clock": {"compile": 0.0}})
    assert mean_seconds([first, second]) == pytest.approx(
        {
            "update": 4.0,
            "data": 0.5,
            "eval_params, on_eval": 0.5,
            "compile (off)": 2.0,
            "evaluation (off)": 1.5,
        }
    )


def test_logs_that_do_not_split_their_time_show_it_whole():
    assert mean_seconds([details({})]) == {"on the clock": 6.0, "evaluation (off)": 2.0}


def test_a_bar_is_as_long_as_its_seconds_and_what_cannot_be_seen_is_left_out():
    tiny = {"clock": CLOCK | {"data": 1e-4}, "off_clock": {"compile": 4.0}}
    board = board_of({"x": {"a": 1.0}, "y": {}}, ("a",))
    with style.drawing():
        figure = clock_figure(board, [details(tiny)])
    bars = [bar.get_width() for bar in figure.axes[0].patches]
    assert sum(bars) == pytest.approx(3.0 + 0.5 + 4.0 + 2.0)
    shown = {text for text, _ in texts(figure)}
    assert "update" in shown
    assert "data" not in shown
