"""Looking again and again, with a sleep that writes down how long it should have been."""

import time
from pathlib import Path

import pytest

from algoperf_lite.watching import Situation, follow
from algoperf_lite.watching.follow import SHARE


def looks(*states):
    left = iter(states)
    return lambda: Situation(Path("r"), next(left))


def test_it_looks_until_all_is_done():
    shown, slept = [], []
    last = follow(looks("absent", "idle", "running", "complete", "never"), shown.append,
                  every=7.0, sleep=slept.append)  # fmt: skip
    assert [s.state for s in shown] == ["absent", "idle", "running", "complete"]
    assert (last.state, slept) == ("complete", [7.0] * 3)


def test_for_ever_it_goes_on_when_all_is_done():
    shown = []
    with pytest.raises(StopIteration):
        follow(looks("complete", "running"), shown.append, forever=True, sleep=lambda s: None)
    assert [s.state for s in shown] == ["complete", "running"]


def test_looks_that_stay_dear_are_paid_for_with_long_pauses(monkeypatch):
    costs = [5.0, 0.5, 0.25, 0.001, 0.001, 0.001, 0.3, 0.001]
    clock = iter([time for cost in costs for time in (0.0, cost)])
    monkeypatch.setattr(time, "process_time", lambda: next(clock))
    slept = []
    states = ["running"] * len(costs)
    with pytest.raises(StopIteration):
        follow(looks(*states), lambda s: None, 2.0, sleep=slept.append)
    dear = [2.0, 0.5 / SHARE, 0.5 / SHARE, 0.25 / SHARE]
    assert slept == pytest.approx([*dear, 2.0, 2.0, 2.0, 2.0])
