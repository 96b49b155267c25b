import json

import pytest
import tiny

SOUND = f"{tiny.__file__}[eval_every=5]"


def test_a_sound_workload_exits_0_and_shows_what_was_seen(cli):
    code, out, _ = cli("check", "workload", SOUND)
    assert code == 0
    assert "tiny[eval_every=5]: 16 ok, 2 not applicable" in out
    assert "58 parameters" in out


def test_a_failed_check_exits_1_and_says_what_to_mend(cli):
    code, out, _ = cli("check", "workload", SOUND, tiny.__file__, "--json")
    sound, coarse = json.loads(out)
    assert code == 1
    assert {c["status"] for c in sound["checks"]} == {"ok", "not applicable"}
    failed = [c for c in coarse["checks"] if c["status"] == "failed"]
    assert [c["check"] for c in failed] == ["sizes"]
    assert "choose eval_every between 3 and 8" in failed[0]["detail"]
    assert set(failed[0]) == {"check", "about", "status", "detail"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("workload", "zipf_ln"), "did you mean 'zipf_lm'"),
        (("workload", "nowhere.py"), "no file nowhere.py"),
        (("workload",), "Missing argument"),
        (("wrkload",), "No such command 'wrkload'"),
    ],
)
def test_bad_requests_exit_2(cli, arguments, message):
    code, _, err = cli("check", *arguments)
    assert code == 2
    assert message in err


def test_help_of_the_group_and_of_the_check(cli):
    assert "workload" in cli("check", "--help")[1]
    assert "nothing is trained" in cli("check", "workload", "--help")[1]
