"""A trial that broke the rules of honest timing, wherever trials are shown."""

import json

import pytest

from tests.scoring.made_logs import declared, hit, trial_dir, write_trial

REASON = "trained in eval_params"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """One submission reached its target, another seemed to."""
    monkeypatch.setenv("COLUMNS", "300")
    rulesets = {name: {"ruleset": "self"} for name in ("fair", "foul")}
    suite = declared(("a",), studies=1, trials=1, submissions=rulesets)
    (tmp_path / "suite.json").write_text(json.dumps(suite))
    write_trial(tmp_path, "fair", "a", hit(2), record={"status": "target_reached"})
    write_trial(tmp_path, "foul", "a", hit(1), record={"status": "invalid", "reason": REASON})
    return tmp_path


def test_it_is_shown_with_its_reason_once(cli, root):
    for arguments in (("show", root), ("show", trial_dir(root, "foul", "a")),
                      ("compare", root / "fair", root / "foul")):  # fmt: skip
        code, out, _ = cli(*arguments)
        assert code == 0
        assert out.count("invalid") == 1
        assert out.count(REASON) == 1
    found = json.loads(cli("show", trial_dir(root, "foul", "a"), "--json")[1])
    assert (found["status"], found["counts"], found["problems"]) == ("invalid", False, [])


def test_it_is_a_miss_that_says_why(cli, root):
    lines = cli("score", root)[1].splitlines()
    assert ["2", "foul", "0.0000", "0/1", "invalid"] in [line.split() for line in lines]
    out = cli("watch", root, "--once")[1]
    assert "2 of 2 trials done, 1 failed" in out
    assert f"foul on a, study 0 trial 1: {REASON}" in out


def test_it_can_be_removed(cli, root):
    (found,) = json.loads(cli("rm", root, "--status", "invalid", "--json")[1])["trials"]
    assert found == {"path": str(trial_dir(root, "foul", "a")), "status": "invalid"}


def test_of_many_the_reason_is_told_once(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    for study in range(25):
        record = {"status": "invalid", "reason": REASON}
        write_trial(tmp_path, "foul", "a", hit(1), study, record=record)
    lines = cli("show", tmp_path)[1].splitlines()
    assert f"invalid foul on a, study 0 and 24 more: {REASON}" in lines
