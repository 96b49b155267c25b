"""What a report shows, as one object."""

import json
import shlex

import pytest

from algoperf_lite.errors import UsageError
from algoperf_lite.records import SUITE_FILE
from scoring.board import WORDS
from scoring.leaderboard import score
from scoring.report.payload import TRIAL_COLUMNS, payload
from tests.scoring.made_logs import declared, hit, untimed_hit, write_trial
from tests.scoring.report.made_report import ENVIRONMENT, HOSTILE, REASON, STUDIES, make_results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("records") / "made up")


@pytest.fixture(scope="module")
def shown(results):
    return payload(results, written="today")


def trials(shown):
    return [dict(zip(shown["trials"]["columns"], row, strict=True))
            for row in shown["trials"]["rows"]]  # fmt: skip


def test_it_is_strict_json_with_a_row_for_every_trial(shown):
    json.dumps(shown, allow_nan=False)
    assert shown["trials"]["columns"] == list(TRIAL_COLUMNS)
    assert len(trials(shown)) == 9 * STUDIES


def test_a_trial_that_broke_the_rules_of_timing_is_there_with_its_reason(tmp_path):
    (tmp_path / SUITE_FILE).write_text(json.dumps(declared(("a",))))
    record = {"status": "invalid", "reason": "patched time"}
    write_trial(tmp_path, "x", "a", hit(1), record=record)
    (trial,) = trials(payload(tmp_path))
    assert (trial["status"], trial["reason"], trial["time"]) == (*record.values(), None)


def test_a_run_that_was_not_timed_is_shown_by_steps(tmp_path):
    (tmp_path / SUITE_FILE).write_text(json.dumps(declared(("a",))))
    record = {"status": "target_reached", "timed": False, "seconds": None, "robust_seconds": None}
    write_trial(tmp_path, "x", "a", untimed_hit(40), record=record)
    shown = payload(tmp_path, clock="steps")
    (trial,) = trials(shown)
    assert (shown["unit"], trial["time"], trial["steps"]) == ("steps", 40, 40)
    assert (trial["seconds"], trial["curve_seconds"]) == (None, [None] * 5)
    assert trial["curve_steps"] == [0, 10, 5]
    json.dumps(shown, allow_nan=False)


def test_the_first_board_is_the_leaderboard(shown, results):
    whole = score(results).to_json()
    board = shown["boards"][0]
    assert (board["ruleset"], board["tier"]) == (None, None)
    assert board["board"]["submissions"] == whole["submissions"]


def test_there_is_a_board_for_every_ruleset_and_tier(shown):
    choices = {(board["ruleset"], board["tier"]) for board in shown["boards"]}
    assert choices == {
        (r, t) for r in (None, "external", "self") for t in (None, "lite", "catalog")
    }


def test_boards_of_a_part_are_scored_anew(shown, results):
    for board in shown["boards"]:
        words = shlex.split(board["command"])
        chosen = [words[i + 1] for i, word in enumerate(words) if word == "-w"]
        again = score(words[2], workloads=chosen or None, ruleset=board["ruleset"]).to_json()
        assert board["board"]["submissions"] == again["submissions"]
        assert ("--ruleset" in words) == (board["ruleset"] is not None)


def test_points_and_environments_are_kept_once(shown):
    assert shown["environments"] == [ENVIRONMENT]
    assert len(shown["points"]) == STUDIES
    assert {trial["point"] for trial in trials(shown)} == {0, 1, 2}


def test_a_trial_says_how_it_went(shown):
    name = [one["name"] for one in shown["submissions"]].index(HOSTILE)
    on = [one["name"] for one in shown["workloads"]].index("a")
    failed = [t for t in trials(shown) if (t["submission"], t["workload"]) == (name, on)]
    assert {(t["status"], t["reason"], t["time"]) for t in failed} == {("error", REASON, None)}
    assert failed[0]["curve_seconds"] == [12.5, 25.0, 37.5, 50.0]
    assert failed[0]["curve_steps"] == [0.0, 10.0, 4]
    assert failed[0]["kernel"] == [0.010, 0.0101]


def test_problems_are_told_once_and_below_the_source(shown):
    assert [problem["path"] for problem in shown["problems"]] == ["stray.txt"]
    assert not any("problems" in board["board"] for board in shown["boards"])


def test_commands_can_be_pasted_whatever_the_names_are(shown, results):
    commands = {one["name"]: one["command"] for one in shown["submissions"]}
    words = shlex.split(commands[HOSTILE].replace("{workload}", "b"))
    assert words[:6] == ["algoperf-lite", "run", "-s", HOSTILE, "-w", "b"]
    assert words[words.index("--seed") + 1] == "7"
    assert shlex.split(shown["boards"][0]["command"]) == ["algoperf-lite", "score", str(results)]


def test_a_cell_names_the_trial_that_stands_for_it(tmp_path):
    content = declared(("a", "b"), studies=3, submissions={"s": {"ruleset": "external"}})
    (tmp_path / SUITE_FILE).write_text(json.dumps(content))
    for study, seconds in enumerate((5.0, 9.0)):  # of three studies that are declared
        write_trial(tmp_path, "s", "a", hit(seconds), study)
    shown = payload(tmp_path)
    (made,) = shown["boards"]
    at = made["deciding"]["s"]["a"]
    assert "b" not in made["deciding"]["s"]
    assert (trials(shown)[at]["study"], trials(shown)[at]["time"]) == (1, 9.0)
    assert made["board"]["submissions"][0]["times"]["a"] == 9.0


def test_every_board_names_trials_of_its_cells(shown):
    for made in shown["boards"]:
        for row in made["board"]["submissions"]:
            stand = made["deciding"][row["name"]]
            assert list(stand) == made["board"]["suite"]
            for workload, at in stand.items():
                trial = trials(shown)[at]
                on = shown["workloads"][trial["workload"]]["name"]
                name = shown["submissions"][trial["submission"]]["name"]
                assert (name, on) == (row["name"], workload)
                assert trial["time"] == row["cells"][workload]["time"]


def test_states_are_worded_as_on_the_terminal(shown):
    assert {state: one["word"] for state, one in shown["states"].items()} == WORDS
    rules = {one["word"]: one["rule"] for one in shown["states"].values() if one["rule"]}
    assert rules == {"base missed": 1, "over 4x": 2, "variant missed": 3}
    assert all(one["meaning"] for one in shown["states"].values())


def test_foreign_logs_have_no_command_and_leave_unknowns_empty(tmp_path):
    write_trial(tmp_path, "s", "a", hit(5))
    (tmp_path / SUITE_FILE).write_text(json.dumps(declared(("a",))))
    shown = payload(tmp_path)
    (trial,) = trials(shown)
    assert shown["submissions"] == [{"name": "s", "ruleset": None, "command": None}]
    unknown = ("clock", "compile", "kernel", "point", "environment", "flops_per_step", "noisy",
               "host_loop")  # fmt: skip
    assert {trial[name] for name in unknown} == {None}
    assert trial["time"] == 5


def test_a_trial_on_a_host_loop_says_so(tmp_path):
    record = {"status": "target_reached", "host_loop": True}
    write_trial(tmp_path, "s", "a", hit(5), record=record)
    (tmp_path / SUITE_FILE).write_text(json.dumps(declared(("a",))))
    (trial,) = trials(payload(tmp_path))
    assert trial["host_loop"] is True


def test_options_reach_the_board_and_its_command(results):
    shown = payload(results, clock="steps", baseline="fast", integration="algoperf", title="T")
    assert (shown["unit"], shown["title"]) == ("steps", "T")
    assert shown["boards"][0]["board"]["baseline"] == "fast"
    for word in ("--clock steps", "--baseline fast", "--integration algoperf"):
        assert word in shown["boards"][0]["command"]


def test_a_baseline_of_another_ruleset_is_left_out(results):
    of_self = [b for b in payload(results, baseline="fast")["boards"] if b["ruleset"] == "self"]
    assert {board["board"]["baseline"] for board in of_self} == {None}


def test_no_records_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="none"):
        payload(tmp_path / "none")
