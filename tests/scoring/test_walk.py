"""The layout on disk; most of what does not belong is in `test_reader` and `test_traps`."""

import re

import pytest

from algoperf_lite.errors import UsageError
from scoring.walk import Problem, require_results, walk, without_logs
from tests.scoring.made_logs import MISS, trial_dir, write_trial


@pytest.fixture
def results(tmp_path):
    for study, workload, trial in ((1, "b", 1), (0, "b", 10), (0, "b", 9), (0, "a", 1)):
        write_trial(tmp_path, "s10", workload, MISS, study=study, trial=trial)
    write_trial(tmp_path, "s9", "a", MISS)
    return tmp_path


def test_trials_come_by_submission_study_workload_and_number(results):
    found = walk(results, ["a", "b"])
    assert [trial.identity for trial in found.trials] == [
        ("s9", 0, "a", 1),
        ("s10", 0, "a", 1),
        ("s10", 0, "b", 9),
        ("s10", 0, "b", 10),
        ("s10", 1, "b", 1),
    ]
    assert found.trials[0].path == str(trial_dir(results, "s9", "a"))
    assert (found.submissions, found.problems, found.strangers) == (["s9", "s10"], [], ())


def test_only_the_wanted_workloads(results):
    found = walk(results, ["a"], known=["b"])
    assert [trial.identity for trial in found.trials] == [("s9", 0, "a", 1), ("s10", 0, "a", 1)]
    assert found.problems == []


def test_strangers_are_named_once_each(results):
    found = walk(results, ["a"])
    assert found.strangers == ("b",)
    assert [str(problem) for problem in found.problems] == [
        f"{trial_dir(results, 's10', 'b', 0, 9)}: workload 'b' is not in the suite: ignored"
        " (and 2 more like it)"
    ]


def test_numbers_are_written_without_leading_zeros(results):
    for name in ("trial_01", "trial_+2", "trial_", "trial_9999999"):
        trial_dir(results, "s9", "a").with_name(name).mkdir()
    found = walk(results, ["a", "b"])
    assert len(found.trials) == 5
    assert {problem.what for problem in found.problems} == {"not a trial_<k> directory: ignored"}
    assert len(found.problems) == 4


def test_workloads_without_logs(results):
    found = walk(results, ["a", "b", "bb", "zipf"], known=["b"])
    root = str(results)
    assert without_logs(results, ["a", "b"], found) == []
    assert without_logs(results, ["a", "zipf"], found) == [
        Problem(root, "holds no trial of workload 'zipf': all miss it")
    ]
    found = walk(results, ["a", "bb"])
    hint = Problem(root, "holds no trial of workload 'bb': did you mean 'b', which is ignored?")
    assert without_logs(results, ["a", "bb", "zipf"], found, only_misspelt=True) == [hint]


def test_a_file_is_no_results_directory(results):
    (results / "file").write_text("")
    with pytest.raises(UsageError, match="file: is a file: give"):
        walk(results / "file", ["a"])


def test_what_cannot_be_a_results_directory_is_told_without_reading_it(results, tmp_path):
    require_results(results)
    one = results / "s10"
    study = one / "study_0"
    (tmp_path / "empty").mkdir()
    for path, said in (
        (one, "holds study_0, so it is one submission's directory: give its parent"),
        (study, f"lies in a results directory: give that, {results}"),
        (next(study.iterdir()), f"lies in a results directory: give that, {results}"),
        (tmp_path / "empty", "holds no trials: run"),
        (tmp_path / "gone", "no such results directory"),
    ):
        with pytest.raises(UsageError, match=re.escape(f"{path}: {said}")):
            require_results(path)
    (tmp_path / "empty" / "suite.json").write_text("{}")
    require_results(tmp_path / "empty")
