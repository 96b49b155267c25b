import pytest

from scoring.figures import style
from scoring.figures.profiles import profiles_figure
from tests.scoring.figures.made_figures import texts
from tests.scoring.made_logs import board_of


@pytest.mark.parametrize(("n", "pale"), [(1, 0), (9, 0), (10, 2), (20, 12)])
def test_all_but_the_best_eight_are_pale_and_share_a_label(n, pale):
    board = board_of({f"s{i:02d}": {"a": 1 + i / 10} for i in range(n)}, ("a",))
    with style.drawing():
        figure = profiles_figure(board)
    curves = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
    assert len(curves) == n
    assert sum(line.get_color() == style.PALE for line in curves) == pale
    shown = {text for text, _ in texts(figure)}
    assert "1.000  s00" in shown
    assert any(f"{pale} others, " in text for text in shown) == (pale > 0)
