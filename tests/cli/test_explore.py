import json
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
from made_curves import write_run

TINY = tiny.__file__
INLINE = ("--executor", "inline", "--devices", "1")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Made runs under three schedules, whose losses follow a law exactly."""
    path = tmp_path_factory.mktemp("runs")
    return [write_run(path, schedule) for schedule in ("cosine", "constant", "linear")]


def test_a_law_fitted_to_two_runs_predicts_a_third(cli, runs, tmp_path):
    *fitted, held_out = runs
    picture = tmp_path / "new" / "law.png"
    code, out, err = cli("explore", "law", *fitted, "--against", held_out, "--schedule", "wsd",
                         "--schedule", "linear", "--plot", picture)  # fmt: skip
    assert code == 0, err
    assert "nadamw on made, 38 losses of 2 runs" in out
    assert "L = 2.5 + 0.6 S1^-0.45 - 0.4 S2,  lambda 0.99" in out
    assert "step of loss <= 2.9" in out
    assert "against runs that were not fitted" in out
    assert "linear, study 0" in out
    assert picture.stat().st_size > 10_000


def test_a_laws_json_holds_all_that_the_tables_show(cli, runs):
    code, out, _ = cli("explore", "law", *runs[:2], "--against", runs[2], "--schedule", "linear",
                       "--horizon-steps", "200", "--target", "0.1", "--json")  # fmt: skip
    found = json.loads(out)
    assert code == 0
    assert found["fit"]["explained"] == pytest.approx(1, abs=1e-4)
    (prediction,) = found["predictions"]
    assert (prediction["steps"], prediction["target_step"]) == (200, None)
    (compared,) = found["held_out"]
    assert compared["final_predicted"] == pytest.approx(compared["final_measured"], rel=1e-3)
    assert compared["mean_error"] < 1e-3


def test_every_schedule_is_predicted_by_default(cli, runs):
    found = json.loads(cli("explore", "law", *runs, "--json", "--decay", "0.99")[1])
    names = {one["schedule"] for one in found["predictions"]}
    assert {"constant", "cosine", "linear", "rex", "wsd"} <= names
    losses = [one["final_loss"] for one in found["predictions"]]
    assert losses == sorted(losses)


def test_runs_that_do_not_anneal_are_pointed_out(cli, runs):
    _, out, _ = cli("explore", "law", runs[1], "--schedule", "wsd")
    assert "no run anneals, so C is unknown" in out


def test_a_poor_fit_is_said_and_exits_1(cli, tmp_path):
    wave = SimpleNamespace(losses=lambda rates: 2 + np.sin(np.arange(len(rates)) / 40))
    write_run(tmp_path, "cosine", law=wave)
    code, out, _ = cli("explore", "law", tmp_path, "--schedule", "rex", "--decay", "0.99")
    assert code == 1
    assert "a poor fit" in out


def test_bad_requests_of_a_law_exit_2_and_say_the_mend(cli, runs, results, tmp_path):
    for arguments, message in (
        ((tmp_path,), "no trials in or below"),
        ((tmp_path / "nowhere",), "no trials in or below"),
        ((results,), "several submissions: nadamw, nesterov"),
        ((runs[0], results), "several workloads: made, tiny"),
        ((runs[0], "--schedule", "cosin"), "did you mean 'cosine'"),
        ((runs[0], "--horizon-steps", "1"), "--horizon-steps must be at least 2"),
        ((runs[0], "--decay", "1"), "--decay is at least 0 and less than 1"),
        ((runs[0], "--against", next(results.glob("nadamw*"))), "--against: its workload is tiny"),
        ((runs[0], "--schedule", "rex", "--plot", tmp_path / "law.doc"), "end it in .png"),
    ):
        code, _, err = cli("explore", "law", *arguments)
        assert code == 2, message
        assert message in err


def test_a_picture_below_a_file_exits_2(cli, runs, tmp_path):
    (tmp_path / "file").write_text("")
    picture = tmp_path / "file" / "law.png"
    code, _, err = cli("explore", "law", runs[0], "--schedule", "rex", "--plot", picture)
    assert code == 2
    assert "cannot write" in err


def test_sensitivity_prints_a_number_draws_and_goes_on(cli, tmp_path):
    arguments = ("explore", "sensitivity", "-s", "nadamw", "-w", TINY, "--points", "2",
                 "--decades", "1", "--max-steps", "20",
                 "--results", tmp_path / "r", *INLINE)  # fmt: skip
    picture = tmp_path / "sensitivity.svg"
    code, out, err = cli(*arguments, "--plot", picture)
    assert code == 0, err
    assert "0.00158 to 0.0158" in out
    assert "nadamw on tiny is best at the end of the range, 0.01581" in out
    assert "at initialisation" in picture.read_text() or picture.stat().st_size > 10_000
    code, out, err = cli(*arguments, "--json")
    (found,) = json.loads(out)
    assert "2 already recorded" in err
    assert found["sensitivity"] == pytest.approx(abs(found["losses"][0] - found["losses"][1]) / 2)


def test_batch_size_prints_steps_examples_and_seconds_draws_and_goes_on(cli, tmp_path):
    arguments = ("explore", "batch-size", "-s", "nadamw[learning_rate=0.05]", "-w", TINY,
                 "--sizes", "20,50", "--rule", "linear",
                 "--results", tmp_path / "r", *INLINE)  # fmt: skip
    picture = tmp_path / "sizes.png"
    code, out, err = cli(*arguments, "--plot", picture)
    assert code == 0, err
    assert "on tiny to loss <= 0.2, budgets of equal examples" in out
    assert "* the workload's own batch size" in out
    assert picture.stat().st_size > 10_000
    code, out, err = cli(*arguments, "--json")
    assert err.count("1 already recorded") == 2
    assert [size["learning_rate"] for size in json.loads(out)["sizes"]] == [0.05, 0.125]


def test_bad_requests_of_studies_exit_2_and_say_the_mend(cli, tmp_path):
    nadamw = ("-s", "nadamw", "-w", TINY)
    for arguments, message in (
        (("sensitivity", "-s", "nadamv", "-w", TINY), "did you mean 'nadamw'"),
        (("sensitivity", "-s", "nadamw", "-w", "zipf_ln"), "did you mean 'zipf_lm'"),
        (("sensitivity", *nadamw, "--points", "1"), "at least 2, not 1"),
        (("batch-size", *nadamw, "--sizes", "big"), "give whole numbers, as in 16,32,64"),
        (("batch-size", *nadamw, "--sizes", "0"), "must be positive, not 0"),
        (("batch-size", *nadamw, "--sizes", "8", "--rule", "cubic"), "'cubic' is not one of"),
    ):
        code, _, err = cli("explore", *arguments, "--results", tmp_path, *INLINE)
        assert code == 2, message
        assert message in err


def test_sizes_that_do_not_divide_over_the_devices_exit_2(cli, tmp_path):
    code, _, err = cli("explore", "batch-size", "-s", "nadamw", "-w", TINY, "--sizes", "10",
                       "--results", tmp_path, "--executor", "inline", "--devices", "4")  # fmt: skip
    assert code == 2
    assert "10 does not divide over 4 devices" in err
