"""Naming a submission that is written for AlgoPerf."""

from pathlib import Path

import pytest

from algoperf_lite.algoperf.selector import Source, parse
from algoperf_lite.errors import UsageError
from algoperf_lite.registry import absolute, parse_selector, submission_module, without_directory


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("lion.py", "algoperf:lion"),
        ("self_tuning/muon/submission.py", "algoperf:muon"),
        ("paper_baselines/sam/jax/submission.py", "algoperf:sam"),
    ],
)
def test_the_name_tells_submissions_apart_though_most_files_are_called_alike(path, name):
    assert Source(Path(path)).name == name


def test_a_submission_in_the_working_directory_is_named_after_it(tmp_path, monkeypatch):
    (tmp_path / "adopt").mkdir()
    monkeypatch.chdir(tmp_path / "adopt")
    assert parse("algoperf:submission.py").name == "algoperf:adopt"


def test_the_search_space_beside_the_file_is_used_unless_another_is_named(tmp_path):
    path = tmp_path / "submission.py"
    assert parse(f"algoperf:{path}").space_file is None
    (tmp_path / "tuning_search_space.json").write_text("{}")
    assert parse(f"algoperf:{path}").space_file == tmp_path / "tuning_search_space.json"
    assert parse(f"algoperf:{path},search_space=wide.json").space_file == Path("wide.json")
    assert parse(f"algoperf:{path},search_space=none").space_file is None


@pytest.mark.parametrize(
    "base",
    [
        "algoperf:nadamw",
        "algoperf:",
        "algoperf:a.py,space=b.json",
        "algoperf:a.py,search_space=b.json,search_space=c.json",
    ],
)
def test_another_form_is_refused_with_the_form_there_is(base):
    with pytest.raises(UsageError, match=r"is algoperf:PATH\.py or"):
        parse(base)


def test_selectors_travel_whole_and_are_published_without_directories(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "algoperf:a/submission.py,search_space=b/c.json[learning_rate=0.1]"
    assert not parse_selector(text).is_path
    assert absolute(text) == (
        f"algoperf:{tmp_path}/a/submission.py,search_space={tmp_path}/b/c.json[learning_rate=0.1]"
    )
    published = "algoperf:a/submission.py,search_space=c.json[learning_rate=0.1]"
    assert without_directory(absolute(text)) == published
    alone = "algoperf:a/submission.py,search_space=none"
    assert absolute(alone) == f"algoperf:{tmp_path}/a/submission.py,search_space=none"


def test_what_wants_a_submission_of_ours_says_so():
    with pytest.raises(UsageError, match="is written for AlgoPerf"):
        submission_module("algoperf:a/submission.py")


def test_a_folder_is_told_to_be_one(tmp_path):
    with pytest.raises(UsageError, match="is a folder: name the file in it"):
        parse(f"algoperf:{tmp_path}")


def test_a_file_written_for_algoperf_that_is_named_like_ours_is_told_how_to_name_it(tmp_path):
    (tmp_path / "adam.py").write_text("from algoperf import spec")
    with pytest.raises(UsageError, match=r"adam\.py:1 .*is named algoperf:.*adam\.py"):
        submission_module(f"{tmp_path}/adam.py")


def test_what_is_published_names_the_submission_and_what_lies_beside_it(tmp_path):
    text = f"algoperf:{tmp_path}/adamw/jax/submission.py,search_space={tmp_path}/adamw/jax/s.json"
    published = "algoperf:adamw/jax/submission.py,search_space=adamw/jax/s.json"
    assert without_directory(text) == published
    assert parse_selector(published).name != parse_selector("algoperf:submission.py").name
    assert without_directory(f"algoperf:{tmp_path}/lion.py") == "algoperf:lion.py"
