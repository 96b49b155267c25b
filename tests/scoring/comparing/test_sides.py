"""What two paths ask to be compared."""

import pytest

from algoperf_lite.errors import UsageError
from scoring.comparing.compare import compare
from tests.scoring.comparing.made_comparisons import TIMES, marks, slower, write


def test_two_submissions_of_one_directory(tmp_path):
    write(tmp_path, {"a": TIMES}, "one")
    write(tmp_path, {"a": slower(1.5)}, "two")
    report = compare(tmp_path / "one", tmp_path / "two/")
    assert marks(report) == {"a": "+"}
    assert report.comparisons[0].name == "one / two"
    assert report.regressions[0].startswith("one / two on a: 1.50x the time")


def refused(*args, **kwargs):
    with pytest.raises(UsageError) as caught:
        compare(*args, **kwargs)
    return str(caught.value)


def test_paths_that_ask_for_nothing_sensible_are_refused(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES})
    new = write(tmp_path / "new", {"a": TIMES}, "two")
    assert "no such results directory" in refused(old, tmp_path / "none")
    assert f"as in {old / 'one'} {new / 'two'}" in refused(old, new)
    assert "give two of a kind" in refused(old / "one", new)
    assert "the same directory" in refused(old, tmp_path / "new" / ".." / "old")
    assert "the same submission" in refused(old / "one", old / "one")
    assert "did you mean 'one'" in refused(old, new, submissions=["on"])
    assert "-s is for two results directories" in refused(old / "one", new / "two",
                                                         submissions=["one"])  # fmt: skip
    assert "unknown workload 'c'" in refused(old / "one", new / "two", workloads=["c"])
    assert "did you mean 'device'" in refused(old / "one", new / "two", across=["devices"])
    assert "must be 1 or more, not 0.9" in refused(old / "one", new / "two", at_least=0.9)
    other = write(tmp_path / "other", {"b": TIMES})
    assert "no workload in common" in refused(old, other)


def test_what_has_no_counterpart_is_said(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES, "b": TIMES})
    write(tmp_path / "old", {"a": TIMES, "b": TIMES}, "two")
    new = write(tmp_path / "new", {"a": TIMES})
    assert compare(old, new).notes == (
        "only in A, not compared: two",
        "declared by A alone, not compared: b",
    )
