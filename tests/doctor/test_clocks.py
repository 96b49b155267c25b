"""The clock that trials are timed by."""

from dataclasses import replace

import pytest

from algoperf_lite.doctor import clocks
from tests.doctor.given import the

CLOCK = clocks.Clock("clock_gettime", 1e-9, True, 4e-8, 5e-8, 0, "tsc")


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, "ok", "steps of 40 ns, 50 ns a read, from tsc"),
        ({"source": None}, "ok", "50 ns a read"),
        ({"backward": 2}, "problem", "went back 2 times"),
        ({"monotonic": False}, "problem", "went back 0 times"),
        ({"step": 1.6e-2}, "problem", "steps of 16 ms"),
        ({"step": float("inf")}, "problem", "steps of inf s"),
        ({"resolution": 1e-4}, "warning", ""),
        ({"source": "hpet"}, "warning", "slow to read"),
    ],
)
def test_clocks(change, status, told):
    assert told in the(clocks.judge(replace(CLOCK, **change)), status).found


def test_the_clock_is_gathered(monkeypatch):
    facts = clocks.gather()
    assert facts.backward == 0
    assert 0 < facts.step < 1
    ticks = iter([0.0, 1.0, 0.5] + [2.0] * clocks.READS)
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    assert clocks.gather().backward == 1
