import io
import os
import signal
import subprocess
import sys
import time

import pytest
import tiny
from rich.console import Console

from algoperf_lite.cli.progress import ProgressView
from algoperf_lite.records import (
    EVALUATIONS_FILE,
    TRIAL_FILE,
    read_evaluations,
    read_json,
    trial_directory,
)

TINY = tiny.__file__
INLINE = ("--executor", "inline", "--devices", "1", "--max-steps", "20")


def test_a_run_ends_with_leaderboard_pictures_and_path(cli, results):
    code, out, err = cli("run", "-w", TINY, "-s", "nadamw[learning_rate=0.05]", "-s", "nesterov",
                         "--results", results, "--quick", "--max-steps", "100",
                         "--executor", "inline", "--devices", "1")  # fmt: skip
    assert code == 0, err
    assert "trials: 2, 2 already recorded" in err
    assert "nadamw[learning_rate=0.05]" in out
    assert f"records: {results}" in out
    for suffix in ("png", "svg"):
        assert (results / f"profiles.{suffix}").stat().st_size > 1000


def test_a_config_file_says_what_flags_can_say_and_flags_win(cli, tmp_path):
    config = tmp_path / "run.toml"
    config.write_text(
        f"""
        workload = ["{TINY}"]
        submission = ["nadamw[learning_rate=0.001]"]
        results = "{tmp_path}/r"
        quick = true
        max-steps = 10
        executor = "inline"
        devices = 1
        seed = 3
        """
    )
    code, out, err = cli("run", "--config", config, "--max-steps", "20")
    assert code == 0, err
    assert "tiny nadamw[learning_rate=0.001] study 0 trial 1: budget_exhausted" in err
    assert "20 of 20 steps taken" in err
    assert f"records: {tmp_path}/r" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wrkload = ['x']", "unknown key 'wrkload': did you mean 'workload'"),
        ("workload = 'x'", "workload must be a list"),
        ("seed = [1]", "seed must be a single value"),
        ("seed = ", "config"),
        ("seed = 'x'", "'x' is not a valid integer"),
    ],
)
def test_bad_config_files_are_usage_errors(cli, tmp_path, text, message):
    config = tmp_path / "run.toml"
    config.write_text(text)
    code, _, err = cli("run", "--config", config, "-w", TINY, "-s", "nadamw")
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-w", "zipf_ln", "-s", "nadamw"), "did you mean 'zipf_lm'"),
        (("-w", TINY, "-s", "nadam"), "did you mean 'nadamw'"),
        (("-w", TINY, "-s", "nadamw[lr=1]"), "unknown hyperparameter 'lr'"),
        (("-w", TINY), "name at least one workload"),
        (("-w", TINY, "-s", "nadamw", "--studies", "0"), "--studies must be at least 1"),
        (("-w", TINY, "-s", "nadamw", "--devices", "99"), "--devices 99, but there are 4"),
        (("-w", TINY, "-s", "nadamw", "--devices", "0"), "--devices 0, but there are 4"),
        (("-w", TINY, "-s", "nadamw", "--seed", "-1"), "--seed must be at least 0, not -1"),
        (("-w", f"{TINY}[target=low]", "-s", "nadamw"), "could not convert string to float"),
        (("--config", "nowhere.toml"), "nowhere.toml: No such file"),
    ],
)
def test_bad_requests_exit_2_with_the_mend(cli, tmp_path, arguments, message):
    code, _, err = cli("run", "--results", tmp_path / "r", *INLINE, *arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_a_table_for_a_small_terminal_keeps_the_running_trial_in_sight():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80, height=12)
    view = ProgressView(console)
    target = {"metric": "loss", "value": 4.2, "direction": "minimize"}
    name = "schedule_free_adamw"
    trials = [spec(submission_name=name, trial=k) for k in range(1, 21)]
    view.observe({"event": "plan", "trials": trials, "todo": 20,
                  "workloads": [{"name": "w", "target": target}],
                  "environment": {"platform": "gpu", "device_count": 1,
                                  "device_kind": "H100"}})  # fmt: skip
    for trial in trials:
        view.observe({"event": "start", "trial": trial})
        if trial is not trials[-1]:
            view.observe({"event": "done", "trial": trial, "record": {"status": "diverged"}})
    screen.seek(0)
    screen.truncate()
    console.print(view.render())
    lines = screen.getvalue().splitlines()
    assert len(lines) <= 12
    assert "running" in lines[-2]
    assert "19 of 20 trials done" in lines[-1]


def test_an_unwritable_results_directory_exits_3(cli, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = cli("run", "-w", TINY, "-s", "nadamw", "--results", tmp_path / "file" / "r",
                       *INLINE)  # fmt: skip
    assert code == 3
    assert "is a file; give a directory" in err or "Not a directory" in err


def test_a_corrupt_dataset_cache_exits_3(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path / "home"))
    again = ("run", "-w", TINY, "-s", "nadamw", *INLINE, "--quick", "--results")
    assert cli(*again, tmp_path / "a")[0] == 0
    file = next((tmp_path / "home").rglob("*train.array_record*"))
    file.write_bytes(file.read_bytes()[:-100])
    code, _, err = cli(*again, tmp_path / "b")
    assert code == 3
    assert "Delete" in err


@pytest.fixture
def long_run(tmp_path):
    """Start a run that would take for ever; once it trains, end it with a signal."""
    command = [sys.executable, "-c", "from algoperf_lite.cli import main; main()", "run",
               "-w", f"{TINY}[target=-1.0]", "-s", "nadamw", "--results", str(tmp_path),
               "--max-steps", "1000000000", "--quick", "--devices", "1"]  # fmt: skip
    trial = trial_directory(tmp_path, "nadamw", 0, "tiny[target=-1.0]", 1)

    def begun():
        """When the record's first file was written; inodes are reused, times are not."""
        first = trial / "hparams.json"
        return first.stat().st_mtime_ns if first.exists() else None

    def end_with(number):
        before = begun()
        # under nohup, and so perhaps under what runs the tests, SIGHUP would be ignored
        was = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        run = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
        signal.signal(signal.SIGHUP, was)
        try:
            deadline = time.monotonic() + 120
            while run.poll() is None:
                rows = read_evaluations(trial / EVALUATIONS_FILE)
                if begun() not in (None, before) and len(rows) >= 3:
                    break
                assert time.monotonic() < deadline
                time.sleep(0.05)
            os.killpg(run.pid, number)
            _, err = run.communicate(timeout=60)
        finally:
            run.kill()
            run.communicate()
        return run.returncode, err, trial

    return end_with


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_records_the_running_trial_and_exits_130(long_run, number):
    code, err, trial = long_run(number)
    assert code == 130, err
    assert "the same command again runs what is missing" in err
    assert read_json(trial / TRIAL_FILE)["status"] == "interrupted"
    assert len(read_evaluations(trial / EVALUATIONS_FILE)) >= 3


def test_a_killed_command_takes_its_worker_along_and_leaves_no_verdict(long_run):
    code, _, trial = long_run(signal.SIGKILL)
    assert code == -signal.SIGKILL
    rows = -1
    deadline = time.monotonic() + 30
    while rows != (rows := len(read_evaluations(trial / EVALUATIONS_FILE))):  # until it is still
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert not (trial / TRIAL_FILE).exists()
    long_run(signal.SIGINT)  # and the same command starts it anew
    assert read_json(trial / TRIAL_FILE)["status"] == "interrupted"


def spec(**changes):
    return {"workload_name": "w", "submission_name": "s", "study": 0, "trial": 1,
            "budget_seconds": 10.0, "max_steps": None} | changes  # fmt: skip


def test_the_live_display_shows_step_metric_clock_and_budget():
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    view = ProgressView(console)
    environment = {"platform": "gpu", "device_count": 1, "device_kind": "H100"}
    target = {"metric": "loss", "value": 4.2, "direction": "minimize"}
    view.observe({"event": "plan", "trials": [spec(), spec(trial=2)], "todo": 2,
                  "workloads": [{"name": "w", "target": target}],
                  "environment": environment})  # fmt: skip
    view.observe({"event": "start", "trial": spec()})
    view.observe({"event": "progress", "trial": spec(), "doing": "compiling"})
    view.observe({"event": "progress", "trial": spec(), "step": 70, "seconds": 2.5, "value": 4.5})
    console.print(view.render())
    shown = screen.getvalue()
    for text in ("70", "4.5000 / 4.2", "2.50 s", "7.5 s", "running", "0 of 2 trials done"):
        assert text in shown
    view.observe({"event": "done", "trial": spec(), "record": {"status": "target_reached"}})
    console.print(view.render())
    assert "1 of 2 trials done" in screen.getvalue()


def test_a_suite_runs_its_base_workloads_and_the_held_out_sample(cli, tmp_path, monkeypatch):
    import workloads.suites

    family = tmp_path / "family.py"
    family.write_text(
        "import tiny\nfrom dataclasses import replace\nworkload = tiny.workload\n"
        "variants = (workload.with_variant('wide', model=replace(workload.model, width=12)),)\n"
    )
    monkeypatch.setitem(workloads.suites.SUITES, "toy", (str(family),))
    monkeypatch.setattr(
        "algoperf_lite.suites.draw_held_out", lambda families, seed: (f"{family}[variant=wide]",)
    )
    code, _, err = cli("run", "--suite", "toy", "--held-out-seed", "1", "-s", "nesterov",
                       "--quick", "--results", tmp_path / "r", *INLINE)  # fmt: skip
    assert code == 0, err
    suite = read_json(tmp_path / "r" / "suite.json")
    assert suite["base_workloads"] == ["tiny"]
    assert suite["held_out_workloads"] == ["tiny_wide"]


def test_a_held_out_seed_needs_a_suite(cli, results):
    code, _, err = cli("run", "-w", TINY, "-s", "nesterov", "--held-out-seed", "1",
                       "--results", results)  # fmt: skip
    assert code == 2
    assert "--suite" in err


def test_a_hyperparameter_that_is_never_read_is_told_once():
    screen = io.StringIO()
    view = ProgressView(Console(file=screen, width=120))
    environment = {"platform": "gpu", "device_count": 1, "device_kind": "H100"}
    target = {"metric": "loss", "value": 4.2, "direction": "minimize"}
    view.observe({"event": "plan", "trials": [spec(), spec(trial=2)], "todo": 2,
                  "workloads": [{"name": "w", "target": target}],
                  "environment": environment})  # fmt: skip
    record = {"status": "target_reached", "unread_hyperparameters": ["beta"]}
    for trial in (spec(), spec(trial=2)):
        view.observe({"event": "start", "trial": trial})
        view.observe({"event": "done", "trial": trial, "record": record})
    assert screen.getvalue().count("warning: s never reads beta") == 1
