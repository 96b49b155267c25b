import json

import pytest
import tiny

TINY = tiny.__file__
OPTIONS = ("--points", "0", "--executor", "inline", "--devices", "1")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return tmp_path_factory.mktemp("targets")


def test_json_says_how_the_seeds_fare_with_each_candidate(cli, results):
    code, out, err = cli("targets", "measure", "-w", TINY, "--seeds", "3", "--json",
                         "--results", results, *OPTIONS)  # fmt: skip
    (found,) = json.loads(out)
    assert code == (0 if found["target"] else 1), err
    assert (found["workload"], found["metric"], found["seeds"]) == ("tiny", "loss", 3)
    assert found["complete"]
    assert found["candidates"]
    assert all(len(c["steps"]) == c["reached"] for c in found["candidates"])


def test_tables_show_candidates_and_the_line_to_paste_or_why_there_is_none(cli, results):
    code, out, err = cli("targets", "measure", "-w", TINY, "--seeds", "3",
                         "--results", results, *OPTIONS)  # fmt: skip
    assert "trials: 3, 3 already recorded" in err
    assert "nadamw over 3 seeds, step hint 100" in out
    assert ("target=Target(" in out) if code == 0 else ("no value fits" in out)


def test_a_target_that_is_never_met_is_not_shown(cli, tmp_path):
    _, _, err = cli("targets", "measure", "-w", TINY, "--seeds", "3",
                    "--results", tmp_path, *OPTIONS)  # fmt: skip
    assert "/ none" in err
    assert "/ -1e+30" not in err


def test_no_time_gives_no_target_and_exit_1(cli, tmp_path):
    code, out, _ = cli("targets", "measure", "-w", TINY, "--budget-minutes", "0",
                       "--results", tmp_path, *OPTIONS)  # fmt: skip
    assert code == 1
    assert "no target yet: 0 seeds" in out
    assert "the same command again goes on" in out


def test_bad_requests_exit_2(cli, tmp_path):
    for more, message in ((("-w", "zipf_ln"), "did you mean 'zipf_lm'"),
                          (("-w", TINY, "--seeds", "2"), "at least 3, not 2")):  # fmt: skip
        code, _, err = cli("targets", "measure", *more, "--results", tmp_path, *OPTIONS)
        assert code == 2
        assert message in err
