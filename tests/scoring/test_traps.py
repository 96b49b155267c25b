"""Traps of real logs, and bad input: what is reported, skipped or refused, and where it is tested.

Without a file name the test is in this one.

trap                                             test
best trial of a study by index, not by time      test_times.py test_the_least_time_wins_not_the_least_evaluation_and_order_does_not_matter
the order of a directory listing                 test_leaderboard.py test_the_order_of_directories_does_not_matter
missing studies dropped from the median          test_a_missing_study_is_infinite_and_not_left_out
NaN in the target metric                         test_reader.py test_nan_empty_or_infinite_targets_never_count
a workload without logs is infinite              test_a_workload_without_logs_is_infinite_and_says_so
a study directory without a workload level       test_reader.py test_a_trial_directory_without_a_workload_level
stray files                                      test_reader.py test_stray_files_at_every_level
stray directories                                test_reader.py test_stray_directories_at_every_level
a missing csv                                    test_reader.py test_a_missing_csv
an empty csv                                     test_reader.py test_an_empty_csv
a csv of a header alone                          test_reader.py test_a_csv_of_a_header_alone
a csv cut in mid-line                            test_reader.py test_a_csv_cut_in_mid_line_keeps_its_whole_rows
a csv cut anywhere                               test_evaluations.py test_a_file_cut_anywhere_never_shows_a_row_that_was_not_there
a csv without the target's column                test_reader.py test_a_csv_without_the_target_column
an extra variant directory of one submission     test_leaderboard.py test_an_undeclared_variant_of_one_submission_disqualifies_nobody
base names as substrings                         test_leaderboard.py test_base_names_are_no_substrings
the denominator after rule 2                     test_rule_2_never_changes_the_denominator
the denominator after rule 3                     test_rule_3_changes_the_denominator
a directory that holds no trials                 test_reader.py test_a_results_directory_that_is_missing_or_empty_or_too_deep
a suite written by a newer version               test_a_newer_suite_says_so
a trial.json written by a newer version          test_a_newer_record_says_so_and_does_not_count
two trials of one identity                       test_reader.py test_two_trials_with_one_identity
a record copied to another place                 test_a_record_in_the_place_of_another_trial_does_not_count
a record copied to another submission            test_a_copy_of_another_submissions_trial_does_not_count
a submission's directory that was renamed        test_a_renamed_submission_counts
negative times                                   test_negative_times_are_reported_and_do_not_count
decreasing times                                 test_reader.py test_decreasing_times_are_reported_and_read
a suite naming an unknown workload               test_a_workload_that_nobody_has_is_said_on_the_board
a misspelt workload                              test_a_misspelt_workload_is_found
only unknown workloads                           test_reader.py test_a_results_directory_that_is_missing_or_empty_or_too_deep
a csv changed after its trial ended              test_a_csv_that_changed_since_does_not_count
a suite.json changed after its trials ended      test_a_target_that_changed_since_makes_no_hit
a trial.json that lost what it knew              test_a_miss_whose_record_lost_budget_and_target_stays_a_miss
an unfinished trial                              test_reader.py test_beside_finished_trials_one_without_a_record_is_unfinished
trials that were not timed                       test_reader.py test_trials_that_were_not_timed_are_refused
one file that a clock cannot be read from        test_one_log_without_steps_is_reported_and_not_fatal
no file that a clock can be read from            test_logs_without_steps_at_all_are_refused
more studies or trials than declared             test_times.py test_more_studies_or_trials_than_declared_are_reported_and_not_counted
a file reported by two of us                     test_a_trial_that_is_odd_in_two_ways_is_reported_once
links in a circle, names that are no text        test_names_and_links_that_cannot_be_followed
JSON that breaks parsers or printing             test_numbers_and_texts_that_json_allows_and_nobody_writes
any byte of any file                             test_fuzz.py test_no_damage_is_fatal_or_makes_a_miss_a_hit
"""  # noqa: E501

import hashlib
import json
import math
import os
import re
import shutil
from pathlib import Path

import pytest

import scoring
from algoperf_lite.errors import UsageError
from scoring.reader import read_records
from scoring.report.payload import payload
from tests.scoring.made_logs import (
    MISS,
    board_of,
    declared,
    hit,
    scores,
    states,
    suite,
    trial_dir,
    write_trial,
)

INF = math.inf
TARGET = {"metric": "loss", "value": 1.0, "direction": "minimize"}


def of(board):
    """{path below the results: what} of a board's problems; each path once."""
    found = {problem.path: problem.what for problem in board.problems}
    assert len(found) == len(board.problems)
    return found


def write_suite(root, *args, **more):
    path = Path(root, "suite.json")
    path.write_text(json.dumps(declared(*args, schema=1, **more)))
    return path


def write_ours(root, submission, workload, rows, status="target_reached", study=0, **more):
    """A trial whose record knows its target and the digest of its evaluations."""
    path = write_trial(root, submission, workload, rows, study=study)
    data = (path / "eval_measurements.csv").read_bytes()
    record = {
        "schema": 1,
        "submission": submission,
        "workload": workload,
        "study": study,
        "trial": 1,
        "status": status,
        "target": TARGET,
        "budget_seconds": 50.0,
        "evaluations_sha256": hashlib.sha256(data).hexdigest(),
    }
    (path / "trial.json").write_text(json.dumps(record | more))
    return path


def test_the_table_above_names_tests_that_exist():
    rows = re.findall(r"(?:(test_\w+\.py) )?(test_\w+)$", __doc__, re.MULTILINE)
    assert len(rows) == len(__doc__.strip().splitlines()) - 5
    for file, name in rows:
        text = Path(__file__).with_name(file or Path(__file__).name).read_text()
        assert f"\ndef {name}(" in text, name


def test_a_missing_study_is_infinite_and_not_left_out(tmp_path):
    for study in range(3):
        write_trial(tmp_path, "x", "a", hit(5.0), study=study)
    write_trial(tmp_path, "y", "a", hit(1.0), study=0)
    board = scoring.score(tmp_path, suite(("a",)))
    assert [row.times["a"] for row in board.rows] == [5.0, INF]
    assert board.row("y").cells["a"].studies == (1.0, INF, INF)


def test_a_workload_without_logs_is_infinite_and_says_so(tmp_path):
    write_trial(tmp_path, "x", "a", hit(5.0))
    write_trial(tmp_path, "x", "b", hit(5.0))
    write_trial(tmp_path, "y", "a", hit(5.0))
    board = scoring.score(tmp_path, suite(("a", "b")))
    assert board.row("y").times == {"a": 5.0, "b": INF}
    assert states(board, "y") == {"a": "reached", "b": "missing"}
    assert scores(board) == {"x": 1.0, "y": 0.5}


def test_rule_2_never_changes_the_denominator():
    # Whoever is beyond 4 times the fastest is not the fastest.
    without = board_of({"x": {"a": 10}, "y": {"a": 30}}, ("a",))
    beside = board_of({"x": {"a": 10}, "y": {"a": 30}, "z": {"a": 50}}, ("a",))
    assert states(beside, "z") == {"a": "too_slow"}
    assert {name: scores(beside)[name] for name in "xy"} == scores(without)
    # Too slow on the variant costs the base workload by rule 3, and only so changes others' ratios.
    variant = {"x": {"a": 10, "a_v": 50}, "y": {"a": 30, "a_v": 10}}
    assert board_of(variant, ("a",), ("a_v",)).row("y").ratios["a"] == 1.0


def test_rule_3_changes_the_denominator():
    times = {"x": {"a": 10, "a_v": INF}, "y": {"a": 30, "a_v": 1}, "z": {"a": 60, "a_v": 1}}
    board = board_of(times, ("a",), ("a_v",))
    # z is beyond 4 times x before rule 3 takes x out, and stays out.
    assert states(board, "x")["a"] == "variant_missed"
    assert states(board, "z")["a"] == "too_slow"
    assert board.row("y").ratios["a"] == 1.0
    assert scores(board) == {"y": 1.0, "x": 0.0, "z": 0.0}


def test_a_newer_suite_says_so(tmp_path):
    write_trial(tmp_path, "x", "a", hit(5.0))
    path = write_suite(tmp_path, ("a",))
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 2'))
    with pytest.raises(UsageError, match=r"suite\.json: schema is 2, .* newer, upgrade"):
        scoring.score(tmp_path)


def test_a_newer_record_says_so_and_does_not_count(tmp_path):
    path = write_ours(tmp_path, "x", "a", hit(5.0), schema=2)
    board = scoring.score(tmp_path, suite(("a",)))
    assert of(board) == {
        str(path / "trial.json"): "has schema 2, this version reads 1; upgrade algoperf_lite"
    }
    assert board.row("x").times == {"a": INF}


@pytest.mark.parametrize("key", ["study", "workload", "trial"])
def test_a_record_in_the_place_of_another_trial_does_not_count(tmp_path, key):
    other = {"study": 1, "workload": "b", "trial": 2}
    path = write_ours(tmp_path, "x", "a", hit(5.0))
    record = json.loads((path / "trial.json").read_text())
    (path / "trial.json").write_text(json.dumps(record | {key: other[key]}))
    board = scoring.score(tmp_path, suite(("a",)))
    (what,) = of(board).values()
    assert list(of(board)) == [str(path / "trial.json")]
    assert re.search("is the record of study ., workload '.', trial ., moved or copied here", what)
    assert board.row("x").times == {"a": INF}


def test_a_copy_of_another_submissions_trial_does_not_count(tmp_path):
    write_suite(tmp_path, ("a", "b"))
    for workload in "ab":
        write_ours(tmp_path, "x", workload, hit(5.0 if workload == "a" else 7.0))
    write_ours(tmp_path, "y", "b", MISS, "budget_exhausted")
    shutil.copytree(trial_dir(tmp_path, "x", "a"), trial_dir(tmp_path, "y", "a"))
    board = scoring.score(tmp_path)
    copied = trial_dir(tmp_path, "y", "a") / "trial.json"
    assert of(board) == {str(copied): "is a copy of a trial of 'x': not counted"}
    assert (board.row("x").times, board.row("y").times) == (
        {"a": 5.0, "b": 7.0},
        {"a": INF, "b": INF},
    )
    assert board.row("y").cells["a"].word == "invalid"


def test_a_renamed_submission_counts(tmp_path):
    write_suite(tmp_path, ("a",))
    write_ours(tmp_path, "x", "a", hit(5.0))
    (tmp_path / "x").rename(tmp_path / "x_before")
    board = scoring.score(tmp_path)
    assert (board.row("x_before").times, of(board)) == ({"a": 5.0}, {})


def test_negative_times_are_reported_and_do_not_count(tmp_path):
    path = write_trial(tmp_path, "x", "a", [(-3.0, 0.5), (4.0, 0.4)])
    board = scoring.score(tmp_path, suite(("a",)))
    assert board.row("x").times == {"a": 4.0}
    assert of(board) == {
        str(path / "eval_measurements.csv"): "accumulated_submission_time is negative: such rows"
        " are not counted"
    }


def test_a_workload_that_nobody_has_is_said_on_the_board(tmp_path):
    write_trial(tmp_path, "x", "zipf_lm", hit(5.0))
    board = scoring.score(tmp_path, suite(("zipf_lm", "digits_vit")))
    assert of(board) == {str(tmp_path): "holds no trial of workload 'digits_vit': all miss it"}
    assert scores(board) == {"x": 0.5}
    # Of a run of ours that has just begun it is no surprise.
    write_suite(tmp_path, ("zipf_lm", "digits_vit"))
    assert of(scoring.score(tmp_path)) == {}


@pytest.mark.parametrize("own", [False, True])
def test_a_misspelt_workload_is_found(tmp_path, own):
    write_trial(tmp_path, "x", "zipf_lm", hit(5.0))
    write_trial(tmp_path, "x", "a", hit(5.0))
    given = write_suite(tmp_path, ("a", "zip_lm"))
    found = of(scoring.score(tmp_path) if own else scoring.score(tmp_path, given))
    assert found == {
        str(tmp_path): "holds no trial of workload 'zip_lm': did you mean 'zipf_lm', which is"
        " ignored?",
        str(trial_dir(tmp_path, "x", "zipf_lm")): "workload 'zipf_lm' is not in the suite: ignored",
    }


def test_a_csv_that_changed_since_does_not_count(tmp_path):
    path = write_ours(tmp_path, "x", "a", hit(5.0)) / "eval_measurements.csv"
    path.write_text(path.read_text().replace("5.0,10", "4.0,10"))
    board = scoring.score(tmp_path, suite(("a",)))
    assert of(board) == {str(path): "has changed since the trial ended: not counted; restore it"}
    assert (board.row("x").times, board.row("x").cells["a"].word) == ({"a": INF}, "unreadable")
    (trial,) = read_records(tmp_path, suite(("a",))).trials
    assert trial.reason == "eval_measurements.csv has changed since the trial ended: not counted;" \
        " restore it"  # fmt: skip


def test_a_target_that_changed_since_makes_no_hit(tmp_path):
    path = write_suite(tmp_path, ("a", "b"))
    for workload in "ab":
        write_ours(tmp_path, "x", workload, hit(5.0))
        write_ours(tmp_path, "y", workload, MISS, "budget_exhausted")
    looser = json.loads(path.read_text())
    looser["workloads"]["a"]["validation_target_value"] = 9.0
    path.write_text(json.dumps(looser))
    board = scoring.score(tmp_path)
    assert of(board) == {
        str(path): "trials of 'a' were run for the target 'loss' 1.0, not 'loss' 9.0: not counted"
    }
    assert board.row("y").times == {"a": INF, "b": INF}
    assert board.row("x").times == {"a": INF, "b": 5.0}
    # A suite from elsewhere may ask for something else, and then the rows say when it was met.
    path.rename(tmp_path / "looser.json")
    board = scoring.score(tmp_path, tmp_path / "looser.json")
    assert (board.row("y").times, of(board)) == ({"a": 0.0, "b": INF}, {})


@pytest.mark.parametrize("changed", [(1,), (1, 3)])
def test_records_of_another_target_are_named_themselves(tmp_path, changed):
    write_suite(tmp_path, ("a",))
    for study in range(4):
        write_ours(tmp_path, "x", "a", hit(5.0), study=study)
    paths = [trial_dir(tmp_path, "x", "a", study) / "trial.json" for study in changed]
    for path in paths:
        path.write_text(path.read_text().replace('"value": 1.0', '"value": 3.0'))
    board = scoring.score(tmp_path)
    assert list(of(board)) == [str(path) for path in paths]
    expected = [INF if study in changed else 5.0 for study in range(4)]
    assert list(board.row("x").cells["a"].studies) == expected


@pytest.mark.parametrize("lost", [("target",), ("target", "budget_seconds"), ("budget_seconds",)])
def test_a_miss_whose_record_lost_budget_and_target_stays_a_miss(tmp_path, lost):
    path = write_ours(tmp_path, "x", "a", hit(60.0), "budget_exhausted") / "trial.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in record.items() if k not in lost}))
    assert scoring.score(tmp_path, suite(("a",))).row("x").times == {"a": INF}


def test_a_record_that_says_reached_where_no_row_does_is_reported(tmp_path):
    path = write_ours(tmp_path, "x", "a", MISS) / "eval_measurements.csv"
    board = scoring.score(tmp_path, suite(("a",)))
    assert of(board) == {
        str(path): "no row meets the target, but trial.json says target_reached: not counted"
    }


def without_steps(path):
    csv = path / "eval_measurements.csv"
    csv.write_text(csv.read_text().replace("global_step", "something"))


def test_one_log_without_steps_is_reported_and_not_fatal(tmp_path):
    write_trial(tmp_path, "x", "a", hit(5.0))
    path = write_trial(tmp_path, "y", "a", hit(5.0))
    without_steps(path)
    board = scoring.score(tmp_path, suite(("a",)), clock="steps")
    assert (board.row("x").times, board.row("y").times) == ({"a": 10.0}, {"a": INF})
    (what,) = of(board).values()
    assert what == "meets the target, but lacks what the clock 'steps' needs: not counted"


def test_logs_without_steps_at_all_are_refused(tmp_path):
    without_steps(write_trial(tmp_path, "x", "a", hit(5.0)))
    with pytest.raises(UsageError, match="logs no global_step: score by --clock time"):
        scoring.score(tmp_path, suite(("a",)), clock="steps")


def test_a_trial_that_is_odd_in_two_ways_is_reported_once(tmp_path):
    write_suite(tmp_path, ("a",), studies=1, trials=1)
    write_ours(tmp_path, "x", "a", hit(5.0))
    path = write_trial(tmp_path, "x", "a", hit(5.0), study=1)
    assert of(scoring.score(tmp_path)) == {
        str(path): "has no trial.json: unfinished, not counted; study_1 is beyond the 1 declared:"
        " not counted"
    }


def test_names_and_links_that_cannot_be_followed(tmp_path):
    write_trial(tmp_path, "x", "a", hit(5.0))
    os.symlink("circle", tmp_path / "x" / "circle")
    os.mkdir(os.fsencode(tmp_path) + b"/\xff\xfe")
    os.mkdir(tmp_path / "two\nlines")
    (tmp_path / "x" / "study_1\u0661").mkdir()  # with an Arabic one, a digit to Python
    board = scoring.score(tmp_path, suite(("a",)))
    assert scores(board) == {"x": 1.0}
    assert sorted(of(board).values()) == [
        "has a name that cannot be printed: ignored",
        "has a name that cannot be printed: ignored",
        "not a study_<i> directory: ignored",
        "stray file: ignored",
    ]
    "\n".join(of(board)).encode()


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "half a \ud800 character"},
        {"reason": {"not": ["text"]}},
        {"budget_seconds": 10**400},
        {"off_clock": {"compile": -1}},
        {"off_clock": [1]},
        {"window_seconds_per_step": [1.0, "x"]},
        {"window_seconds_per_step": [1.0, 10**400]},
        {"target": "loss"},
        {"clock": {"data": "x"}, "seconds": [1], "noisy": 3, "compiles_on_clock": 7},
        {"calibration_kernel_seconds": "x", "steps": {}, "seed": [], "environment": 5},
        {"hyperparameters": {"lr": math.nan}, "environment": {"x": math.inf}},
    ],
)
def test_numbers_and_texts_that_json_allows_and_nobody_writes(tmp_path, change):
    write_ours(tmp_path, "x", "a", hit(5.0), **change)
    made = suite(("a",))
    for clock in ("time", "steps"):
        shown = scoring.score(tmp_path, made, clock=clock).to_json(), payload(tmp_path, made)
        json.dumps(shown, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize("text", [b"[" * 100_000, b"9" * 5000, b'"\xff"', b"{", b"\xef\xbb\xbf{"])
@pytest.mark.parametrize("name", ["suite.json", "x/study_0/a_jax/trial_1/trial.json"])
def test_json_that_no_parser_takes(tmp_path, text, name):
    write_suite(tmp_path, ("a",))
    write_ours(tmp_path, "x", "a", hit(5.0))
    (tmp_path / name).write_bytes(text)
    if name == "suite.json":
        with pytest.raises(UsageError, match=r"suite\.json: "):
            scoring.score(tmp_path)
    else:
        (what,) = of(scoring.score(tmp_path)).values()
        assert what == "is not readable JSON: the trial is not counted"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"studies": 10**9}, "studies must be at most 1000"),
        ({"base_workloads": ["a\ud800"]}, "base_workloads must be a list of workload names"),
        ({"submissions": {"x\n": {}}}, "submissions has a name that cannot be printed"),
        ({"tier": ["lite"]}, r"workloads\.a\.tier is of the wrong type"),
        ({"validation_target_value": 10**400}, "must be a finite number"),
        ({"step_hint": 10**400}, r"workloads\.a\.step_hint is of the wrong type"),
    ],
)
def test_suites_that_json_allows_and_nobody_writes(tmp_path, change, message):
    path = write_suite(tmp_path, ("a",))
    made = json.loads(path.read_text())
    of_a = {"tier", "validation_target_value", "step_hint"}
    (made["workloads"]["a"] if set(change) & of_a else made).update(change)
    path.write_text(json.dumps(made))
    write_trial(tmp_path, "x", "a", hit(5.0))
    with pytest.raises(UsageError, match=message):
        scoring.score(tmp_path)
