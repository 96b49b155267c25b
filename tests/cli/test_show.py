import json
import shutil

import pytest

from algoperf_lite.cli.trial_view import plot


@pytest.fixture(scope="module")
def trial(results):
    return next(results.glob("nadamw*")) / "study_0" / "tiny_jax" / "trial_1"


def test_a_trial_shows_curve_clock_and_status(cli, trial):
    code, out, _ = cli("show", trial)
    assert code == 0
    for text in ("target_reached", "validation/loss", "on the clock: update",
                 "off the clock: compile", "learning_rate=0.05", "test"):  # fmt: skip
        assert text in out


def test_a_trials_json_holds_all_that_the_table_shows(cli, trial):
    found = json.loads(cli("show", trial, "--json")[1])
    assert found["trial"]["status"] == "target_reached"
    assert found["evaluations"][-1]["validation/loss"] <= 0.2
    assert found["hyperparameters"]["learning_rate"] == 0.05


def test_the_json_of_a_diverged_trial_is_strict(cli, trial, tmp_path):
    copy = tmp_path / "trial_1"
    shutil.copytree(trial, copy)
    with (copy / "eval_measurements.csv").open("a") as file:
        file.write("1,0,2,30,0,2,,,30,3,,,0.5,nan,50\n")
    code, out, _ = cli("show", copy, "--json")
    assert code == 0
    assert json.loads(out, parse_constant=pytest.fail)["evaluations"][-1]["validation/loss"] is None


def test_an_unfinished_trial_is_shown_as_such(cli, trial, tmp_path):
    copy = tmp_path / "trial_1"
    shutil.copytree(trial, copy)
    (copy / "trial.json").unlink()
    code, out, _ = cli("show", copy)
    assert code == 0
    assert "unfinished" in out
    assert json.loads(cli("show", copy, "--json")[1])["trial"] is None


def test_a_results_directory_shows_its_trials(cli, results):
    code, out, _ = cli("show", results)
    assert code == 0
    assert "nesterov" in out
    assert "nadamw[learning_rate=0.05]" in out
    assert len(json.loads(cli("show", results, "--json")[1])) == 2


def test_a_directory_without_trials_exits_2_with_the_mend(cli, tmp_path):
    code, _, err = cli("show", tmp_path / "x")
    assert code == 2
    assert "no trials in or below" in err


def test_a_plot_marks_points_and_level():
    lines = plot([0, 1, 2], [3.0, 2.0, 1.0], level=1.5, labels=("s", "loss")).splitlines()
    assert lines[1].startswith("         3 |o")
    assert any(line.strip().startswith("1.5 |- -") for line in lines)
    assert lines[-1].endswith("2 s")
    assert plot([0], [float("nan")]) == ""
