"""Where two curves first differ, and by how much."""

import pytest

from algoperf_lite.verifying.comparing import compare


def row(step, **values):
    return {"global_step": float(step)} | {f"validation/{k}": v for k, v in values.items()}


def test_curves_differ_where_they_first_do():
    nan = float("nan")
    one = [row(5, loss=1.0, acc=0.5), row(10, loss=nan)]
    assert compare(one, one) is None
    assert compare(one, [row(5, loss=1.0, acc=0.5)]).column is None
    assert compare(one, [row(5, loss=1.0), row(10, loss=nan)]).column == "validation/acc"
    assert compare(one, [row(5, loss=1.0, acc=0.5), row(11, loss=nan)]).column == "global_step"
    found = compare(one, [row(5, loss=1.0, acc=0.6), row(10, loss=1.0)])
    assert (found.step, found.column, found.recorded, found.again) == (
        5,
        "validation/acc",
        0.5,
        0.6,
    )
    assert (found.largest, found.largest_step) == (float("inf"), 10)
    assert compare(one, [row(5, loss=1.0, acc=0.6)], {"validation/loss": 0.0}) is None
    assert compare(one, [row(5, acc=0.6)], {"validation/acc": 10.0}).relative == pytest.approx(0.01)
    assert compare(one, [row(5, acc=0.6)], {"validation/acc": 10.0}, above=0.02) is None
