import math

import numpy as np
import pytest

from scoring.details import Details, read_details
from scoring.figures import style
from scoring.figures.curves import HIGHLIGHTED, _across, curves_figure, deciding
from scoring.leaderboard import from_records
from scoring.reader import Trial, read_records
from scoring.suite import load_suite
from tests.scoring.figures.made_figures import logs
from tests.scoring.made_logs import suite, write_trial


def details(time, metric, study=0, number=1):
    trial = Trial("x", study, "a", number, time, None, "x", None, "made")
    seconds = np.arange(len(metric), dtype=float)
    return Details(trial, seconds, seconds * 10, np.array(metric), None, {}, {}, {})


def drawn(root):
    declared = load_suite(root / "suite.json")
    records = read_records(root, declared)
    board = from_records(records, declared)
    with style.drawing():
        return curves_figure(board, read_details(records.trials, declared), declared)


def panels(figure):
    """Lines by panel: those of curves, and those of single markers."""
    for axes in figure.axes[:-1]:
        lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
        markers = [line for line in axes.lines if len(line.get_xdata()) == 1]
        yield axes, lines, markers


def test_the_least_time_of_a_study_decides_and_studies_are_in_order():
    target = suite(("a",)).base[0]
    slow, fast = details(9.0, [5.0, 0.5]), details(4.0, [5.0, 0.9], number=2)
    missed, nearer = (details(math.inf, [5.0, m], study) for study, m in ((1, 3.0), (2, 2.0)))
    assert deciding([missed, slow, nearer, fast], target) == [fast, nearer, missed]


def test_the_nearest_is_the_highest_of_what_is_maximised():
    target = suite(("a",), metric="accuracy").base[0]
    low, high = (details(math.inf, [0.1, m], study) for study, m in ((0, 0.4), (1, 0.6)))
    assert deciding([low, high], target) == [high, low]


def test_the_median_study_is_bold_and_the_target_marked(tmp_path):
    axes, lines, markers = next(panels(drawn(logs(tmp_path))))
    dashed = [line for line in lines if list(line.get_ydata()) == [1.0, 1.0]]
    curves = [line for line in lines if line not in dashed]
    assert len(dashed) == 1
    assert len(curves) == 2 * 3
    bold = [line for line in curves if line.get_alpha() == 1]
    assert sorted(line.get_xdata()[-1] for line in bold) == [4.0, 5.0]
    assert [list(m.get_xdata()) for m in markers] == [[4.0], [5.0]]
    assert axes.get_ylim()[0] < 0.9


def test_a_miss_ends_in_a_hollow_marker_inside_the_panel(tmp_path):
    root = logs(tmp_path, ("x",), studies=1)
    write_trial(root, "y", "b", [(t, 5.0 - t) for t in (0.0, 1.0, 2.0, 3.0)] + [(4.0, 1e9)])
    axes, _, (reached, missed) = list(panels(drawn(root)))[1]
    assert missed.get_markerfacecolor() == "white"
    assert reached.get_markerfacecolor() == style.COLOURS[0]
    low, high = axes.get_ylim()
    assert missed.get_ydata()[0] == high < 1e9
    assert low < 1.0


def test_all_but_the_best_are_grey(tmp_path):
    names = [f"s{i}" for i in range(HIGHLIGHTED + 2)]
    _, lines, _ = next(panels(drawn(logs(tmp_path, names, studies=1))))
    assert sum(line.get_color() == style.PALE for line in lines) == 2


@pytest.mark.parametrize("rows", [[], [(1.0, "nan")], [("", 5.0), (2.0, "inf")]])
def test_trials_without_a_number_to_draw_are_left_out(tmp_path, rows):
    root = logs(tmp_path, ("x",), studies=1)
    write_trial(root, "bad", "a", rows)
    _, _, markers = next(panels(drawn(root)))
    assert len(markers) <= 2


@pytest.mark.parametrize(
    ("names", "across"),
    [
        (["a"], 1),
        (["a", "b"], 2),
        ([f"w{i}" for i in range(15)], 3),
        ([f"w{i}" for i in range(16)], 4),
        ([f"librispeech_conformer_layernorm_{i}" for i in range(16)], 3),
    ],
)
def test_panels_stand_side_by_side_as_their_names_allow(names, across):
    assert _across(suite(names).base, style.PAGE) == across
