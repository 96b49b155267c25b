"""Comparisons of small made results: what is paired with what, marks, what may not be compared."""

import hashlib
import io
import json
import math

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from algoperf_lite.errors import UsageError
from scoring.comparing.compare import compare
from scoring.comparing.view import ReportView, markdown
from tests.scoring import made_logs

TIMES = (10.0, 10.4, 9.7, 10.2)
ENVIRONMENT = {"platform": "cpu", "host_threads": 2, "python": "3.11", "versions": {"jax": "1"}}


def rows(seconds, steps=50):
    """Rows of a trial that evaluates after every step and meets its target at the last."""
    return [(seconds * i / steps, 5.0) for i in range(1, steps)] + [(seconds, 0.9)]


def record(study=0, workload="a", trial=1, **more):
    return {"status": "target_reached", "study": study, "workload": workload, "trial": trial,
            "workload_fingerprint": "f", "environment": ENVIRONMENT, "seed": study,
            "target": {"metric": "loss", "value": 1.0, "direction": "minimize"}} | more  # fmt: skip


def write(root, times, submission="one", declared=None, **changes):
    """A results directory: times by workload, a study each; None misses, "" is not run."""
    root.mkdir(parents=True, exist_ok=True)
    made = declared or made_logs.declared(tuple(times), studies=4, trials=1)
    (root / "suite.json").write_text(json.dumps(made))
    for workload, of_studies in times.items():
        for study, seconds in enumerate(of_studies):
            if seconds == "":
                continue
            missed = {} if seconds is not None else {"status": "budget_exhausted"}
            made_logs.write_trial(
                root, submission, workload, made_logs.MISS if missed else rows(seconds), study,
                record=record(study, workload, **(changes | missed)),
            )  # fmt: skip
    return root


def slower(factor, noise=(1.01, 0.99, 1.005, 1.0)):
    return [factor * t * n for t, n in zip(TIMES, noise, strict=True)]


def marks(report):
    return {row.workload: row.mark for c in report.comparisons for row in c.workloads}


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


def test_what_could_be_worse_unseen_is_listed(tmp_path):
    times = dict.fromkeys("abcde", TIMES)
    old = write(tmp_path / "old", times | {"d": (None,) * 4})
    write(tmp_path / "old", times, "two")
    none = ("",) * 4
    made = {"a": none, "b": (*TIMES[:2], "", ""), "c": (*TIMES[:3], ""), "d": (None,) * 4}
    new = write(tmp_path / "new", made, declared=made_logs.declared("abcd", studies=4, trials=1))
    assert compare(old, new).untested == [
        "one on a: not tested: not run by B",
        "one on b: not tested: too few studies: 2, 3 are needed; B lacks 2 of 4 trials: left out",
        "one on c: tested in part: B lacks 1 of 4 trials: left out",
        "only in A, not compared: two",
        "declared by A alone, not compared: e",
    ]


def test_the_correction_counts_all_tests_of_a_call(tmp_path):
    for name, factor in (("old", 1.0), ("new", 1.06)):
        for submission in ("one", "two", "three"):
            write(tmp_path / name, {"a": slower(factor)}, submission)
    alone = compare(tmp_path / "old", tmp_path / "new", submissions=["one"])
    together = compare(tmp_path / "old", tmp_path / "new")
    p_alone, p_together = (r.comparisons[0].workloads[0].p for r in (alone, together))
    assert p_together == pytest.approx(min(1, 3 * p_alone))
    assert [c.name for c in together.comparisons] == ["one", "three", "two"]


def test_two_submissions_of_one_directory(tmp_path):
    write(tmp_path, {"a": TIMES}, "one")
    write(tmp_path, {"a": slower(1.5)}, "two")
    report = compare(tmp_path / "one", tmp_path / "two/")
    assert marks(report) == {"a": "+"}
    assert report.comparisons[0].name == "one / two"
    assert report.regressions[0].startswith("one / two on a: 1.50x the time")


def test_other_seeds_are_noted(tmp_path):
    old, new = write(tmp_path / "old", {"a": TIMES}), write(tmp_path / "new", {"a": TIMES}, seed=7)
    (found,) = compare(old, new).comparisons
    assert found.notes == ("trials that are paired have different seeds: pairing gains little",)


def test_trials_that_were_timed_badly_are_counted(tmp_path):
    old, new = write(tmp_path / "old", {"a": TIMES}), write(tmp_path / "new", {"a": TIMES})
    path = made_logs.trial_dir(new, "one", "a", 2) / "trial.json"
    path.write_text(json.dumps({"schema": 1, **record(2, drifted=True, noisy=True)}))
    (found,) = compare(old, new).comparisons
    assert found.notes == (
        "timed while the machine's speed changed (noisy or drifted):"
        " 0 of 4 trials of A, 1 of 4 of B",
    )


def test_copies_of_a_run_are_noted(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES})
    new = write(tmp_path / "new", {"a": (TIMES[0], 10.5, *TIMES[2:])})
    for root, study in ((old, 1), (old, 2), (new, 1), (new, 2)):
        path = made_logs.trial_dir(root, "one", "a", study)
        digest = hashlib.sha256((path / "eval_measurements.csv").read_bytes()).hexdigest()
        more = record(study, evaluations_sha256=digest)
        (path / "trial.json").write_text(json.dumps({"schema": 1, **more}))
    (found,) = compare(old, new).comparisons
    assert found.notes == ("trials that are the same run in A and in B, no repetition: 1",)


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


def test_text_of_records_is_not_obeyed(tmp_path):
    """Neither by a terminal, nor by Markdown, and no half of a character ends the command."""
    evil = "\ud800 \x1b[2J\n<b> | ![](http://evil/p.png)"
    old = write(tmp_path / "old", {"a": TIMES}, environment=ENVIRONMENT | {evil: 0})
    environment = ENVIRONMENT | {"platform": evil, evil: 1}
    new = write(tmp_path / "new", {"a": TIMES}, environment=environment)
    report = compare(old, new)
    console = Console(file=io.TextIOWrapper(io.BytesIO(), "utf-8"), width=500)
    console.print(ReportView(report))
    console.file.seek(0)
    shown = console.file.read()
    assert "\x1b" not in shown
    assert "platform cpu / \\ud800 \\x1b[2J\\n<b> | ![](http://evil/p.png)" in shown
    page = MarkdownIt("commonmark").enable("table").render(markdown(report))
    assert "<img" not in page
    assert "<b>" not in page
    assert "\\ud800 \\x1b[2J &lt;b&gt; | ![](http://evil/p.png)" in page
    json.dumps(report.to_json(), allow_nan=False).encode()


def test_a_note_in_markdown_keeps_its_mark(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES})
    new = write(tmp_path / "new", {"a": (*slower(1.5)[:3], "")})
    page = MarkdownIt("commonmark").enable("table").render(markdown(compare(old, new)))
    assert "<p>+ a: B lacks 1 of 4 trials: left out</p>" in page


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


def test_the_json_is_strict_and_whole(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES, "b": (None,) * 4})
    new = write(tmp_path / "new", {"a": slower(1.3), "b": (None,) * 4})
    shown = json.loads(json.dumps(compare(old, new).to_json(), allow_nan=False))
    (found,) = shown["comparisons"]
    assert [row["mark"] for row in found["workloads"]] == ["+", "."]
    assert found["workloads"][1]["a"]["median"] is None
    assert found["a"]["submission"] == "one"
    assert len(shown["regressions"]) == 1
    assert not math.isnan(found["workloads"][0]["p"])
