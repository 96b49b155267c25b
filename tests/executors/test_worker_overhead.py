"""The benchmark of the worker's overhead runs and says what it promises; no time is judged."""

import tiny

from benchmarks.worker_overhead import measure


def test_the_overhead_is_of_the_same_trials():
    found = measure(tiny.__file__, "nadamw", steps=1, trials=2)
    assert found["inline_seconds"] > 0
    assert found["worker_seconds"] > 0
    low, high = found["quartiles"]
    assert low <= found["difference"] <= high
