import sys

import numpy as np
import pytest

from scoring.figures import performance_profiles
from scoring.figures.profiles import _spread
from tests.scoring.made_logs import board_of


@pytest.fixture(scope="module")
def board():
    times = {"x": {"a": 1, "b": 3}, "y": {"a": 2, "b": 3}, "z": {"a": 1.5}, "a$_$_b": {}}
    return board_of(times, ("a", "b"))


def test_writes_a_png_and_an_svg_beside_each_other(board, tmp_path):
    png, svg = performance_profiles(board, tmp_path / "new" / "v1.2.profiles")
    assert (png.name, svg.name) == ("v1.2.profiles.png", "v1.2.profiles.svg")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.read_text().lstrip().startswith("<?xml")


def test_pictures_are_the_same_bytes_every_time(board, tmp_path):
    first = [path.read_bytes() for path in performance_profiles(board, tmp_path / "1")]
    again = [path.read_bytes() for path in performance_profiles(board, tmp_path / "2")]
    assert first == again
    assert b"<dc:date>" not in first[1]


def test_more_curves_than_colours_are_drawn(tmp_path):
    many = board_of({f"s{i}": {"a": 1 + i / 4} for i in range(20)}, ("a",))
    assert all(path.exists() for path in performance_profiles(many, tmp_path / "many"))


def test_no_global_state_of_matplotlib_is_touched(board, tmp_path):
    import matplotlib

    before, modules = dict(matplotlib.rcParams), set(sys.modules)
    performance_profiles(board, tmp_path / "p")
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in set(sys.modules) - modules


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([1.0, 0.5], [1.0, 0.5]),
        ([1.0, 1.0, 1.0], [1.0, 0.9, 0.8]),
        ([0.5, 1.0, 0.5], [0.5, 1.0, 0.4]),
    ],
)
def test_labels_are_spread_to_be_readable(wanted, placed):
    np.testing.assert_allclose(_spread(wanted, gap=0.1), placed)


def test_labels_at_the_bottom_are_pushed_up():
    placed = _spread([0.0, 0.0, 0.0], gap=0.1)
    assert placed.min() > -0.04
    np.testing.assert_allclose(np.diff(placed), -0.1)
