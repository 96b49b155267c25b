"""What a watcher sees of a directory that others write to, look by look; nothing sleeps."""

import hashlib
import json
import math
import os

import pytest

from algoperf_lite.watching import Watcher
from algoperf_lite.watching import watcher as module
from scoring.reader import read_records
from scoring.suite import load_suite
from tests.scoring.made_logs import MISS, declared, hit, untimed_hit, write_trial

NOW = 2_000_000_000.0
TWO = {"a": {"ruleset": "external"}, "b": {"ruleset": "external"}}


def reached(wall=10.0, **more):
    return {"status": "target_reached", "off_clock": {"wall": wall}, **more}


def declare(root, studies=1, trials=1, submissions=TWO, **more):
    root.mkdir(exist_ok=True)
    content = declared(studies=studies, trials=trials, submissions=submissions, **more)
    (root / "suite.json").write_text(json.dumps(content))


def begin(root, submission, workload, rows=(), at=NOW - 4, **place):
    """A trial that is running: evaluations, no trial.json."""
    path = write_trial(root, submission, workload, rows, **place)
    (path / "hparams.json").write_text("{}")
    for inner in (*path.iterdir(), path):
        os.utime(inner, (at, at))
    return path


@pytest.fixture
def root(tmp_path):
    declare(tmp_path / "r")
    return tmp_path / "r"


def test_a_directory_comes_to_be(tmp_path):
    root = tmp_path / "r"
    watcher = Watcher(root)
    assert watcher.look().state == "absent"
    root.mkdir()
    assert watcher.look().state == "undeclared"
    declare(root)
    found = watcher.look()
    assert (found.state, found.declared, found.ended, found.seconds_left) == ("idle", 4, (), None)


@pytest.mark.parametrize("text", ["", '{"base_work', "[]", '{"schema": 99}'])
def test_a_suite_that_is_half_written_is_told_and_read_when_it_is_whole(root, text):
    whole = (root / "suite.json").read_text()
    (root / "suite.json").write_text(text)
    watcher = Watcher(root)
    found = watcher.look()
    assert found.state == "undeclared"
    assert len(found.problems) == 1 and "suite.json" in found.problems[0]
    (root / "suite.json").write_text(whole)
    assert (watcher.look().state, watcher.look().problems) == ("idle", ())


def test_a_suite_that_declares_no_run_is_told(root):
    (root / "suite.json").write_text(json.dumps(declared()))
    assert "declares no submissions" in Watcher(root).look().problems[0]


def test_trials_end_one_by_one_until_all_are_there(root):
    watcher = Watcher(root)
    for count, (name, workload) in enumerate([("a", "a"), ("b", "a"), ("a", "b"), ("b", "b")]):
        assert len(watcher.look().ended) == count
        write_trial(root, name, workload, hit(2.0), record=reached())
    found = watcher.look()
    assert (found.state, len(found.ended), found.failures) == ("complete", 4, [])
    assert [row.score for row in found.standings.rows] == [1.0, 1.0]


def test_times_are_as_scored(root):
    import scoring

    write_trial(root, "a", "a", [(1.0, math.nan), (2.0, 0.9), (3.0, 0.5)], record=reached())
    write_trial(root, "b", "a", [(4.0, 0.9)], record=reached(budget_seconds=3.0))
    write_trial(root, "a", "b", hit(5.0), record={"status": "error"})
    write_trial(root, "b", "b", MISS, record={"status": "budget_exhausted"})
    found = Watcher(root).look()
    times = {(e.trial.submission, e.trial.workload): e.time for e in found.ended}
    board = scoring.score(root)
    for row in board.rows:
        for workload, time in row.times.items():
            assert times[row.name, workload] == time, (row.name, workload)
    assert times["a", "a"] == 2.0


def test_evaluations_that_changed_since_are_told_and_miss(root):
    write_trial(root, "a", "a", hit(2.0), record=reached(evaluations_sha256="0" * 64))
    found = Watcher(root).look()
    assert found.ended[0].time == math.inf
    assert "has changed" in found.problems[0]


def put_record(path, **record):
    digest = hashlib.sha256((path / "eval_measurements.csv").read_bytes()).hexdigest()
    record = {"schema": 1, "evaluations_sha256": digest} | record
    (path / "trial.json").write_text(json.dumps(record))


def test_what_the_scorer_does_not_believe_is_no_hit(root):
    declare(root, studies=2)
    put_record(write_trial(root, "a", "a", hit(2.0)), submission="a", **reached())
    copied = write_trial(root, "b", "a", hit(2.0))
    put_record(copied, submission="a", **reached())
    other = write_trial(root, "a", "b", hit(3.0))
    put_record(other, **reached(target={"metric": "loss", "value": 9.0}))
    put_record(write_trial(root, "b", "b", hit(4.0)), status="budget_exhausted")
    put_record(write_trial(root, "a", "a", MISS, study=1), **reached())
    changed = write_trial(root, "b", "a", hit(5.0), study=1)
    put_record(changed, **reached(evaluations_sha256="0" * 64))
    put_record(write_trial(root, "a", "b", hit(6.0), study=1), status="invalid")
    put_record(write_trial(root, "b", "b", hit(7.0), study=1), **reached())
    found = Watcher(root).look()
    declared = load_suite(root / "suite.json")
    scored = read_records(root, declared)
    assert {e.trial.path: (e.time, e.status, e.reason) for e in found.ended} == {
        trial.path: (trial.time, trial.status, trial.reason) for trial in scored.trials
    }
    assert sum(math.isfinite(ended.time) for ended in found.ended) == 2
    assert sorted(found.problems) == sorted(map(str, scored.problems))
    assert len(found.problems) == 4


def test_a_copy_is_told_apart_when_its_original_comes(root):
    watcher = Watcher(root)
    put_record(write_trial(root, "b", "a", hit(2.0)), submission="a", **reached())
    assert [ended.time for ended in watcher.look().ended] == [2.0]
    put_record(write_trial(root, "a", "a", hit(2.0)), submission="a", **reached())
    times = {ended.trial.submission: ended.time for ended in watcher.look().ended}
    assert times == {"a": 2.0, "b": math.inf}


@pytest.mark.parametrize("wall", ["long", None, [1.0], 1e400, 10**400])
def test_a_wall_time_that_is_none_is_left_out(root, wall):
    write_trial(root, "a", "a", hit(2.0), record=reached(wall))
    write_trial(root, "b", "a", hit(2.0), record=reached(10.0))
    assert Watcher(root).look().seconds_left == 20.0


def test_only_what_has_changed_is_read(root, monkeypatch):
    read = []
    monkeypatch.setattr(module, "read_ended", lambda trial, *rest, f=module.read_ended: (
        read.append(trial.submission), f(trial, *rest))[1])  # fmt: skip
    monkeypatch.setattr(module, "last_row", lambda path, f=module.last_row: (
        read.append("csv"), f(path))[1])  # fmt: skip
    monkeypatch.setattr(module, "load_suite", lambda path, f=module.load_suite: (
        read.append("suite"), f(path))[1])  # fmt: skip
    write_trial(root, "a", "a", hit(2.0), record=reached())
    growing = begin(root, "b", "a", [(1.0, 5.0)]) / "eval_measurements.csv"
    watcher = Watcher(root)
    for _ in range(3):
        assert watcher.look().running.seconds == 1.0
    assert read == ["suite", "a", "csv"]
    with growing.open("a") as file:
        file.write("2.0,20,4.0,100\n")
    assert watcher.look().running.seconds == 2.0
    assert read == ["suite", "a", "csv", "csv"]


def test_a_record_that_cannot_be_read_is_told_and_not_done(root):
    path = write_trial(root, "a", "a", hit(2.0), record=reached())
    whole = (path / "trial.json").read_text()
    (path / "trial.json").write_text(whole[:20])
    watcher = Watcher(root)
    found = watcher.look()
    assert (len(found.ended), found.running) == (0, None)
    assert "trial.json: is not readable JSON" in found.problems[0]
    (path / "trial.json").write_text(whole)
    assert (len(watcher.look().ended), watcher.look().problems) == (1, ())


def test_an_interrupted_trial_is_not_done_and_runs_again(root):
    path = write_trial(root, "a", "a", MISS, record={"status": "interrupted"})
    watcher = Watcher(root)
    assert (watcher.look().state, len(watcher.look().ended)) == ("idle", 0)
    (path / "trial.json").unlink()
    assert watcher.look().running.trial.submission == "a"


def test_a_trial_that_is_run_anew_is_no_longer_ended(root):
    path = write_trial(root, "a", "a", MISS, record={"status": "error", "reason": "x"})
    watcher = Watcher(root)
    assert [e.reason for e in watcher.look().failures] == ["x"]
    (path / "trial.json").unlink()
    found = watcher.look()
    assert (found.state, found.ended) == ("running", ())


def test_the_running_trial_is_the_newest_and_at_its_last_whole_row(root):
    write_trial(root, "a", "a", hit(2.0), record=reached(budget_seconds=8.0))
    begin(root, "b", "a", [(1.0, 5.0)], at=NOW - 500)  # was killed
    write_trial(root, "b", "b", MISS, record={"status": "budget_exhausted", "budget_seconds": 8.0})
    path = begin(root, "a", "b", [(1.0, 5.0), (2.0, 4.5)])
    with (path / "eval_measurements.csv").open("a") as file:
        file.write("3.0,20,4.")
    running = Watcher(root).look(NOW).running
    assert (running.trial.submission, running.trial.workload) == ("a", "b")
    assert (running.step, running.seconds, running.value) == (10, 2.0, 4.5)
    assert (running.budget, running.part) == (8.0, 0.25)
    assert running.target.value == 1.0


@pytest.mark.parametrize("rows", [None, "", "accumulated_submission_time,global_st", "a,b\n1\n"])
def test_a_trial_without_a_whole_evaluation_runs_all_the_same(root, rows):
    path = begin(root, "a", "a")
    (path / "eval_measurements.csv").unlink()
    if rows is not None:
        (path / "eval_measurements.csv").write_text(rows)
    running = Watcher(root).look(NOW).running
    assert (running.step, running.seconds, running.value, running.part) == (None,) * 4


def test_a_metric_that_is_not_a_number_is_none(root):
    begin(root, "a", "a", [(1.0, math.nan)])
    running = Watcher(root).look(NOW).running
    assert (running.step, running.value) == (0, None)


def test_the_last_row_of_a_long_file_is_found_at_its_end(root):
    begin(root, "a", "a", [(float(i), 5.0) for i in range(3000)])
    assert Watcher(root).look(NOW).running.seconds == 2999.0


def test_a_run_by_steps_is_measured_in_steps(root):
    declare(root, max_steps=40)
    begin(root, "a", "a", [(1.0, 5.0), (2.0, 5.0)])
    running = Watcher(root).look(NOW).running
    assert (running.step, running.max_steps, running.part) == (10, 40, 0.25)


def test_time_left_is_of_the_medians_less_what_the_running_trial_has_had(root):
    declare(root, studies=3)
    for study, wall in enumerate((10.0, 20.0, 90.0)):
        write_trial(root, "a", "a", hit(2.0), study=study, record=reached(wall))
    begin(root, "b", "a", at=NOW - 4)
    # Three of "a" are to do, at 20 s each; six of "b", of which nothing is known, likewise.
    assert Watcher(root).look(NOW).seconds_left == pytest.approx(9 * 20.0 - 4)
    assert Watcher(root).look(NOW + 500).seconds_left == pytest.approx(8 * 20.0)


def test_time_left_knows_workloads_apart(root):
    declare(root, studies=2)
    write_trial(root, "a", "a", hit(2.0), record=reached(10.0))
    write_trial(root, "a", "a", hit(2.0), study=1, record=reached(10.0))
    write_trial(root, "a", "b", hit(2.0), record=reached(50.0))
    assert Watcher(root).look(NOW).seconds_left == pytest.approx(2 * 10.0 + 3 * 50.0)


def test_a_budget_is_that_of_the_same_ruleset(root):
    declare(root, submissions=TWO | {"c": {"ruleset": "self"}})
    write_trial(root, "a", "a", hit(2.0), record=reached(budget_seconds=8.0))
    begin(root, "c", "a", [(3.0, 5.0)])
    assert Watcher(root).look(NOW).running.budget is None


def test_self_tuning_owes_one_trial(root):
    declare(root, trials=5, submissions=TWO | {"c": {"ruleset": "self"}})
    assert Watcher(root).look().declared == 2 * (5 + 5 + 1)


def test_more_may_be_declared_later(root):
    watcher = Watcher(root)
    assert watcher.look().declared == 4
    declare(root, submissions=TWO | {"c": {"ruleset": "self"}})
    assert watcher.look().declared == 6


def test_an_exploration_has_no_standings(root):
    declare(root, points="given")
    write_trial(root, "a", "a", MISS, record={"status": "stopped", "timed": False})
    found = Watcher(root).look()
    assert (found.standings, len(found.ended), found.clock) == (None, 1, "time")


def test_a_run_that_is_not_timed_stands_by_steps(root):
    for name, steps in (("a", 20), ("b", 40)):
        record = {"status": "target_reached", "timed": False, "seconds": None}
        write_trial(root, name, "a", untimed_hit(steps), record=record)
    begin(root, "a", "b", untimed_hit(10))
    found = Watcher(root).look(NOW)
    assert (found.clock, found.problems) == ("steps", ())
    assert {e.trial.submission: (e.time, e.unit) for e in found.ended} == {
        "a": (20.0, "steps"), "b": (40.0, "steps")}  # fmt: skip
    assert [(row.name, row.ratios) for row in found.standings.rows] == [
        ("a", {"a": 1.0}), ("b", {"a": 2.0})]  # fmt: skip
    assert (found.running.step, found.running.seconds) == (10, None)


def test_a_run_may_be_declared_not_to_be_timed(root):
    declare(root, timed=False)
    write_trial(root, "a", "a", MISS, record={"status": "error"})
    assert Watcher(root).look().clock == "steps"


def test_a_trial_that_is_not_timed_is_measured_by_the_steps_of_another(root):
    limits = {"budget_seconds": 8.0, "max_steps": 90}
    record = {"status": "target_reached", "timed": False, **limits}
    write_trial(root, "a", "a", untimed_hit(20), record=record)
    begin(root, "b", "a", untimed_hit(30))
    running = Watcher(root).look(NOW).running
    assert (running.step, running.budget, running.part) == (30, None, pytest.approx(1 / 3))


def test_what_is_seen_is_json(root):
    write_trial(root, "a", "a", MISS, record={"status": "diverged", "reason": "nan"})
    begin(root, "b", "a", [(1.0, 5.0)])
    shown = json.loads(json.dumps(Watcher(root).look(NOW).to_json(), allow_nan=False))
    assert shown["state"] == "running"
    assert shown["ended"][0]["time"] is None and shown["ended"][0]["failed"]
    assert shown["running"]["trial"]["submission"] == "b"
    assert shown["standings"]["rows"][0]["name"] in "ab"


def test_names_in_brackets_are_found(root):
    name = "a[learning_rate=0.05]"
    declare(root, submissions={name: {"ruleset": "external"}})
    write_trial(root, name, "a", hit(2.0), record=reached())
    assert Watcher(root).look().ended[0].trial.submission == name
