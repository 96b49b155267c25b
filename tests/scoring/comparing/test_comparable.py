"""Which differences make two sets of trials incomparable."""

import pytest

from scoring.comparing.compare import compare
from tests.scoring import made_logs
from tests.scoring.comparing.made_comparisons import (
    ENVIRONMENT,
    TIMES,
    marks,
    record,
    rows,
    slower,
    write,
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"workload_fingerprint": "g"}, "workload differs: fingerprint f / g"),
        ({"environment": ENVIRONMENT | {"host_threads": 4}}, "device differs: host_threads 2 / 4"),
        ({"environment": ENVIRONMENT | {"versions": {"jax": "2"}}}, "versions differ: jax 1 / 2"),
    ],
)
def test_what_differs_is_not_comparable(tmp_path, change, said):
    old = write(tmp_path / "old", {"a": TIMES})
    new = write(tmp_path / "new", {"a": slower(2)}, **change)
    report = compare(old, new)
    (row,) = report.comparisons[0].workloads
    assert (row.mark, row.notes) == ("x", (said,))
    assert row.ratio.pairs == 0
    assert report.comparisons[0].overall.pairs == 0
    assert not report.regressions
    kind = said.split()[0]
    assert marks(compare(old, new, across=[kind])) == {"a": "+"}


def test_trials_of_one_side_that_differ_are_not_comparable_either(tmp_path):
    old, new = (write(tmp_path / name, {"a": (*TIMES[:3], "")}) for name in ("old", "new"))
    environment = ENVIRONMENT | {"python": "3.12", "xla_flags": ""}
    made_logs.write_trial(new, "one", "a", rows(10), 3, record=record(3, environment=environment))
    made_logs.write_trial(old, "one", "a", rows(10), 3, record=record(3))
    (row,) = compare(old, new).comparisons[0].workloads
    assert row.notes == ("versions differ: python 3.11 / 3.11, 3.12",)
    unknown = write(tmp_path / "unknown", {"a": TIMES}, environment=None)
    (row,) = compare(unknown, new).comparisons[0].workloads
    assert row.notes == ("versions differ: python unknown / 3.11, 3.12",)


def test_another_target_is_not_comparable_even_by_one_suite(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES})
    declared = made_logs.declared(("a",), studies=4, trials=1)
    declared["workloads"]["a"]["validation_target_value"] = 0.95
    target = {"metric": "loss", "value": 0.95, "direction": "minimize"}
    new = write(tmp_path / "new", {"a": TIMES}, declared=declared, target=target)
    for suite in (None, old / "suite.json"):
        (row,) = compare(old, new, suite=suite).comparisons[0].workloads
        assert row.mark == "x"
        assert row.notes[0].startswith("target differs: loss <= 1 / loss <= 0.95")
    assert marks(compare(old, new, across=["target"])) == {"a": "~"}


def test_a_target_of_400_digits_is_another_target(tmp_path):
    target = {"metric": "loss", "value": 10**400, "direction": "minimize"}
    old = write(tmp_path / "old", {"a": TIMES}, target=target)
    new = write(tmp_path / "new", {"a": TIMES})
    (row,) = compare(old, new, suite=made_logs.suite(("a",))).comparisons[0].workloads
    assert row.notes[0].startswith("target differs: loss <= 1, loss <= 1000")


def test_by_steps_the_device_does_not_matter(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES})
    environment = ENVIRONMENT | {"host_threads": 4}
    new = write(tmp_path / "new", {"a": slower(3)}, environment=environment)
    (row,) = compare(old, new, clock="steps").comparisons[0].workloads
    assert (row.mark, row.ratio.ratio) == ("~", 1.0)
    assert row.notes == ("compared though device differs: host_threads 2 / 4",)


def test_algoperfs_own_logs_are_comparable_and_nothing_is_known_of_them(tmp_path):
    for submission, factor in (("x", 1), ("y", 1.5)):
        for study, seconds in enumerate(TIMES):
            made_logs.write_trial(tmp_path, submission, "a", rows(factor * seconds), study)
    suite = made_logs.suite(("a",))
    report = compare(tmp_path / "x", tmp_path / "y", suite=suite)
    assert marks(report) == {"a": "+"}
    assert report.comparisons[0].notes == (
        "of A and B nothing is recorded of code, device and versions",
    )
