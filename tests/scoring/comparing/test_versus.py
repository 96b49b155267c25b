"""What is paired with what, and the mark that each workload gets."""

import math

import pytest

from scoring.comparing.compare import compare
from tests.scoring import made_logs
from tests.scoring.comparing.made_comparisons import TIMES, marks, record, rows, slower, write


def test_marks_tell_slower_faster_and_neither_apart(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES, "b": TIMES, "c": TIMES})
    new = write(tmp_path / "new", {"a": slower(1.3), "b": slower(0.8), "c": slower(1.003)})
    report = compare(old, new)
    assert marks(report) == {"a": "+", "b": "-", "c": "~"}
    (found,) = report.comparisons
    row = found.workloads[0]
    assert row.ratio.ratio == pytest.approx(1.3 * (1.01 * 0.99 * 1.005) ** 0.25)
    assert row.a.median == pytest.approx(10.1)
    assert row.a.interval == (9.7, 10.4)
    assert row.p > row.ratio.p  # corrected for three tests
    assert [line.split(":")[0] for line in report.regressions] == ["one on a"]


def test_pairs_are_by_study_not_by_order(tmp_path):
    old = write(tmp_path / "old", {"a": (1.0, 2.0, 4.0, 8.0)})
    new = write(tmp_path / "new", {"a": (1.1, 2.21, 4.39, "")})
    (row,) = compare(old, new).comparisons[0].workloads
    assert row.ratio.pairs == 3
    assert row.ratio.ratio == pytest.approx(1.1, rel=2e-3)
    assert row.a.median == 2.0  # over the studies that both ran
    assert "B lacks 1 of 4 trials: left out" in row.notes


def test_newly_failing_newly_reaching_and_both_missed(tmp_path):
    miss = (None,) * 4
    old = write(tmp_path / "old", {"a": TIMES, "b": miss, "c": miss})
    new = write(tmp_path / "new", {"a": (10.0, None, None, None), "b": TIMES, "c": miss})
    report = compare(old, new)
    assert marks(report) == {"a": "!", "b": "*", "c": "."}
    assert report.regressions == ["one on a: newly failing (met 1/4, was 4/4)"]


def test_half_of_the_studies_missed_is_no_failing_of_the_median_study(tmp_path):
    old = write(tmp_path / "old", {"a": (1.0, 1.1)})
    new = write(tmp_path / "new", {"a": (1.0, None)})
    report = compare(old, new)
    assert marks(report) == {"a": "?"}
    assert report.regressions == []


def test_newly_failing_stays_so_whatever_the_studies_that_reached_say(tmp_path):
    times = (*TIMES, 10.1, 9.9, 10.0)
    declared = made_logs.declared(("a",), studies=7, trials=1)
    old = write(tmp_path / "old", {"a": times}, declared=declared)
    new = write(tmp_path / "new", {"a": (*slower(0.5)[:3], *[None] * 4)}, declared=declared)
    report = compare(old, new)
    assert marks(report) == {"a": "!"}
    assert math.isnan(report.comparisons[0].workloads[0].p)
    assert report.comparisons[0].workloads[0].ratio.p < 0.01


def test_too_few_studies_is_said_and_no_difference_is_not(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES[:2]})
    new = write(tmp_path / "new", {"a": slower(3)[:2]})
    report = compare(old, new)
    assert marks(report) == {"a": "?"}
    assert "too few studies: 2, 3 are needed" in report.comparisons[0].workloads[0].notes
    assert not report.regressions


def test_a_miss_in_one_study_leaves_too_few(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES[:3]})
    new = write(tmp_path / "new", {"a": (10.0, None, 10.0)})
    (row,) = compare(old, new).comparisons[0].workloads
    assert row.mark == "?"
    assert "target met in 3/3 studies by A, 2/3 by B" in row.notes


def test_a_study_takes_the_least_time_of_the_trials_that_both_have(tmp_path):
    declared = made_logs.declared(("a",), studies=3, trials=2, ruleset="external")
    for name, factor in (("old", 1.0), ("new", 1.2)):
        root = write(tmp_path / name, {"a": [factor * t for t in TIMES[:3]]}, declared=declared)
        for study in range(3 if name == "old" else 1):
            made_logs.write_trial(root, "one", "a", rows(factor * 5), study, 2,
                                  record=record(study, trial=2))  # fmt: skip
    (row,) = compare(tmp_path / "old", tmp_path / "new").comparisons[0].workloads
    assert row.a.studies == (5.0, 10.4, 9.7)
    assert row.ratio.ratio == pytest.approx(1.2)


def test_each_ruleset_has_the_trials_it_allows(tmp_path):
    """Of an externally tuned A the best of two counts, though self-tuned B has one."""
    for name, ruleset in (("old", "external"), ("new", "self")):
        declared = made_logs.declared(("a",), studies=3, trials=2, ruleset=ruleset)
        root = write(tmp_path / name, {"a": TIMES[:3]}, declared=declared)
        for study in range(3):
            made_logs.write_trial(root, "one", "a", rows(5 + study), study, 2,
                                  record=record(study, trial=2))  # fmt: skip
    (found,) = compare(tmp_path / "old", tmp_path / "new").comparisons
    assert found.workloads[0].a.studies == (5.0, 6.0, 7.0)
    assert found.workloads[0].b.studies == TIMES[:3]
    assert "different rulesets" in found.notes[0]


def test_rounding_to_evaluations_is_no_certainty(tmp_path):
    """Three ratios alike, as each met its target one of ten evaluations later."""
    for name, steps in (("old", 10), ("new", 11)):
        root = tmp_path / name
        write(root, {"a": ()})
        for study, second in enumerate((1.0, 1.1, 0.9)):
            made_logs.write_trial(root, "one", "a", rows(second * steps, steps), study,
                                  record=record(study))  # fmt: skip
    (row,) = compare(tmp_path / "old", tmp_path / "new").comparisons[0].workloads
    assert row.ratio.ratio == pytest.approx(1.1)
    assert row.mark == "~"
    assert row.ratio.p > 0.01


def test_all_workloads_together_see_what_none_shows_alone(tmp_path):
    names = "abcdefghi"
    noise = (1.0, 1.1, 0.95, 1.04)
    old = write(tmp_path / "old", dict.fromkeys(names, TIMES))
    new = write(tmp_path / "new", dict.fromkeys(names, slower(1.05, noise)))
    report = compare(old, new)
    assert set(marks(report).values()) == {"~"}
    (found,) = report.comparisons
    assert found.overall.pairs == 36
    assert found.mark == "+"
    assert report.regressions == [f"one over all workloads: B slower, p = {found.p:.2g}"]
    (back,) = compare(new, old).comparisons
    assert back.mark == "-"
    assert not compare(new, old).regressions


def test_a_small_difference_is_not_marked_however_sure(tmp_path):
    """What one run has in common, as the state of its machine, looks like that."""
    old = write(tmp_path / "old", {"a": TIMES, "b": TIMES})
    new = write(tmp_path / "new", {"a": slower(1.04), "b": slower(1.03)})
    report = compare(old, new)
    assert marks(report) == {"a": "~", "b": "~"}
    (found,) = report.comparisons
    assert max(row.p for row in found.workloads) < 0.05
    said = "significant, but less than 1.05 times apart: a machine's state can do that"
    assert all(row.notes == (said,) for row in found.workloads)
    assert found.p < 0.05
    assert found.mark == "~"
    assert not report.regressions
    report = compare(old, new, at_least=1.04)
    assert marks(report) == {"a": "+", "b": "~"}
    assert report.comparisons[0].mark == "~"
    report = compare(old, new, at_least=1.0)
    assert marks(report) == {"a": "+", "b": "+"}
    assert report.comparisons[0].mark == "+"
    assert len(report.regressions) == 3


def test_misses_beyond_chance_need_no_ratio(tmp_path):
    """B is as fast as A where it reaches, and misses a study in each of seven workloads."""
    names = "abcdefg"
    old = write(tmp_path / "old", dict.fromkeys(names, TIMES))
    new = write(tmp_path / "new", dict.fromkeys(names, (*TIMES[:3], None)))
    (found,) = compare(old, new).comparisons
    assert found.overall.ratio == 1
    assert found.mark == "+"


def test_faster_in_fewer_studies_is_not_faster(tmp_path):
    fast = slower(0.7)
    old = write(tmp_path / "old", {"a": TIMES, "b": (*TIMES[:3], None)})
    new = write(tmp_path / "new", {"a": (*fast[:3], None), "b": (*fast[:3], None)})
    report = compare(old, new)
    assert marks(report) == {"a": "~", "b": "-"}
    a, b = report.comparisons[0].workloads
    assert a.p < 0.05
    assert a.notes == (
        "target met in 4/4 studies by A, 3/4 by B",
        "faster where both reached the target, in fewer studies: not counted as faster",
    )
    assert report.untested == ["one on a: tested in part: target met in 4/4 studies by A, 3/4 by B"]
    assert b.notes == ("target met in 3/4 studies by A, 3/4 by B",)


def test_the_correction_counts_all_tests_of_a_call(tmp_path):
    for name, factor in (("old", 1.0), ("new", 1.06)):
        for submission in ("one", "two", "three"):
            write(tmp_path / name, {"a": slower(factor)}, submission)
    alone = compare(tmp_path / "old", tmp_path / "new", submissions=["one"])
    together = compare(tmp_path / "old", tmp_path / "new")
    p_alone, p_together = (r.comparisons[0].workloads[0].p for r in (alone, together))
    assert p_together == pytest.approx(min(1, 3 * p_alone))
    assert [c.name for c in together.comparisons] == ["one", "three", "two"]
