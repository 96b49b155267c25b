"""Removing trials: which, what becomes of suite.json, and that nothing else is touched."""

import json
import os
import shutil

import pytest

from algoperf_lite import removing
from algoperf_lite.errors import UsageError
from algoperf_lite.removing import select_removal
from scoring import load_suite, score
from scoring.reader import read_records
from tests.scoring.made_logs import declared, hit, states, trial_dir, write_trial
from tests.stops import stops


@pytest.fixture
def results(tmp_path):
    """Two submissions, two workloads and a variant, two studies; one trial failed."""
    root = tmp_path / "results"
    root.mkdir()
    suite = declared(("a", "b"), ("a_deep",), studies=2, trials=1)
    suite["workloads"]["a_deep"]["base"] = "a"
    suite["submissions"] = {"one": {"ruleset": "self"}, "two": {"ruleset": "self"}}
    (root / "suite.json").write_text(json.dumps(suite))
    for submission in ("one", "two"):
        for workload in ("a", "b", "a_deep"):
            for study in (0, 1):
                failed = (submission, workload, study) == ("one", "b", 1)
                record = {"status": "error" if failed else "target_reached"}
                write_trial(root, submission, workload, hit(5), study, record=record)
    return root


def paths(root):
    return {str(path.relative_to(root)) for path in root.rglob("trial.json")}


def refused(*args, **kwargs):
    with pytest.raises(UsageError) as caught:
        select_removal(*args, **kwargs)
    return str(caught.value)


def test_selecting_removes_nothing(results):
    before = paths(results)
    removal = select_removal(results, statuses=["error"])
    assert [status for _, status in removal.trials] == ["error"]
    assert paths(results) == before


def test_trials_that_meet_all_conditions_go_and_no_others(results):
    before = paths(results)
    select_removal(results, submissions=["one"], workloads=["b"], studies=[1]).carry_out()
    assert before - paths(results) == {"one/study_1/b_jax/trial_1/trial.json"}
    assert not (results / "one" / "study_1" / "b_jax").exists()
    assert (results / "one" / "study_1").exists()


def test_a_suite_that_is_still_true_is_left_alone(results):
    before = (results / "suite.json").read_bytes()
    select_removal(results, studies=[1]).carry_out()
    assert (results / "suite.json").read_bytes() == before


def test_a_submission_that_is_gone_is_no_longer_declared(results):
    removal = select_removal(results, submissions=["two"])
    assert removal.submissions == ("two",)
    removal.carry_out()
    assert list(load_suite(results / "suite.json").submissions) == ["one"]
    assert not (results / "two").exists()
    assert not score(results).problems


def test_a_workload_that_is_gone_is_no_longer_declared(results):
    removal = select_removal(results, workloads=["b"])
    assert (removal.submissions, removal.workloads) == ((), ("b",))
    removal.carry_out()
    suite = json.loads((results / "suite.json").read_text())
    assert suite["base_workloads"] == ["a"]
    assert sorted(suite["workloads"]) == ["a", "a_deep"]
    assert not score(results).problems


def test_a_base_workload_does_not_go_without_its_variants(results):
    said = refused(results, workloads=["a"])
    assert "its held-out variant a_deep stays" in said
    select_removal(results, workloads=["a", "a_deep"]).carry_out()
    assert load_suite(results / "suite.json").names == ("b",)


def test_of_nothing_nothing_is_declared(results):
    select_removal(results, studies=[0, 1]).carry_out()
    assert list(results.iterdir()) == []


def test_no_match_removes_nothing(results):
    before = paths(results)
    removal = select_removal(results, statuses=["diverged"])
    assert removal.trials == ()
    removal.carry_out()
    assert paths(results) == before
    assert (results / "suite.json").exists()


def test_unfinished_and_unreadable_trials_can_be_selected(results):
    (trial_dir(results, "one", "a") / "trial.json").unlink()
    (trial_dir(results, "two", "a") / "trial.json").write_text("{")
    for status, name in (("unfinished", "one"), ("unreadable", "two")):
        (found,) = select_removal(results, statuses=[status]).trials
        assert found[0].submission == name


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({}, "say which trials"),
        ({"submissions": ["on"]}, "did you mean 'one'"),
        ({"submissions": ["../results/one"]}, "unknown submission"),
        ({"workloads": ["c"]}, "unknown workload 'c'"),
        ({"studies": [7]}, "unknown study '7'"),
        ({"statuses": ["errors"]}, "did you mean 'error'"),
    ],
)
def test_a_selection_of_nothing_known_is_refused(results, selection, said):
    assert said in refused(results, **selection)


def test_only_in_a_results_directory(results):
    assert "holds no suite.json" in refused(results / "one", studies=[0])
    assert "no such directory" in refused(results / "none", studies=[0])


def test_links_are_never_followed(results, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(results / "one", outside / "one")
    before = paths(outside)
    (results / "linked").symlink_to(outside / "one")
    (results / "two" / "study_7").symlink_to(outside / "one" / "study_0")
    (trial_dir(results, "one", "a") / "inside").symlink_to(outside)
    select_removal(results, statuses=["target_reached", "error"]).carry_out()
    assert paths(outside) == before
    assert paths(results) == set()
    assert (results / "linked").is_symlink()


def test_what_a_link_leads_to_is_still_there(results, tmp_path):
    before = (results / "suite.json").read_bytes()
    (results / "two" / "study_0" / "b_jax").rename(tmp_path / "b_jax")
    (results / "two" / "study_0" / "b_jax").symlink_to(tmp_path / "b_jax")
    (results / "two" / "study_1" / "loop_jax").symlink_to("loop_jax")
    removal = select_removal(results, workloads=["b"])
    assert (len(removal.trials), removal.workloads) == (3, ())
    removal.carry_out()
    removal = select_removal(results, submissions=["two"])
    assert removal.submissions == ()
    removal.carry_out()
    assert (results / "suite.json").read_bytes() == before
    assert states(score(results), "two")["b"] == "missed"  # one of two studies


def test_a_link_to_what_goes_keeps_nothing(results):
    (results / "also").symlink_to("two")
    assert select_removal(results, submissions=["two"]).submissions == ("two",)


def test_a_variant_counts_through_the_base_that_its_name_says(results):
    suite = json.loads((results / "suite.json").read_text())
    del suite["workloads"]["a_deep"]["base"]
    (results / "suite.json").write_text(json.dumps(suite))
    assert "its held-out variant a_deep stays" in refused(results, workloads=["a"])


def test_a_suite_that_cannot_be_scored_is_not_written(results):
    suite = json.loads((results / "suite.json").read_text())
    (results / "suite.json").write_text(json.dumps(suite | {"studies": 0}))
    assert "studies must be" in refused(results, workloads=["b"])
    select_removal(results, statuses=["error"])  # changes no suite


@pytest.mark.parametrize("selection", [{"workloads": ["a", "a_deep"]}, {"studies": [0, 1]}])
def test_wherever_a_removal_stops_it_is_true_and_goes_on(results, tmp_path, selection):
    keep_small(results)
    start, end = tmp_path / "start", tmp_path / "end"
    shutil.copytree(results, start)
    before = reached(results)
    select_removal(results, **selection).carry_out()
    shutil.copytree(results, end)
    after = reached(end)

    def restore():
        shutil.rmtree(results)
        shutil.copytree(start, results)

    restore()
    removal, count = select_removal(results, **selection), 0
    for where in stops(removal.carry_out, restore):
        assert after <= reached(results) <= before, where
        select_removal(results, **selection).carry_out()
        assert tree(results) == tree(end), where
        count += 1
    assert count > 10


def test_any_removal_completes_an_earlier_one(results, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(removing, "write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            select_removal(results, submissions=["two"]).carry_out()
    removal = select_removal(results, statuses=["error"])
    assert (removal.resumed, removal.submissions) == (True, ("two",))
    removal.carry_out()
    assert list(load_suite(results / "suite.json").submissions) == ["one"]
    assert sorted(path.name for path in results.iterdir()) == ["one", "suite.json"]


def test_what_was_run_again_since_a_removal_stopped_is_kept(results, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(removing, "write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            select_removal(results, submissions=["two"]).carry_out()
    write_trial(results, "two", "a", hit(5), record={"status": "target_reached"})
    select_removal(results, statuses=["error"]).carry_out()
    assert sorted(load_suite(results / "suite.json").submissions) == ["one", "two"]
    assert (trial_dir(results, "two", "a") / "trial.json").exists()


def interrupted(*_):
    raise KeyboardInterrupt


def keep_small(results):
    """Leaves a few trials, the failed one among them."""
    for place in ("one/study_0", "one/study_1/a_jax", "two/study_1", "two/study_0/b_jax"):
        shutil.rmtree(results / place)


def reached(results):
    """Which trials score; none where the directory does not."""
    if not (results / "suite.json").exists():
        return set()
    suite = load_suite(results / "suite.json")
    try:
        trials = read_records(results, suite).trials
        return {os.path.relpath(trial.path, results) for trial in trials if trial.reached}
    except UsageError as error:
        assert "holds no trial" in str(error)
        return set()


def tree(root):
    return {str(p.relative_to(root)): p.is_file() and p.read_bytes() for p in root.rglob("*")}
