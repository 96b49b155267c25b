"""Records on disk to trials: the traps of real logs, each with a small made one."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from algoperf_lite.errors import UsageError
from scoring.reader import read_records
from tests.scoring.made_logs import MISS, hit, suite, trial_dir, write_trial

NAN = math.nan


def read(root, made=None):
    return read_records(root, made or suite())


def only_trial(root, **kwargs):
    (trial,) = read(root, suite(("a",), **kwargs)).trials
    return trial


def whats(records):
    """What was wrong, but that most tests here write no trial of "b"."""
    silent = "holds no trial of workload 'b'"
    return [p.what for p in records.problems if not p.what.startswith(silent)]


def test_a_trial_is_read_from_its_place(tmp_path):
    write_trial(tmp_path, "adam", "a", [(0.5, 5), (12.25, 1.0), (20, 0.5)], study=2, trial=3)
    trial = only_trial(tmp_path)
    identity = (trial.submission, trial.study, trial.workload, trial.number)
    assert identity == ("adam", 2, "a", 3)
    assert (trial.time, trial.steps, trial.status) == (12.25, 10, "target_reached")
    assert trial.path == str(trial_dir(tmp_path, "adam", "a", 2, 3))


def test_the_first_row_in_file_order_counts_even_if_a_later_one_is_worse(tmp_path):
    write_trial(tmp_path, "s", "a", [(1, 5), (2, 0.9), (3, 4), (4, 0.1)])
    assert only_trial(tmp_path).time == 2


def test_a_maximised_metric_counts_from_its_target_up(tmp_path):
    rows = [(1, 0.89), (2, 0.9), (3, 0.95)]
    write_trial(tmp_path, "s", "a", rows, metric="accuracy")
    assert only_trial(tmp_path, metric="accuracy").time == 2


@pytest.mark.parametrize("bad", ["", "nan", "NaN", "inf", "-inf", "x"])
@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_nan_empty_or_infinite_targets_never_count(tmp_path, bad, metric):
    write_trial(tmp_path, "s", "a", [(1, bad), (2, bad)], metric=metric)
    trial = only_trial(tmp_path, metric=metric)
    assert trial.time == math.inf
    assert trial.status == "missed"


@pytest.mark.parametrize("bad", ["", "nan", "inf", "-1.0", "x"])
def test_a_row_without_a_possible_time_never_counts(tmp_path, bad):
    write_trial(tmp_path, "s", "a", [(bad, 0.5), (7, 0.4)])
    assert only_trial(tmp_path).time == 7


def test_the_framework_suffix_is_stripped(tmp_path):
    jax = write_trial(tmp_path, "s", "a", hit(5))
    jax.parent.rename(jax.parent.with_name("a_pytorch"))
    assert only_trial(tmp_path).workload == "a"


def test_a_hit_beyond_the_budget_is_a_miss(tmp_path):
    for trial, budget in enumerate([10.0, 9.999, None], 1):
        record = {"status": "target_reached", "budget_seconds": budget}
        write_trial(tmp_path, "s", "a", hit(10.0), trial=trial, record=record)
    assert [trial.time for trial in read(tmp_path).trials] == [10.0, math.inf, 10.0]


@pytest.mark.parametrize("status", ["error", "interrupted", "invalid"])
def test_a_failed_trial_never_scores_though_a_row_meets_the_target(tmp_path, status):
    write_trial(tmp_path, "s", "a", hit(1), record={"status": status, "reason": "killed"})
    trial = only_trial(tmp_path)
    assert (trial.time, trial.steps) == (math.inf, None)
    assert (trial.status, trial.reason) == (status, "killed")


def test_trials_that_were_not_timed_are_refused(tmp_path):
    write_trial(tmp_path, "s", "a", hit(5), record={"status": "target_reached"})
    write_trial(tmp_path, "s", "a", hit(5), trial=2,
                record={"status": "target_reached", "timed": False})  # fmt: skip
    with pytest.raises(
        UsageError, match=r"1 of 2 trials were not timed.*--untimed.*trial_2.*algoperf-lite run"
    ):
        read(tmp_path)


def test_a_trial_that_was_stopped_never_scores(tmp_path):
    write_trial(tmp_path, "s", "a", hit(5), record={"status": "stopped"})
    assert only_trial(tmp_path).time == math.inf


def test_a_trial_that_failed_before_its_first_evaluation_is_no_malformed_log(tmp_path):
    path = write_trial(tmp_path, "s", "a", [], record={"status": "error", "reason": "OOM"})
    (path / "eval_measurements.csv").unlink()
    records = read(tmp_path)
    assert whats(records) == []
    assert (records.trials[0].status, records.trials[0].reason) == ("error", "OOM")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "is not readable JSON"),
        ("[]", "holds no JSON object"),
        ("{}", "has schema None, this version reads 1"),
        ('{"schema": 2, "status": "target_reached"}', "has schema 2"),
        ('{"schema": 1, "status": "fine"}', "has the unknown status 'fine'"),
        ('{"schema": 1, "status": "diverged", "budget_seconds": "1"}', "has budget_seconds '1'"),
        ('{"schema": 1, "status": "diverged", "budget_seconds": NaN}', "has budget_seconds nan"),
    ],
)
def test_a_trial_whose_record_cannot_be_read_never_scores(tmp_path, text, what):
    (write_trial(tmp_path, "s", "a", hit(1)) / "trial.json").write_text(text)
    records = read(tmp_path, suite(("a",)))
    assert records.trials[0].time == math.inf
    assert len(records.problems) == 1
    assert what in records.problems[0].what


def test_beside_finished_trials_one_without_a_record_is_unfinished(tmp_path):
    write_trial(tmp_path, "s", "a", hit(5), trial=1, record={"status": "target_reached"})
    write_trial(tmp_path, "s", "a", hit(1), trial=2)
    write_trial(tmp_path, "foreign", "a", hit(2))
    records = read(tmp_path)
    by_name = {(t.submission, t.number): (t.time, t.status) for t in records.trials}
    assert by_name == {
        ("foreign", 1): (2, "target_reached"),
        ("s", 1): (5, "target_reached"),
        ("s", 2): (math.inf, "interrupted"),
    }
    assert whats(records) == ["has no trial.json: unfinished, not counted"]


def test_the_first_trial_of_a_run_that_was_killed_is_unfinished_too(tmp_path):
    path = write_trial(tmp_path, "s", "a", hit(1))
    (path / "meta_data_0.json").write_text('{"platform": "cpu", "device_kind": "cpu"}')
    write_trial(tmp_path, "foreign", "a", hit(2))
    (tmp_path / "foreign/study_0/a_jax/trial_1/meta_data_0.json").write_text('{"os.hostname": "x"}')
    records = read(tmp_path)
    by_name = {t.submission: (t.time, t.status) for t in records.trials}
    assert by_name == {"foreign": (2, "target_reached"), "s": (math.inf, "interrupted")}
    assert whats(records) == ["has no trial.json: unfinished, not counted"]


def test_one_that_was_killed_is_no_reason_to_refuse_a_clock(tmp_path):
    record = {"status": "target_reached", "window_seconds_per_step": [0.1, 0.1]}
    write_trial(tmp_path, "s", "a", hit(5), record=record)
    write_trial(tmp_path, "s", "a", hit(1), trial=2)
    times = [trial.time for trial in read_records(tmp_path, suite(), clock="robust").trials]
    assert math.isfinite(times[0])
    assert times[1] == math.inf


def test_a_trial_that_ended_at_an_easier_target_tells_nothing_of_a_harder_one(tmp_path):
    target = {"metric": "loss", "value": 1.5, "direction": "minimize"}
    record = {"status": "target_reached", "target": target}
    write_trial(tmp_path, "s", "a", [(0, 5), (7, 1.4)], record=record)
    records = read(tmp_path)
    assert (records.trials[0].time, records.trials[0].status) == (math.inf, "invalid")
    assert whats(records) == ["ended at the target 1.5, before 1.0 was met: not counted"]


def test_submissions_that_the_suite_does_not_declare_take_no_part(tmp_path):
    for name in ("s", "copy"):
        write_trial(tmp_path, name, "a", hit(3))
    records = read(tmp_path, suite(("a",), submissions={"s": {}, "silent": {}}))
    assert (records.submissions, [t.submission for t in records.trials]) == (["s"], ["s"])
    (problem,) = records.problems
    assert problem.path == str(tmp_path / "copy")
    assert "is not among the submissions that the suite declares: not counted" in problem.what
    assert "algoperf-lite merge" in problem.what


# The traps: reported, skipped, never fatal.


@pytest.fixture
def results(tmp_path):
    write_trial(tmp_path, "s", "a", hit(5))
    return tmp_path


def still_reads_the_rest(results):
    records = read(results)
    assert [(t.workload, t.time) for t in records.trials] == [("a", 5)]
    return whats(records)


def test_a_trial_directory_without_a_workload_level(results):
    stray = results / "s" / "study_1" / "trial_1"
    stray.mkdir(parents=True)
    (stray / "eval_measurements.csv").write_text("x\n")
    assert still_reads_the_rest(results) == ["not a <workload>_jax directory: ignored"]


def test_stray_files_at_every_level(results):
    for place in (results, results / "s", results / "s/study_0", results / "s/study_0/a_jax"):
        (place / "notes.txt").write_text("x")
        (place / ".DS_Store").write_text("x")
    for known in ("suite.json", "profiles.png"):
        (results / known).write_text("{}")
    assert still_reads_the_rest(results) == ["stray file: ignored"] * 4


def test_stray_directories_at_every_level(results):
    (results / "pictures").mkdir()
    (results / "study_0").mkdir()
    (results / "s" / "old").mkdir()
    (results / "s" / "study_0" / "a_jax" / "trial_0").mkdir()
    assert sorted(still_reads_the_rest(results)) == [
        "belongs to no submission: ignored",
        "holds no study_<i> directory: ignored",
        "not a study_<i> directory: ignored",
        "not a trial_<k> directory: ignored",
    ]


def test_a_missing_csv(results):
    (write_trial(results, "s", "b", MISS) / "eval_measurements.csv").unlink()
    assert still_reads_the_rest(results) == ["has no eval_measurements.csv: not counted"]


def test_a_csv_that_is_a_directory(results):
    path = write_trial(results, "s", "b", MISS) / "eval_measurements.csv"
    path.unlink()
    path.mkdir()
    (what,) = still_reads_the_rest(results)
    assert "cannot be read" in what


def test_an_empty_csv(results):
    (write_trial(results, "s", "b", MISS) / "eval_measurements.csv").write_text("")
    assert still_reads_the_rest(results) == ["is empty: not counted"]


def test_a_csv_without_the_target_column(results):
    write_trial(results, "s", "b", MISS, metric="wer")
    assert still_reads_the_rest(results) == ["has no column 'validation/loss': not counted"]


def test_a_csv_of_a_header_alone(tmp_path):
    write_trial(tmp_path, "s", "a", [])
    records = read(tmp_path)
    assert records.trials[0].time == math.inf
    assert whats(records) == ["holds no evaluation"]


def test_a_csv_cut_in_mid_line_keeps_its_whole_rows(tmp_path):
    path = write_trial(tmp_path, "s", "a", [*MISS, (200, 1.5)]) / "eval_measurements.csv"
    # "200,20,1.5,100" becomes "200,20,1", which would meet the target of 1.0.
    path.write_text(path.read_text().removesuffix(".5,100\n"))
    records = read(tmp_path)
    assert records.trials[0].time == math.inf
    assert whats(records) == ["the last line is cut: that row is not counted"]


def test_decreasing_times_are_reported_and_read(tmp_path):
    write_trial(tmp_path, "s", "a", [(9, 5), (4, 0.5)])
    records = read(tmp_path)
    assert records.trials[0].time == 4
    assert whats(records) == ["accumulated_submission_time decreases"]


def test_two_trials_with_one_identity(results):
    again = write_trial(results, "s", "b", hit(1))
    again.parent.rename(again.parent.with_name("a_pytorch"))
    (what,) = still_reads_the_rest(results)
    assert what.startswith("the same trial as ")


def test_a_workload_that_is_not_in_the_suite_is_mentioned_once(results):
    for study in range(3):
        write_trial(results, "s", "a_tanh", hit(1), study=study)
    (what,) = still_reads_the_rest(results)
    assert what == "workload 'a_tanh' is not in the suite: ignored (and 2 more like it)"


def test_names_with_an_underscore_and_a_suffix_inside(tmp_path):
    write_trial(tmp_path, "s", "a_jax_b", hit(1))
    (trial,) = read(tmp_path, suite(("a_jax_b",))).trials
    assert trial.workload == "a_jax_b"


def test_trials_come_in_the_order_of_their_numbers(tmp_path):
    for trial in (10, 2, 1):
        write_trial(tmp_path, "s", "a", hit(trial), trial=trial)
    assert [trial.number for trial in read(tmp_path).trials] == [1, 2, 10]


def test_a_results_directory_that_is_missing_or_empty_or_too_deep(results, tmp_path_factory):
    with pytest.raises(UsageError, match=r"gone: no such results directory: give"):
        read(results / "gone")
    with pytest.raises(UsageError, match="holds no trials: run `algoperf-lite run"):
        read(tmp_path_factory.mktemp("empty"))
    with pytest.raises(UsageError, match="one submission's directory: give its parent"):
        read(results / "s")
    with pytest.raises(UsageError, match=r"no trial of the suite's workloads \(b\), only of a:"):
        read(results, suite(("b",)))


RECORD = {"status": "budget_exhausted", "budget_seconds": 50.0, "reason": "the budget of 50 s"}


@settings(max_examples=150)
@given(st.data())
def test_no_changed_byte_in_a_record_is_fatal_or_makes_a_failure_score(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("fuzz")
    record = RECORD | {"status": data.draw(st.sampled_from(["error", "interrupted"]))}
    path = write_trial(root, "s", "a", hit(1), record=record) / "trial.json"
    text = bytearray(path.read_bytes())
    where = data.draw(st.integers(0, len(text) - 1))
    text[where] = data.draw(st.integers(0, 255))
    path.write_bytes(text[: data.draw(st.integers(1, len(text)))])
    records = read(root)
    assert all(not trial.reached for trial in records.trials)
    assert len({p.path for p in records.problems}) == len(records.problems)
    try:
        readable = isinstance(json.loads(path.read_bytes()), dict)
    except ValueError:
        readable = False
    assert readable or records.problems
