import io
import json
import os
import time

import pytest
from rich.console import Console

from algoperf_lite.cli.watch_view import LineView, LiveView, drawing
from algoperf_lite.watching import Watcher
from tests.scoring.made_logs import MISS, declared, hit, untimed_hit, write_trial

NAMES = ("schedule_free_adamw[learning_rate=0.05]", "nadamw")
WORKLOADS = ("rewrite_transformer", "zipf_lm", "digits_vit", "digits_resnet", "tones_lstm")
REACHED = {"status": "target_reached", "off_clock": {"wall": 100.0}, "budget_seconds": 8.0}


@pytest.fixture(autouse=True)
def niceness(monkeypatch):
    """What the command would have added to this process's niceness."""
    added = []
    monkeypatch.setattr(os, "nice", added.append)
    return added


@pytest.fixture
def root(tmp_path):
    """A run in progress: two of ten trials are done, one is running."""
    rulesets = {name: {"ruleset": "external"} for name in NAMES}
    content = declared(WORKLOADS, studies=1, trials=1, submissions=rulesets)
    (tmp_path / "suite.json").write_text(json.dumps(content))
    write_trial(tmp_path, NAMES[0], "zipf_lm", hit(2.0), record=REACHED)
    write_trial(tmp_path, NAMES[1], "zipf_lm", hit(3.0), record=REACHED)
    path = write_trial(tmp_path, NAMES[0], "digits_vit", [(1.0, 5.0), (2.0, 4.5)])
    (path / "hparams.json").write_text("{}")
    return tmp_path


def finish(root):
    for name in NAMES:
        for workload in WORKLOADS:
            path = root / name / "study_0" / f"{workload}_jax" / "trial_1"
            if not path.exists():
                record = {"status": "error", "reason": f"ValueError: no {workload}"}
                write_trial(root, name, workload, MISS, record=record)
            elif not (path / "trial.json").exists():
                (path / "trial.json").write_text('{"schema": 1, "status": "budget_exhausted"}')


def drawn(root, width=120, height=40, now=None):
    screen = io.StringIO()
    console = Console(file=screen, width=width, height=height, highlight=False, markup=False)
    console.print(drawing(Watcher(root).look(), now or time.time(), height))
    return screen.getvalue()


def test_one_look_shows_standings_progress_and_the_trial_that_runs(cli, root):
    code, out, err = cli("watch", root, "--once")
    assert (code, err) == (0, "")
    for text in (
        "2 of 10 trials done, about 13 min left",
        f"now  {NAMES[0]} on digits_vit, study 0 trial 1",
        "step 10, 2.00 s on the clock",
        "loss 4.5000, target 1",
        "Provisional: over 2 trials, those that all submissions have finished, on 1 workload",
        "what has not run is no miss",
        "reached 3.00 s  nadamw on zipf_lm, study 0 trial 1",
    ):
        assert text in out
    assert "1.50" in out and "\x1b" not in out


def test_one_look_as_json(cli, root):
    code, out, _ = cli("watch", root, "--once", "--json")
    shown = json.loads(out)
    assert (code, shown["state"], shown["trials_ended"], shown["trials_declared"]) == (
        0, "running", 2, 10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json",), "give --once too"),
        (("--once",), "no such results directory"),
        (("--every", "0"), "--every"),
    ],
)
def test_bad_requests_exit_2(cli, tmp_path, arguments, message):
    code, _, err = cli("watch", tmp_path / "nowhere", *arguments)
    assert code == 2
    assert message in err


def test_one_look_at_what_is_no_run_exits_2(cli, tmp_path):
    trial = tmp_path / "x" / "study_0" / "a_jax" / "trial_1"
    trial.mkdir(parents=True)
    for path, message in (
        (tmp_path, "holds no suite.json, so no run that could be watched"),
        (tmp_path / "x", "is one submission's directory"),
        (trial, "lies in a results directory"),
    ):
        code, _, err = cli("watch", path, "--once", "--json")
        assert (code, message in err) == (2, True), err
    (tmp_path / "suite.json").write_text("{")
    code, _, err = cli("watch", tmp_path, "--once")
    assert (code, "not a JSON file" in err) == (2, True)


def test_a_run_that_is_done_ends_the_watching_with_its_leaderboard(cli, root, niceness):
    finish(root)
    code, out, err = cli("watch", root)
    assert code == 0, err
    assert out.startswith("10 of 10 trials done, 7 failed\n")
    assert "targets" in out and "1/5" in out
    assert "! error: nadamw on tones_lstm, study 0 trial 1: ValueError: no tones_lstm" in out
    assert "\x1b" not in out
    assert niceness == [10]


def test_a_run_that_was_not_timed_ends_with_its_leaderboard_by_steps(cli, tmp_path):
    rulesets = {name: {"ruleset": "external"} for name in NAMES}
    content = declared(("zipf_lm",), studies=1, trials=1, submissions=rulesets)
    (tmp_path / "suite.json").write_text(json.dumps(content))
    for name, steps in zip(NAMES, (1000, 2000), strict=True):
        record = {"status": "target_reached", "timed": False}
        write_trial(tmp_path, name, "zipf_lm", untimed_hit(steps), record=record)
    code, out, err = cli("watch", tmp_path)
    assert code == 0, err
    assert "Clock: steps" in out
    assert "2,000" in out
    seen = drawn(tmp_path)
    assert "reached 1,000 steps" in seen
    assert "Steps relative to the fastest." in seen


def test_it_waits_for_a_run_and_prints_a_line_per_change(cli, root, monkeypatch):
    away = root.with_name("later")
    root.rename(away)
    todo = [lambda: away.rename(root), lambda: None, lambda: finish(root)]
    monkeypatch.setattr(time, "sleep", lambda seconds: todo.pop(0)())
    code, out, _ = cli("watch", root)
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == f"{root}: no such directory yet; waiting for a run to make it"
    assert lines[1] == "2 of 10 trials done, about 13 min left"
    assert lines[2].startswith("10 of 10 trials done, 7 failed; ")
    assert "missed schedule_free_adamw[learning_rate=0.05] on digits_vit" in lines[2]


def test_an_interrupt_exits_130_and_says_that_the_run_goes_on(cli, root, monkeypatch):
    def interrupted(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupted)
    code, _, err = cli("watch", root)
    assert code == 130
    assert err == "no longer watching; the run, if there is one, goes on\n"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_drawing_fits_the_screen(root, width):
    lines = drawn(root, width, 30).splitlines()
    assert len(lines) <= 30
    assert all(len(line.rstrip()) <= width for line in lines)
    assert any("now" in line for line in lines)


def test_as_many_workloads_as_fit_are_shown(root):
    for workload in WORKLOADS:
        for name in NAMES:
            if not (root / name / "study_0" / f"{workload}_jax" / "trial_1").exists():
                write_trial(root, name, workload, hit(2.0), record=REACHED)
    assert "rewrit" in drawn(root, 120) and "wider screen" not in drawn(root, 120)
    shown = " ".join(drawn(root, 74).split())
    assert "2 more workloads on a wider screen" in shown
    assert "zipf" in shown and "tones" not in shown.split("Provisional")[0]


def test_a_small_screen_shows_the_best_of_many_submissions(tmp_path):
    names = [f"s{i:02d}" for i in range(30)]
    rulesets = {name: {"ruleset": "self"} for name in names}
    content = declared(("a",), studies=1, trials=1, submissions=rulesets)
    (tmp_path / "suite.json").write_text(json.dumps(content))
    for i, name in enumerate(names):
        write_trial(tmp_path, name, "a", hit(1.0 + i / 10), record=REACHED)
    shown = drawn(tmp_path, 80, 24)
    assert len(shown.splitlines()) <= 24
    assert "s00" in shown and "s20" not in shown
    assert "and 26 more submissions" in shown


def test_a_run_that_has_fallen_silent_is_remarked_on(root):
    assert "Nothing has been written" not in drawn(root)
    assert "Nothing has been written for 10 min" in drawn(root, now=time.time() + 600)


def test_on_a_terminal_the_table_is_laid_out_once_until_a_trial_ends(root, monkeypatch):
    from algoperf_lite.cli import watch_view

    laid_out = []
    monkeypatch.setattr(watch_view, "_table", lambda *a, f=watch_view._table: (
        laid_out.append(1), f(*a))[1])  # fmt: skip
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, height=40)
    watcher = Watcher(root)
    with LiveView(console) as view:
        for _ in range(3):
            view.show(watcher.look())
        assert len(laid_out) == 1
        finish(root)
        view.show(watcher.look())
    assert len(laid_out) == 2
    assert "2 of 10 trials done" in screen.getvalue()
    assert "10 of 10 trials done" in screen.getvalue()


def test_a_terminal_that_is_resized_is_filled_anew(root, monkeypatch):
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=200, height=40)
    watcher = Watcher(root)
    with LiveView(console) as view:
        for width, shown in ((200, True), (40, False)):
            monkeypatch.setenv("COLUMNS", str(width))
            screen.truncate(0)
            view.show(watcher.look())
            assert ("have finished, on 1 workload; what has not run" in screen.getvalue()) is shown


def test_lines_tell_only_of_trials_that_end_while_one_watches(root):
    out = io.StringIO()
    view, watcher = LineView(Console(file=out, width=80)), Watcher(root)
    view.show(watcher.look())
    view.show(watcher.look())
    assert out.getvalue() == "2 of 10 trials done, about 13 min left\n"
    write_trial(root, NAMES[1], "digits_vit", hit(5.0), record=REACHED)
    view.show(watcher.look())
    line = out.getvalue().splitlines()[1]
    assert line.startswith("3 of 10 trials done, about ")
    assert line.endswith(" left; reached 5.00 s nadamw on digits_vit, study 0 trial 1")
