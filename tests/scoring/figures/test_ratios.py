import math

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from scoring.figures import style
from scoring.figures.ratios import _broken, _shade, ratios_figure
from tests.scoring.figures.made_figures import many, texts
from tests.scoring.made_logs import board_of


@pytest.fixture
def figure():
    """Base a with its variant: one of each kind of cell."""
    times = {
        "x": {"a": 1, "a_v": 1, "b": 2},
        "y": {"a": 2, "a_v": math.inf, "b": 1},
        "z": {"a": math.inf, "a_v": 3, "b": 9},
        "w": {"a": 3, "a_v": 2},
    }
    with style.drawing():
        yield ratios_figure(board_of(times, ("a", "b"), ("a_v",)))


def cells(figure):
    """Hatch by the word of a cell, in the order drawn."""
    (axes,) = figure.axes
    boxes = [p for p in axes.patches if isinstance(p, Rectangle)]
    found = {}
    for text in axes.texts:
        x, y = text.get_position()
        for box in boxes:
            left, top = box.get_xy()
            if left < x < left + box.get_width() and top < y < top + box.get_height():
                found.setdefault(text.get_text(), set()).add(box.get_hatch())
    return found


def test_every_cell_has_its_number_or_word(figure):
    shown = {text for text, _ in texts(figure)}
    assert {"1.00", "2.00", "3.00", "missed", "no logs", "over 4x", "base\nmissed"} <= shown
    assert "variant\nmissed" in shown


def test_misses_and_disqualifications_have_hatches_of_their_own(figure):
    hatch = cells(figure)
    assert hatch["1.00"] == {None}
    assert hatch["over 4x"] == hatch["base\nmissed"] == hatch["variant\nmissed"]
    # Made trials that missed ended as "x", which is what the cell says then.
    counts, disqualified, missed = (hatch[word] for word in ("1.00", "over 4x", "x"))
    assert len(counts | disqualified | missed) == 3


def test_grey_falls_as_the_ratio_rises():
    grey = [np.dot(_shade(r), (0.2126, 0.7152, 0.0722)) for r in (1, 1.2, 1.5, 2, 3, 4)]
    assert np.all(np.diff(grey) > 0.04)


def test_the_key_explains_only_what_is_there():
    with style.drawing():
        shown = {t for t, _ in texts(ratios_figure(board_of({"x": {"a": 1.0}}, ("a",))))}
    assert "time over the fastest" in shown
    assert not shown & {"missed", "no logs", "reached, does not count"}


def test_long_tables_use_words_of_one_line():
    with style.drawing():
        shown = {t for t, _ in texts(ratios_figure(many(47)))}
    assert "base" in shown
    assert not any("\n" in text and "missed" in text for text in shown)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("wmt", ["wmt"]),
        ("digits_vit", ["digits_vit"]),
        ("librispeech_conformer", ["librispeech_", "conformer"]),
        ("a_b_c_d_e_f_g", ["a_b_c_d_e_", "f_g"]),
    ],
)
def test_names_are_broken_at_underscores(name, lines):
    assert _broken(name, 10).split("\n") == lines
