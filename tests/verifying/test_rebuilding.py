"""From a record to the trial that the protocol draws for its place."""

import json
import shutil

import tiny

import algoperf_lite
from algoperf_lite.records import TRIAL_FILE
from tests.verifying.tampering import FIRST, Standing, edit_record, only, place


def test_a_seed_or_a_point_that_the_protocol_does_not_draw_is_told(results, verify):
    edit_record(place(results), seed=7)
    edit_record(place(results, FIRST), hyperparameters={"learning_rate": 0.04})
    found = verify(results)
    assert only(found).reason == "its seed is not what the protocol draws for it"
    assert only(found, FIRST).reason == "its point is not what the protocol draws for it"
    assert only(found).outcome == only(found, FIRST).outcome == "altered"
    suite = json.loads((results / "suite.json").read_text())
    (results / "suite.json").write_text(json.dumps(suite | {"studies": 1}))
    assert only(verify(results), study=1).reason == "suite.json declares no such study or trial"


def test_a_copy_under_another_name_does_not_reproduce(results, verify):
    def copy():
        shutil.rmtree(place(results, FIRST))
        shutil.copytree(place(results), place(results, FIRST))
        return only(verify(results, submissions=[FIRST]), FIRST)

    original = json.loads((place(results, FIRST) / TRIAL_FILE).read_text())
    assert "is a copy of a trial of 'second'" in copy().reason
    shutil.rmtree(place(results, FIRST))
    shutil.move(place(results), place(results, FIRST))
    moved = only(verify(results, submissions=[FIRST]), FIRST)
    assert moved.outcome == "altered"
    assert moved.reason == "it is a record of 'second', whose code this is not"
    names = ("submission", "submission_fingerprint", "hyperparameters")
    edit_record(place(results, FIRST), **{name: original[name] for name in names})
    assert only(verify(results, submissions=[FIRST]), FIRST).outcome == "differs"


def test_a_submission_sees_the_budget_that_it_was_told(folder, executor, verify, tmp_path):
    algoperf_lite.run([tiny.__file__], [f"{folder}/second.py"], tmp_path / "r", quick=True,
                      executor=Standing(executor, calibrate={"seconds_per_step": 5.0}))  # fmt: skip
    record = json.loads((place(tmp_path / "r") / TRIAL_FILE).read_text())
    assert (record["status"], record["budget_seconds"]) == ("target_reached", 500.0)
    files = {"tiny": tiny.__file__, "second": f"{folder}/second.py"}
    assert only(verify(tmp_path / "r", elsewhere=files)).outcome == "equal"
    edit_record(place(tmp_path / "r"), budget_seconds=1000.0)
    assert only(verify(tmp_path / "r", elsewhere=files)).outcome == "differs"
