import hashlib
import json
import shutil

import pytest

from algoperf_lite.cli.schedules_view import HORIZON, draw
from algoperf_lite.cli.trial_view import plot
from submissions.schedules import SCHEDULES
from tests.scoring.made_logs import MISS, declared, hit, trial_dir, write_trial


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


def test_a_path_without_trials_exits_2_with_the_mend(cli, tmp_path):
    (tmp_path / "file").touch()
    for path, said in (
        (tmp_path, "no trials in or below"),
        (tmp_path / "x", "no such directory"),
        (tmp_path / "file", "is a file: give the directory"),
    ):
        code, _, err = cli("show", path)
        assert code == 2
        assert said in err


@pytest.fixture
def many(tmp_path):
    """Two submissions on two workloads in seven studies, of which one failed twice."""
    for submission in ("one", "two"):
        for workload in ("a", "b"):
            for study in range(7):
                failed = (submission, workload) == ("two", "b") and study < 2
                record = {"status": "error", "reason": "ValueError: no"} if failed else {
                    "status": "target_reached", "seconds": 2.0 + study, "steps": 10}  # fmt: skip
                write_trial(tmp_path, submission, workload, hit(2), study, record=record)
    return tmp_path


def test_many_trials_are_counted_by_submission(cli, many):
    code, out, _ = cli("show", many)
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert rows["submission"] == ["trials", "reached", "error", "total", "s"]
    assert rows["one"] == ["14", "14", "70.00"]
    assert rows["two"] == ["14", "12", "2", "65.00"]
    assert "28 trials, 2 submissions, 2 workloads, 7 studies" in out
    assert "error two on b, study 0 and 1 more: ValueError: no" in out
    assert "--all shows each of the 28 trials" in out


def test_a_host_loop_is_marked(cli, tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",))))
    for study, said in enumerate((True, False)):
        record = {"status": "target_reached", "host_loop": said}
        place = write_trial(tmp_path, "x", "a", hit(2.0), study, record=record)
        shown = cli("show", place)[1]
        assert ("\nhost-loop: the submission was called from Python" in shown) is said
    marked = [line for line in cli("show", tmp_path)[1].splitlines() if "host-loop" in line]
    assert len(marked) == 1
    assert "Host loop: 1 of 2 trials" in cli("score", tmp_path)[1]


def test_a_submission_is_counted_by_workload(cli, many):
    for study in range(7, 20):
        write_trial(many, "one", "a", hit(2), study, record={"status": "diverged"})
    out = cli("show", many / "one")[1]
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert rows["a"] == ["20", "7", "13", "5.00"]
    assert rows["b"] == ["7", "7", "5.00"]


def test_each_of_many_is_shown_where_asked(cli, many):
    out = cli("show", many, "--all")[1]
    assert sum(line.startswith(("one", "two")) for line in out.splitlines()) == 28
    assert len(json.loads(cli("show", many, "--json")[1])) == 28


@pytest.mark.parametrize("width", [80, 120])
def test_few_trials_fit_the_terminal(cli, many, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    out = cli("show", many / "two" / "study_0")[1]
    assert max(len(line) for line in out.splitlines() if "reached" in line) <= width
    assert "ValueError: no" in out


def test_algoperfs_own_logs_are_shown_as_logged(cli, tmp_path):
    for study in range(2):
        write_trial(tmp_path, "theirs", "a", hit(7), study, metric="wer")
    code, out, _ = cli("show", tmp_path)
    assert code == 0
    assert "unfinished" not in out
    assert "score --suite FILE" in out
    rows = json.loads(cli("show", tmp_path, "--json")[1])
    assert [(row["status"], row["steps"], row["seconds"]) for row in rows] == [
        ("logged", 10, 7.0), ("logged", 10, 7.0)]  # fmt: skip
    out = cli("show", rows[0]["path"])[1]
    for text in ("logged", "validation/wer", "7.000 s", "wer=0.9"):
        assert text in out


def test_a_damaged_record_does_not_hide_the_others(cli, many):
    (trial_dir(many, "one", "a") / "trial.json").write_text("{")
    code, out, _ = cli("show", many)
    assert code == 0
    assert "unreadable one on a, study 0" in out


def test_a_trial_with_a_damaged_record_is_shown_from_its_evaluations(cli, many):
    (trial_dir(many, "one", "a") / "trial.json").write_text("{")
    code, out, _ = cli("show", trial_dir(many, "one", "a"))
    assert code == 0
    for text in ("unreadable", "trial.json: not JSON", "validation/loss", "2.000 s"):
        assert text in out
    found = json.loads(cli("show", trial_dir(many, "one", "a"), "--json")[1])
    assert (found["status"], found["trial"], len(found["evaluations"])) == ("unreadable", None, 2)


def test_what_is_legible_of_a_damaged_record_is_shown(cli, trial, tmp_path):
    copy = tmp_path / "trial_1"
    shutil.copytree(trial, copy)
    record = json.loads((copy / "trial.json").read_text())
    record |= {"target": "x", "budget_seconds": [1], "clock": {"update": None}, "reason": 4}
    (copy / "trial.json").write_text(json.dumps(record))
    code, out, _ = cli("show", copy)
    assert code == 0
    assert "not legible in trial.json: budget_seconds, target" in out
    assert "off the clock: compile" in out


def test_damaged_evaluations_are_named(cli, many):
    path = trial_dir(many, "one", "a") / "eval_measurements.csv"
    path.write_text(path.read_text().replace("0.9", "o.9"))
    code, out, _ = cli("show", path.parent)
    assert code == 0
    assert "eval_measurements.csv: cannot be read as rows of numbers" in out


@pytest.fixture
def judged(tmp_path):
    """One trial that counts, and by study what scoring does not count, beside the suite."""
    content = declared(("a",), studies=5, trials=1, submissions={"x": {"ruleset": "external"}})
    (tmp_path / "suite.json").write_text(json.dumps(content))
    reached = {"status": "target_reached", "target": {"metric": "loss", "value": 1.0}}
    own = {"submission": "x", "evaluations_sha256": None}
    for study in range(4):
        record = reached | {"target": {"metric": "loss", "value": 1.0 + (study == 3)}}
        write_trial(tmp_path, "x", "a", MISS if study == 1 else hit(2), study, record=record)
    csv = (trial_dir(tmp_path, "x", "a") / "eval_measurements.csv").read_bytes()
    own["evaluations_sha256"] = hashlib.sha256(csv).hexdigest()
    for name, study in (("x", 4), ("y", 4)):
        write_trial(tmp_path, name, "a", hit(2), study, record=reached | own)
    (trial_dir(tmp_path, "x", "a", 2) / "eval_measurements.csv").write_text("a\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "study", "said"),
    [
        ("x", 1, "no row meets the target, but trial.json says target_reached"),
        ("x", 2, "eval_measurements.csv: "),
        ("x", 3, "was run for the target"),
        ("y", 4, "trial.json: is a copy of a trial of 'x'"),
    ],
)
def test_a_trial_that_does_not_count_is_shown_with_what_scoring_says(
    cli, judged, name, study, said, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "300")
    path = trial_dir(judged, name, "a", study)
    code, out, _ = cli("show", path)
    assert code == 0
    assert out.splitlines()[1] == "target_reached, but not counted"
    assert said in out.splitlines()[2]
    found = json.loads(cli("show", path, "--json")[1])
    assert found["counts"] is False
    assert any(said in problem for problem in found["problems"])
    monkeypatch.chdir(path)
    assert said in cli("show", ".")[1]


def test_a_trial_that_counts_has_no_problems(cli, judged):
    found = json.loads(cli("show", trial_dir(judged, "x", "a"), "--json")[1])
    assert (found["counts"], found["problems"]) == (True, [])
    assert "not counted" not in cli("show", trial_dir(judged, "x", "a"))[1]


def test_trials_that_do_not_count_are_not_counted_as_reached(cli, judged, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    rows = json.loads(cli("show", judged, "--json")[1])
    assert [row["counts"] for row in rows] == [True, False, False, False, True, False]
    out = cli("show", judged)[1]
    assert sum(" not counted  " in line for line in out.splitlines()) == 4
    assert "is a copy of a trial of 'x'" in out
    for study in range(5, 30):
        write_trial(judged, "x", "a", hit(2), study, record={"status": "target_reached"})
    lines = [line for line in cli("show", judged)[1].splitlines() if line]
    assert [line.split() for line in lines if line.startswith(("x ", "y "))] == [
        ["x", "30", "27", "3"], ["y", "1", "1"]]  # fmt: skip
    assert any(line.startswith("not counted x on a, study 1: ") for line in lines)


def test_a_trial_that_was_not_timed_is_judged_by_its_steps(cli, judged):
    record = {"status": "target_reached", "timed": False}
    path = write_trial(judged, "x", "a", [("", 5.0), ("", 0.9)], 5, record=record)
    found = json.loads(cli("show", path, "--json")[1])
    assert (found["counts"], found["problems"]) == (True, [])


def test_a_trial_of_an_undeclared_workload_takes_no_part(cli, judged):
    path = write_trial(judged, "x", "b", hit(2), record={"status": "target_reached"})
    assert "workload 'b' is not in suite.json: not counted" in cli("show", path)[1]


def test_a_suite_that_cannot_be_read_hides_no_trial(cli, judged):
    (judged / "suite.json").write_text("{")
    code, out, _ = cli("show", trial_dir(judged, "x", "a"))
    assert code == 0
    assert "target_reached\n" in out
    assert "suite.json: not a JSON file" in "".join(out.splitlines())


def test_numbers_beyond_measure_are_left_out(cli, tmp_path):
    record = {"status": "error", "steps": 10**400, "seconds": 10**400}
    for study in range(30):
        write_trial(tmp_path, "x", "a", hit(2), study, record=record)
    counts, lines = (cli("show", tmp_path, *more)[1].splitlines() for more in ((), ("--all",)))
    assert ["a", "30", "30"] in [line.split() for line in counts]
    assert ["0", "error"] in [line.split() for line in lines]
    (path,) = tmp_path.glob("x/study_7/*/*")
    assert "not legible in trial.json: steps, seconds" in cli("show", path)[1]


def test_negative_times_are_plotted_and_named(cli, tmp_path):
    path = write_trial(tmp_path, "x", "a", [(-1, 5.0), (-3, 0.9)], record={"status": "diverged"})
    code, out, _ = cli("show", path)
    assert code == 0
    assert "accumulated_submission_time is negative" in out
    assert sum(line.count("o") for line in out.splitlines() if " |" in line) == 2
    assert "            -3 " in out


def test_evaluations_that_changed_since_are_told(cli, trial, tmp_path):
    assert json.loads(cli("show", trial, "--json")[1])["evaluations_changed"] is False
    copy = tmp_path / "trial_1"
    shutil.copytree(trial, copy)
    csv = copy / "eval_measurements.csv"
    csv.write_text("".join(csv.read_text().splitlines(keepends=True)[:-1]))
    assert json.loads(cli("show", copy, "--json")[1])["evaluations_changed"] is True
    assert "not those that the trial was recorded with" in cli("show", copy)[1]


def test_a_plot_marks_points_and_level():
    lines = plot([0, 1, 2], [3.0, 2.0, 1.0], level=1.5, labels=("s", "loss")).splitlines()
    assert lines[1].startswith("         3 |o")
    assert any(line.strip().startswith("1.5 |- -") for line in lines)
    assert lines[-1].endswith("2 s")
    assert plot([0], [float("nan")]) == ""
    assert plot([0, 1], [1e308, -1e308]) == ""


def test_schedules_are_drawn_with_their_parameters(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")
    code, out, _ = cli("show", "schedules")
    assert code == 0
    assert all(name in out for name in SCHEDULES)
    assert "cooldown_power=0.5" in out
    assert "█" * 40 in out  # the constant one


def test_the_json_of_schedules_holds_their_values(cli):
    found = json.loads(cli("show", "schedules", "--json")[1])
    assert [row["name"] for row in found] == list(SCHEDULES)
    rates = next(row for row in found if row["name"] == "linear")["learning_rate"]
    assert len(rates) == HORIZON + 1
    assert (rates[0], rates[50], rates[-1]) == (0.0, 1.0, 0.0)


def test_the_schedule_of_a_submission_is_shown(cli):
    selector = "nadamw[schedule=uba,phi=2]"
    (row,) = json.loads(cli("show", "schedules", "-s", selector, "--json")[1])
    assert (row["name"], row["schedule"], row["parameters"]["phi"]) == (selector, "uba", 2)
    code, _, err = cli("show", "schedules", "-s", "schedule_free_adamw")
    assert code == 2
    assert "takes no schedule" in err


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_schedules_are_drawn_into_a_picture_the_same_each_time(cli, tmp_path, suffix):
    paths = [tmp_path / "a" / f"one{suffix}", tmp_path / f"two{suffix}"]
    for path in paths:
        code, out, err = cli("show", "schedules", "-s", "nadamw", "--plot", path)
        assert code == 0, err
        assert f"drawn: {path}" in out
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_picture_needs_a_known_suffix_and_a_place_that_can_be_written(cli, tmp_path):
    code, _, err = cli("show", "schedules", "--plot", tmp_path / "x.gif")
    assert code == 2
    assert ".svg" in err
    (tmp_path / "file").touch()
    code, _, err = cli("show", "schedules", "--plot", tmp_path / "file" / "x.png")
    assert code == 2
    assert f"{tmp_path / 'file'} is a file" in err


def test_a_directory_named_schedules_is_shown_if_it_holds_trials(cli, trial, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schedules").mkdir()
    assert "cosine" in cli("show", "schedules")[1]
    shutil.copytree(trial, tmp_path / "schedules" / "trial_1")
    assert "target_reached" in cli("show", "schedules")[1]
    code, _, err = cli("show", "schedules", "--plot", "x.png")
    assert code == 2
    assert "--plot is for" in err


def test_an_area_is_drawn_to_an_eighth_of_a_line():
    assert draw([0, 0.25, 0.5, 0.75, 1], columns=5, rows=2).splitlines() == [
        "   ▄█",
        " ▄███",
    ]
    assert draw([0.01] * 10, columns=2, rows=2).splitlines() == ["  ", "▁▁"]
