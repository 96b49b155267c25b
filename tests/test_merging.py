"""Merging results directories: what comes together, what must not, and where it may stop."""

import json
import os
import shutil

import pytest

from algoperf_lite import copying
from algoperf_lite.errors import UsageError
from algoperf_lite.merging import plan_merge
from scoring import load_suite, score
from scoring.reader import read_records
from tests.scoring.made_logs import declared, hit, trial_dir, write_trial
from tests.stops import stops


def make(root, submissions=("one",), workloads=("a",), studies=1, code="f", **settings):
    """A results directory with a trial for each submission, workload and study."""
    root.mkdir()
    suite = declared(workloads, studies=studies, trials=1, seed=0, device="d", **settings)
    suite["submissions"] = {name: {"ruleset": "external"} for name in submissions}
    for name in workloads:
        suite["workloads"][name]["fingerprint"] = f"of {name}"
    (root / "suite.json").write_text(json.dumps(suite))
    for submission in submissions:
        for workload in workloads:
            for study in range(studies):
                record = {"status": "target_reached", "submission": submission,
                          "submission_fingerprint": code}  # fmt: skip
                write_trial(root, submission, workload, hit(5 + study), study, record=record)
    return root


def change(root, **settings):
    suite = json.loads((root / "suite.json").read_text())
    (root / "suite.json").write_text(json.dumps(suite | settings))


def tree(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def refused(*args, **kwargs):
    with pytest.raises(UsageError) as caught:
        plan_merge(*args, **kwargs)
    return str(caught.value)


def test_submissions_and_workloads_come_together_and_score(tmp_path):
    one = make(tmp_path / "1", ["one"], ["a", "b"])
    two = make(tmp_path / "2", ["two"], ["a"])
    before = tree(one), tree(two)
    merge = plan_merge([one, two], tmp_path / "both")
    assert not (tmp_path / "both").exists()  # planning alone does nothing
    merge.carry_out()
    board = score(tmp_path / "both")
    assert {row.name: row.targets_reached for row in board.rows} == {"one": 2, "two": 1}
    assert not board.problems
    assert merge.notes == ("no trials on b, which counts as missed until they are run: two",)
    assert (tree(one), tree(two)) == before


def test_everything_of_a_trial_is_copied(tmp_path):
    one = make(tmp_path / "1")
    trial = trial_dir(one, "one", "a")
    (trial / "events").mkdir()
    (trial / "events" / "x").write_text("more")
    plan_merge([one], tmp_path / "both").carry_out()
    copied, original = tree(tmp_path / "both"), tree(one)
    assert copied.keys() == original.keys()
    assert all(copied[name] == original[name] for name in copied if name != "suite.json")


def test_identical_trials_are_taken_once(tmp_path):
    one = make(tmp_path / "1", studies=2)
    shutil.copytree(one, tmp_path / "2")
    merge = plan_merge([one, tmp_path / "2"], tmp_path / "both")
    assert (len(merge.copies), merge.identical) == (2, 2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"studies": 2}, "studies=1"),
        ({"trials": 5}, "trials=5"),
        ({"seed": 1}, "seed=1"),
        ({"device": "e"}, "device=e"),
        ({"max_steps": 10, "points": "default"}, None),  # the other does not say
        ({"ruleset": "self"}, None),
    ],
)
def test_settings_must_agree(tmp_path, settings, said):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", ["two"])
    change(two, **settings)
    if said is None:
        plan_merge([one, two], tmp_path / "both")
    else:
        assert said in refused([one, two], tmp_path / "both")


def test_explored_points_may_join_others(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", ["two"])
    change(one, points="given", trials=4)
    change(two, points="given", trials=9)
    assert plan_merge([one, two], tmp_path / "both").suite["trials"] == 9


def test_workloads_must_be_the_same(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", ["two"])
    entry = {"target_metric_name": "loss", "validation_target_value": 1.0, "fingerprint": "other"}
    change(two, workloads={"a": entry})
    assert "a is another version" in refused([one, two], tmp_path / "both")
    change(two, workloads={"a": entry | {"validation_target_value": 0.5}})
    assert "another target: loss 1.0" in refused([one, two], tmp_path / "both")
    change(one, base_workloads=["a", "b"])
    change(two, base_workloads=["b"], held_out_workloads=["a"])
    assert "a is held out in one of" in refused([one, two], tmp_path / "both")


def test_all_reasons_are_told_at_once(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", code="g")
    change(two, seed=4, submissions={"one": {"ruleset": "self"}})
    said = refused([one, two], tmp_path / "both")
    assert "seed=4" in said
    assert "one is held to external" in said
    assert "not the same code" in said
    assert "two runs" not in said  # follows from the code


def test_other_runs_of_one_trial_are_refused(tmp_path):
    one, two = make(tmp_path / "1", studies=2), make(tmp_path / "2", studies=2)
    for study in range(2):
        csv = trial_dir(two, "one", "a", study) / "eval_measurements.csv"
        csv.write_text(csv.read_text().replace("0.9", "0.8"))
    said = refused([one, two], tmp_path / "both")
    assert "two runs of one trial (and 1 more like it)" in said
    assert "--rename one=NAME" in said


def test_other_code_goes_by_another_name(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", code="g")
    plan_merge([one, two], tmp_path / "both", rename=[("one", "newer")]).carry_out()
    suite = json.loads((tmp_path / "both" / "suite.json").read_text())
    assert sorted(suite["submissions"]) == ["newer", "one"]
    records = [json.loads((trial_dir(tmp_path / "both", name, "a") / "trial.json").read_text())
               for name in ("one", "newer")]  # fmt: skip
    assert [r["submission"] for r in records] == ["one", "newer"]
    assert [r["submission_fingerprint"] for r in records] == ["f", "g"]


def test_one_run_does_not_score_under_two_names(tmp_path):
    one = make(tmp_path / "1")
    path = trial_dir(one, "one", "a") / "trial.json"
    record = json.loads(path.read_text()) | {"evaluations_sha256": "digest"}
    path.write_text(json.dumps(record))
    shutil.copytree(one, tmp_path / "2")
    said = refused([one, tmp_path / "2"], tmp_path / "both", rename=[("one", "copy")])
    assert "one and copy are one submission under two names" in said


def test_a_rename_may_name_its_source(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", code="g")
    merge = plan_merge([one, two], tmp_path / "both", rename=[(f"{one}/one", "older")])
    places = {trial.path: to.parts[-4] for trial, to in merge.copies}
    assert places == {str(trial_dir(one, "one", "a")): "older",
                      str(trial_dir(two, "one", "a")): "one"}  # fmt: skip
    assert "did you mean 'one'" in refused([one], tmp_path / "both", rename=[("on", "x")])
    assert "no name for a directory" in refused([one], tmp_path / "both", rename=[("one", "../x")])


def test_unfinished_trials_are_left_out(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2")
    (trial_dir(one, "one", "a") / "trial.json").unlink()
    merge = plan_merge([one, two], tmp_path / "both")
    assert merge.unfinished == (str(trial_dir(one, "one", "a")),)
    assert [trial.path for trial, _ in merge.copies] == [str(trial_dir(two, "one", "a"))]


def test_adding_to_a_directory_changes_nothing_in_it_but_the_suite(tmp_path):
    dest, two = make(tmp_path / "1"), make(tmp_path / "2", ["one", "two"])
    before = tree(dest)
    merge = plan_merge([two], dest, into=True)
    assert [to.parts[-4] for _, to in merge.copies] == ["two"]
    assert merge.identical == 1
    merge.carry_out()
    after = tree(dest)
    assert all(after[name] == before[name] for name in before if name != "suite.json")
    assert {row.name for row in score(dest).rows} == {"one", "two"}


def test_nothing_is_overwritten(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2")
    assert "nothing is overwritten" in refused([one], two)
    (tmp_path / "empty").mkdir()
    plan_merge([one], tmp_path / "empty")
    (trial_dir(two, "one", "a") / "trial.json").unlink()
    assert "--status unfinished" in refused([one], two, into=True)
    for inside in (one / "x", tmp_path):
        assert "lie in each other" in refused([one], inside, into=inside == tmp_path)
    assert "named twice" in refused([one, tmp_path / "." / "1"], tmp_path / "both")


def test_what_is_no_results_directory_is_refused(tmp_path):
    one = make(tmp_path / "1")
    (one / "suite.json").unlink()
    assert "holds no suite.json" in refused([one], tmp_path / "both")
    assert "no such directory" in refused([tmp_path / "none"], tmp_path / "both")


def test_links_are_not_followed(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", ["two"])
    (one / "linked").symlink_to(two / "two")
    merge = plan_merge([one], tmp_path / "both")
    assert len(merge.copies) == 1
    assert merge.notes == (f"{one / 'linked'} is a link: not followed, so not copied",)


def test_names_that_differ_by_case_only_are_refused(tmp_path):
    one, two = make(tmp_path / "1", ["Adam"]), make(tmp_path / "2", ["adam", "other"])
    assert "Adam in" in (said := refused([one, two], tmp_path / "both"))
    assert "differ by case only" in said
    assert "--rename adam=NAME" in said
    assert "differ by" in refused([two], tmp_path / "both", rename=[("other", "ADAM")])
    plan_merge([one, two], tmp_path / "both", rename=[("adam", "other2")])


def test_a_rename_does_not_make_two_submissions_one(tmp_path):
    one = make(tmp_path / "1", ["x", "y"])
    said = refused([one], tmp_path / "both", rename=[("x", "y")])
    assert "make 2 submissions" in said
    assert "make 2" in refused([one], tmp_path / "both", rename=[("x", "z"), ("y", "z")])
    swapped = plan_merge([one], tmp_path / "both", rename=[("x", "y"), ("y", "x")])
    assert {trial.submission: to.parts[-4] for trial, to in swapped.copies} == {"x": "y", "y": "x"}


@pytest.mark.parametrize("to", ["suite.json", "nowhere"])
def test_a_link_inside_a_trial_is_refused(tmp_path, to):
    one = make(tmp_path / "1")
    link = trial_dir(one, "one", "a") / "more" / "link"
    link.parent.mkdir()
    link.symlink_to(one / to)
    assert f"{link} is a link" in refused([one], tmp_path / "both")


def test_unreadable_records_are_told_with_all_other_reasons(tmp_path):
    one, two = make(tmp_path / "1"), make(tmp_path / "2", ["x", "y"])
    change(two, seed=4)
    for name in ("x", "y"):
        (trial_dir(two, name, "a") / "trial.json").write_text("{")
    said = refused([one, two], tmp_path / "both")
    assert said.count("not JSON") == 2
    assert "seed=4" in said


@pytest.mark.parametrize("into", [False, True])
def test_wherever_a_merge_stops_it_is_true_and_goes_on(tmp_path, into):
    old, new = make(tmp_path / "1"), make(tmp_path / "2", ["one", "two"], ["b"])
    failed = trial_dir(new, "two", "b") / "trial.json"
    failed.write_text(failed.read_text().replace("target_reached", "error"))
    dest, start, end = tmp_path / "dest", tmp_path / "start", tmp_path / "end"
    shutil.copytree(old, start) if into else start.mkdir()

    def planned():
        return plan_merge([new] if into else [old, new], dest, into=into, rename=[("two", "new")])

    def restore():
        shutil.rmtree(dest, ignore_errors=True)
        shutil.copytree(start, dest)

    restore()
    planned().carry_out()
    dest.rename(end)
    restore()
    merge, count = planned(), 0
    before, complete = reached(dest), reached(end)
    assert (len(before), len(complete)) == (into, 2)
    for where in stops(merge.carry_out, restore):
        there = reached(dest)
        assert before <= there <= complete if into else there in (set(), complete), where
        planned().carry_out()
        assert tree(dest) == tree(end), where
        count += 1
    assert count > 30


def test_only_the_same_merge_goes_on(tmp_path, monkeypatch):
    one, two, both = make(tmp_path / "1"), make(tmp_path / "2", ["two"]), tmp_path / "both"
    with monkeypatch.context() as patch:
        patch.setattr(copying, "write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            plan_merge([one, two], both).carry_out()
    assert plan_merge([one, two], both).identical == 2
    assert "it was not this one" in refused([one], both)
    (both / "suite.json").write_text("{}")
    assert "suite.json is not what" in refused([one, two], both)


def interrupted(*_):
    raise KeyboardInterrupt


def reached(results):
    """Which trials score; none where the directory does not."""
    if not (results / "suite.json").exists():
        return set()
    trials = read_records(results, load_suite(results / "suite.json")).trials
    return {os.path.relpath(trial.path, results) for trial in trials if trial.reached}
