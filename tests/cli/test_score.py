import csv
import io
import json

import pytest

from scoring.clocks import CLOCKS
from scoring.suite import RULESETS
from tests.scoring.made_logs import MISS, declared, hit, write_trial


def test_json_has_the_documented_shape(cli, results):
    code, out, _ = cli("score", results, "--json")
    board = json.loads(out, parse_constant=lambda c: None)
    assert code == 0
    assert board["suite"] == ["tiny"]
    first, second = board["submissions"]
    assert first["score"] >= second["score"]
    assert set(first["times"]) == {"tiny"}
    assert isinstance(first["times"]["tiny"], float)


def test_the_table_shows_scores_and_times(cli, results):
    code, out, _ = cli("score", results)
    assert code == 0
    assert "nesterov" in out


def test_the_figure_is_written_where_asked(cli, results, tmp_path):
    code, out, _ = cli("score", results, "--figure", tmp_path / "p")
    assert code == 0
    assert str(tmp_path / "p.png") in out
    assert (tmp_path / "p.svg").exists()


def test_a_directory_without_records_exits_2_with_the_mend(cli, tmp_path):
    code, _, err = cli("score", tmp_path / "nothing")
    assert code == 2
    assert "nothing" in err
    assert "--results" in err


def test_an_unknown_workload_exits_2(cli, results):
    code, _, err = cli("score", results, "-w", "tny")
    assert code == 2
    assert "did you mean 'tiny'" in err


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three submissions: x, y of one study, z without logs on b and missing the variant."""
    root = tmp_path_factory.mktemp("made")
    rulesets = {"x": "external", "y": "self", "z": "self"}
    submissions = {name: {"ruleset": ruleset} for name, ruleset in rulesets.items()}
    content = declared(("a", "b"), ("a_v",), studies=1, trials=1, submissions=submissions)
    (root / "suite.json").write_text(json.dumps(content))
    record = {"status": "target_reached", "off_clock": {"compile": 6.0}}
    for name, seconds in (("x", 2.0), ("y", 4.0)):
        for workload in ("a", "b", "a_v"):
            write_trial(root, name, workload, hit(seconds), record=record)
    write_trial(root, "z", "a", hit(9.0), record=record)
    write_trial(root, "z", "a_v", MISS, record={"status": "diverged"})
    return root


def rows(text):
    return {row["submission"]: row for row in csv.DictReader(io.StringIO(text))}


def test_clocks_and_rulesets_are_those_that_scoring_knows():
    from algoperf_lite.cli.score import command

    choices = {p.name: p.type.choices for p in command.params if hasattr(p.type, "choices")}
    assert tuple(choices["clock"]) == tuple(CLOCKS)
    assert tuple(choices["ruleset"]) == RULESETS


def test_another_clock_scores_another_time(cli, made):
    code, out, _ = cli("score", made, "--clock", "time+compile", "--csv")
    assert code == 0
    assert float(rows(out)["x"]["a/time"]) == 8.0
    code, out, _ = cli("score", made, "--clock", "steps")
    assert code == 0
    assert "Clock: steps" in out


def test_one_ruleset_is_ranked_among_itself(cli, made):
    code, out, _ = cli("score", made, "--ruleset", "self", "--csv")
    assert code == 0
    assert list(rows(out)) == ["y", "z"]
    assert float(rows(out)["y"]["score"]) == 1.0


def test_the_speedup_is_over_the_baseline(cli, made):
    code, out, _ = cli("score", made, "--baseline", "y", "--csv")
    assert code == 0
    assert float(rows(out)["x"]["speedup"]) == pytest.approx(2.0)
    code, _, err = cli("score", made, "--baseline", "yy")
    assert code == 2
    assert "did you mean 'y'" in err


def test_markdown_is_printed_alone(cli, made, tmp_path):
    code, out, _ = cli("score", made, "--markdown", "--figure", tmp_path / "p")
    assert code == 0
    assert out.startswith("| # | submission |")
    assert "profiles" not in out
    assert (tmp_path / "p.png").exists()


@pytest.mark.parametrize(
    "flags", [("--json", "--csv"), ("--json", "--markdown"), ("--csv", "--markdown")]
)
def test_two_outputs_are_a_usage_error_that_names_both(cli, made, flags):
    code, out, err = cli("score", made, *flags)
    assert (code, out) == (2, "")
    assert all(flag in err for flag in flags)


def test_a_required_submission_that_reaches_all_is_fine(cli, made):
    code, out, err = cli("score", made, "--require", "x", "--require", "y")
    assert (code, err) == (0, "")
    assert "x" in out


def test_a_required_submission_that_misses_exits_1_and_names_each_miss(cli, made):
    code, out, err = cli("score", made, "--require", "x", "--require", "z", "--json")
    assert code == 1
    assert err.splitlines() == [
        "z: misses the target of b (no logs)",
        "z: misses the target of a_v (diverged)",
    ]
    assert json.loads(out)["suite"] == ["a", "b", "a_v"]


def test_an_unknown_required_submission_exits_2_before_anything_is_printed(cli, made):
    code, out, err = cli("score", made, "--require", "xx")
    assert (code, out) == (2, "")
    assert "--require: unknown submission 'xx': did you mean 'x'" in err


def test_a_required_submission_of_the_other_ruleset_is_known(cli, made):
    code, out, err = cli("score", made, "--ruleset", "self", "--require", "x")
    assert (code, out) == (2, "")
    assert "--require: 'x' is of the ruleset 'external', which --ruleset self leaves out" in err


def test_a_csv_is_alone_on_standard_output_and_warnings_are_beside_it(cli, made):
    _, out, err = cli("score", made, "--csv")
    assert len(out.splitlines()) == 4
    assert err.splitlines() == [
        "Incomplete: 8 of 9 trials found; a missing study counts as a miss."
    ]
    assert cli("score", made, "-w", "a", "--csv")[2] == ""


def test_a_figure_below_a_file_is_a_usage_error_that_names_the_file(cli, made, tmp_path):
    (tmp_path / "file").touch()
    for stem in (tmp_path / "file" / "x", tmp_path / "file" / "x" / "y"):
        code, _, err = cli("score", made, "--figure", stem)
        assert code == 2
        assert f"{tmp_path / 'file'} is a file" in err


def test_a_table_in_a_file_has_no_blanks_at_the_ends_of_lines(cli, made):
    assert not [line for line in cli("score", made)[1].splitlines() if line != line.rstrip()]
