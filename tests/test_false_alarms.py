"""The simulation behind the numbers of docs/comparing.md, with few repeats."""

from benchmarks.false_alarms import Setting, simulate


def test_few_comparisons_of_equals_find_something():
    found = simulate(Setting(studies=3), repeats=100)
    assert found["workload"] <= 0.1
    assert found["overall"] <= 0.12
    assert found["failing"] == 0
    assert found["share"] <= found["workload"]


def test_rounding_is_allowed_for():
    setting = {"studies": 3, "evaluations": 10, "noise": 0.02}
    with_it, without = (simulate(Setting(**setting, allowance=a), 100) for a in (True, False))
    assert with_it["workload"] <= 0.04
    assert without["workload"] >= 0.08


def test_shared_drift_is_allowed_for_by_the_least_ratio():
    setting = {"studies": 3, "noise": 0.003, "drift": 0.01}
    with_it, without = (simulate(Setting(**setting, at_least=r), 40) for r in (1.05, 1.0))
    assert without["workload"] >= 0.6
    assert without["overall"] >= 0.4
    assert with_it["workload"] <= 0.25
    assert with_it["overall"] <= 0.1


def test_what_is_slower_is_found():
    found = simulate(Setting(studies=5, slowdown=1.5), repeats=20)
    assert found["share"] == found["overall"] == found["exit 1"] == 1


def test_misses_show_as_newly_failing():
    assert simulate(Setting(studies=3, misses=0.4), repeats=20)["failing"] >= 0.5
