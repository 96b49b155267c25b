import json

import tiny


def test_calibrate_measures_once_and_again_when_asked(cli):
    command = ("calibrate", "-w", tiny.__file__, "--devices", "1", "--json")
    first, stored, again = (
        json.loads(cli(*command, *extra)[1])[0] for extra in ((), (), ("--again",))
    )
    assert first == stored
    assert again["windows"] != first["windows"]
    assert first["budget_seconds"] == first["seconds_per_step"] * 100


def test_the_table_shows_the_budget(cli):
    code, out, _ = cli("calibrate", "-w", tiny.__file__, "--devices", "1")
    assert code == 0
    assert "tiny" in out
    assert "budget s" in out


def test_an_unknown_workload_exits_2(cli):
    code, _, err = cli("calibrate", "-w", "zipf_ln")
    assert code == 2
    assert "did you mean 'zipf_lm'" in err
