"""Records that are damaged, or contradict their suite, in a comparison."""

import json

from scoring.comparing.compare import compare
from tests.scoring import made_logs
from tests.scoring.comparing.made_comparisons import TIMES, marks, record, rows, write


def test_a_damaged_trial_is_reported_and_is_no_pair(tmp_path):
    old, new = (write(tmp_path / name, {"a": TIMES}) for name in ("old", "new"))
    trial = made_logs.trial_dir(new, "one", "a", 1)
    (trial / "trial.json").unlink()
    report = compare(old, new)
    assert [problem.path for problem in report.problems] == [str(trial)]
    assert report.comparisons[0].workloads[0].ratio.pairs == 3


def test_a_trial_that_cannot_be_believed_is_no_failure(tmp_path):
    old, new = (write(tmp_path / name, {"a": TIMES}) for name in ("old", "new"))
    for study in range(3):
        (made_logs.trial_dir(new, "one", "a", study) / "trial.json").write_text("{")
    report = compare(old, new)
    assert marks(report) == {"a": "?"}
    assert len(report.problems) == 3
    assert report.comparisons[0].workloads[0].b.studies == (10.2,)


def test_a_trial_that_broke_the_rules_of_timing_is_a_failure(tmp_path):
    old, new = (write(tmp_path / name, {"a": TIMES}) for name in ("old", "new"))
    for study in range(3):
        path = made_logs.trial_dir(new, "one", "a", study) / "trial.json"
        more = {"status": "invalid", "reason": "patched time"}
        path.write_text(json.dumps({"schema": 1, **record(study, **more)}))
    report = compare(old, new)
    assert report.regressions == ["one on a: newly failing (met 1/4, was 4/4)"]
    said = "invalid, so missed: 3 of 4 trials of B: patched time"
    assert report.comparisons[0].notes == (said,)
    assert report.problems == ()


def test_a_suite_that_contradicts_its_records_is_named(tmp_path):
    declared = made_logs.declared(("a",), studies=4, trials=1)
    declared["workloads"]["a"]["validation_target_value"] = 0.95
    old = write(tmp_path / "old", {"a": TIMES}, declared=declared)
    new = write(tmp_path / "new", {"a": TIMES})
    report = compare(old, new)
    assert [problem.path for problem in report.problems] == [str(old / "suite.json")]
    (row,) = report.comparisons[0].workloads
    assert row.mark == "x"
    said = "was run for the target 'loss' 1.0, the suite declares 'loss' 0.95: not counted"
    assert f"no trial of A that counts: {said}" in row.notes


def test_side_problems_of_others_are_not_shown(tmp_path):
    old, new = (write(tmp_path / name, {"a": TIMES}) for name in ("old", "new"))
    made_logs.write_trial(old, "other", "a", rows(1.0), record=record() | {"schema": 99})
    (old / "stray").touch()
    assert compare(old, new, submissions=["one"]).problems == ()
