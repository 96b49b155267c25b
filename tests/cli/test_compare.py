import json

import pytest

from tests.scoring.made_logs import MISS, declared, hit, write_trial

TIMES = (10.0, 10.4, 9.7, 10.2)


@pytest.fixture
def made(tmp_path):
    """`old` and `new` results of one submission; `new` is slower on a and misses b."""
    for name, factor in (("old", 1.0), ("new", 1.4)):
        root = tmp_path / name
        root.mkdir()
        (root / "suite.json").write_text(json.dumps(declared(studies=4, trials=1)))
        for study, seconds in enumerate(TIMES):
            status = "budget_exhausted" if name == "new" else "target_reached"
            noise = 1 + 0.003 * study if name == "new" else 1
            write_trial(root, "one", "a", hit(factor * noise * seconds), study,
                        record={"status": "target_reached"})  # fmt: skip
            write_trial(root, "one", "b", MISS if name == "new" else hit(seconds), study,
                        record={"status": status})  # fmt: skip
    return tmp_path / "old", tmp_path / "new"


def test_marks_times_and_what_they_mean_are_shown(cli, made):
    code, out, _ = cli("compare", *made)
    assert code == 0
    lines = {line.split()[1]: line for line in out.splitlines() if line[:3] in ("+  ", "!  ")}
    assert lines["a"].split()[0] == "+"
    assert "10.1 s" in lines["a"]
    assert "1.41" in lines["a"]
    assert "missed" in lines["b"]
    assert "All workloads: B slower" in out
    assert "newly failing: A reached the target, B missed it" in out
    assert "of A and B nothing is recorded" in out


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(cli, made, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    out = cli("compare", *made)[1]
    table = [line for line in out.splitlines() if line[:3] in ("+  ", "!  ")]
    assert len(table) == 2
    assert max(map(len, table)) <= width
    assert "10.1 s" in out
    assert "9.70-10.4" in out


def test_a_regression_fails_where_asked(cli, made):
    code, _, err = cli("compare", *made, "--fail-on-regression")
    assert code == 1
    assert "regression: one on b: newly failing (met 0/4, was 4/4)" in err
    old, new = made
    code, _, err = cli("compare", new, old, "--fail-on-regression")
    assert (code, err) == (0, "")


def test_what_could_not_be_tested_is_said_where_it_matters(cli, made):
    old, new = made
    write_trial(old, "two", "a", hit(5.0), record={"status": "target_reached"})
    write_trial(new, "two", "b", hit(5.0), record={"status": "target_reached"})
    code, _, err = cli("compare", new, old, "--fail-on-regression", "-s", "two")
    assert code == 0
    assert err.splitlines() == [
        "warning: two on a: not tested: not run by A",
        "warning: two on b: not tested: not run by B",
        "warning: nothing could be tested, for too few studies or too much that differs:"
        " that no regression was found means nothing",
    ]


def test_the_least_ratio_that_is_marked_is_asked_for(cli, made):
    code, out, _ = cli("compare", *made, "--at-least", "1.5", "-w", "a", "--fail-on-regression")
    assert code == 0
    assert "~ a: significant, but less than 1.5 times apart" in out
    assert "1.5 times apart or more" in cli("compare", *made, "--at-least", "1.5")[1]
    assert cli("compare", *made, "--at-least", "0.5")[0] == 2


def test_several_submissions_are_summed_up(cli, made):
    for root, seconds in zip(made, (5.0, 5.0), strict=True):
        write_trial(root, "two", "a", hit(seconds), record={"status": "target_reached"})
    code, out, _ = cli("compare", *made)
    assert code == 0
    overview = out.split("submission")[-1].splitlines()
    assert overview[0].split() == ["+", "?", "!", "x", "B/A", "p", "all", "workloads"]
    one, two = (next(line for line in overview if line.startswith(n)) for n in ("one", "two"))
    assert one.split()[1:3] == ["1", "1"]
    assert "B slower" in one
    assert "too few studies" in two


def test_json_and_markdown_hold_the_same(cli, made):
    shown = json.loads(cli("compare", *made, "--json", "-w", "a")[1], parse_constant=pytest.fail)
    (row,) = shown["comparisons"][0]["workloads"]
    assert row["mark"] == "+"
    markdown = cli("compare", *made, "--markdown", "-w", "a")[1]
    assert f"| {row['ratio']['ratio']:.2f} |" in markdown
    assert "| `+` | a |" in markdown


def test_too_few_studies_is_said(cli, tmp_path):
    for submission in ("one", "two"):
        write_trial(tmp_path, submission, "a", hit(5), record={"status": "target_reached"})
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",), studies=1)))
    code, out, _ = cli("compare", tmp_path / "one", tmp_path / "two")
    assert code == 0
    assert "? a: too few studies: 1, 3 are needed" in out
    assert "All workloads: too few studies: 1 pair" in out
    assert "no difference" not in out
    code, _, err = cli("compare", tmp_path / "one", tmp_path / "two", "--fail-on-regression")
    assert code == 0
    assert "warning: nothing could be tested" in err


def test_what_cannot_be_asked_exits_2(cli, made):
    for arguments, said in (
        ((made[0], made[0]), "the same directory"),
        ((*made, "--clock", "stepz"), "'stepz' is not one of 'time'"),
        ((*made, "-s", "two"), "unknown submission"),
    ):
        code, _, err = cli("compare", *arguments)
        assert code == 2
        assert said in err
