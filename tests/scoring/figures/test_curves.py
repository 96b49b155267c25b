import json

import pytest

from scoring.details import read_details
from scoring.figures import style
from scoring.figures.curves import HIGHLIGHTED, _across, curves_figure
from scoring.leaderboard import from_records
from scoring.reader import read_records
from scoring.suite import load_suite
from tests.scoring.figures.made_figures import logs
from tests.scoring.made_logs import declared, hit, suite, write_trial


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


def bold_ends(axes):
    """Where the bold curves of a panel end."""
    bold = [line for line in axes.lines if line.get_alpha() == 1 and len(line.get_xdata()) > 1]
    return sorted(line.get_xdata()[-1] for line in bold)


def test_studies_that_are_missing_are_the_worst(tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",), studies=3)))
    for study, seconds in enumerate((5.0, 9.0)):
        write_trial(tmp_path, "x", "a", hit(seconds), study)
    (axes, _, _), *_ = panels(drawn(tmp_path))
    assert bold_ends(axes) == [9.0]


def test_trials_beyond_what_is_declared_do_not_stand_for_anything(tmp_path):
    content = declared(("a",), studies=1, trials=1, submissions={"x": {"ruleset": "external"}})
    (tmp_path / "suite.json").write_text(json.dumps(content))
    write_trial(tmp_path, "x", "a", hit(5.0))
    write_trial(tmp_path, "x", "a", hit(2.0), trial=2)
    (axes, _, markers), *_ = panels(drawn(tmp_path))
    assert bold_ends(axes) == [5.0]
    assert [list(marker.get_xdata()) for marker in markers] == [[5.0]]


def test_the_marker_is_at_the_evaluation_that_met_the_target(tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",), studies=1)))
    path = write_trial(tmp_path, "x", "a", [(0.0, 5.0), (4.0, 2.0), (4.5, 0.9)])
    csv = path / "eval_measurements.csv"
    csv.write_text(csv.read_text().replace("4.5,20,", "4.5,10,"))  # no step since, as after a stop
    (_, _, (marker,)), *_ = panels(drawn(tmp_path))
    assert (list(marker.get_xdata()), list(marker.get_ydata())) == ([4.5], [0.9])


def test_a_hit_whose_line_is_cut_is_marked_at_the_line_before(tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",), studies=1)))
    rows = [(0.0, 5.0), (1.0, 2.0), (3.0, 0.9)]
    csv = write_trial(tmp_path, "x", "a", rows) / "eval_measurements.csv"
    header, *lines = csv.read_text().splitlines()
    lines = [f"{header},accumulated_eval_time", *(f"{line},0.5" for line in lines)]
    csv.write_text("\n".join(lines))
    (_, _, (marker,)), *_ = panels(drawn(tmp_path))
    assert list(marker.get_xdata()) == [1.0]


def test_a_single_evaluation_at_the_start_is_drawn(tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",), studies=1)))
    write_trial(tmp_path, "x", "a", [(0.0, 5.0)])
    (axes, _, _), *_ = panels(drawn(tmp_path))
    assert axes.get_xlim() == (0.0, 1.0)


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
