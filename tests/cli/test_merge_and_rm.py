import json

import pytest

from tests.scoring.made_logs import declared, hit, trial_dir, write_trial


@pytest.fixture
def two(tmp_path):
    """Two results directories with a submission each, on one workload."""
    roots = [tmp_path / "first", tmp_path / "second"]
    for root in roots:
        root.mkdir()
        suite = declared(("a",), studies=1, trials=1, submissions={root.name: {"ruleset": "self"}})
        (root / "suite.json").write_text(json.dumps(suite))
        write_trial(root, root.name, "a", hit(5), record={"status": "target_reached"})
    return roots


def test_merge_copies_and_says_so(cli, two, tmp_path):
    code, out, _ = cli("merge", *two, "-o", tmp_path / "both")
    assert code == 0
    assert "copied 2 trials" in out
    names = [row["name"] for row in json.loads(cli("score", tmp_path / "both", "--json")[1])
             ["submissions"]]  # fmt: skip
    assert names == ["first", "second"]


def test_a_dry_run_writes_nothing(cli, two, tmp_path):
    code, out, _ = cli("merge", *two, "-o", tmp_path / "both", "--dry-run", "--json")
    assert code == 0
    assert len(json.loads(out)["copied"]) == 2
    assert not (tmp_path / "both").exists()
    assert "would copy 2 trials" in cli("merge", *two, "-o", tmp_path / "both", "--dry-run")[1]


def test_merge_adds_to_a_directory_and_renames(cli, two):
    first, second = two
    rename = "second=sgd"
    assert cli("merge", second, "--into", first, "--rename", rename)[0] == 0
    assert (trial_dir(first, "sgd", "a") / "trial.json").exists()


def test_a_merge_that_must_not_be_exits_2_with_all_reasons(cli, two, tmp_path):
    suite = json.loads((two[1] / "suite.json").read_text())
    (two[1] / "suite.json").write_text(json.dumps(suite | {"studies": 3, "trials": 2}))
    code, _, err = cli("merge", *two, "-o", tmp_path / "both")
    assert code == 2
    assert "studies=3" in err
    assert "trials=2" in err
    for arguments, said in (
        (two, "-o DEST"),
        ((*two, "-o", tmp_path / "x", "--into", two[0]), "-o DEST"),
        ((*two, "-o", tmp_path / "x", "--rename", "first"), "OLD=NEW"),
    ):
        code, _, err = cli("merge", *arguments)
        assert code == 2
        assert said in err


def test_rm_only_shows_until_told_yes(cli, two):
    first = two[0]
    code, out, _ = cli("rm", first, "-s", "first")
    assert code == 0
    assert "would remove 1 trial: 1 target_reached" in out
    assert "add --yes" in out
    assert trial_dir(first, "first", "a").exists()
    shown = json.loads(cli("rm", first, "-s", "first", "--json")[1])
    assert (shown["removed"], shown["submissions_gone"]) == (False, ["first"])
    code, out, _ = cli("rm", first, "-s", "first", "--yes")
    assert code == 0
    assert "removed 1 trial" in out
    assert not (first / "first").exists()


def test_rm_says_what_is_wrong(cli, two):
    assert "say which trials" in cli("rm", two[0], "--yes")[2]
    code, _, err = cli("rm", two[0], "-w", "b")
    assert code == 2
    assert "unknown workload 'b'" in err
    code, out, _ = cli("rm", two[0], "--status", "error", "--yes")
    assert code == 0
    assert "no such trial" in out


def test_rm_says_that_an_earlier_one_stopped(cli, two):
    aside = two[0] / ".removed" / "gone" / "study_0" / "a_jax" / "trial_1"
    aside.mkdir(parents=True)
    for more, said in (([], "stopped: --yes completes it"), (["--yes"], "is now complete")):
        code, out, _ = cli("rm", two[0], "--status", "error", *more)
        assert code == 0
        assert said in out
        assert "0 trials" not in out
    assert not (two[0] / ".removed").exists()
    assert (trial_dir(two[0], "first", "a") / "trial.json").exists()
