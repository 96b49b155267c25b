import json
import signal
import threading
from io import StringIO
from pathlib import Path

import pytest
import tiny
from lasting import curve, lasting
from rich.console import Console

import algoperf_lite
from algoperf_lite.cli.progress import ProgressView
from algoperf_lite.errors import UsageError
from algoperf_lite.executors.placement import placements
from algoperf_lite.executors.process import ProcessExecutor
from algoperf_lite.records import read_json
from algoperf_lite.running import run_trials
from algoperf_lite.spec import TrialSpec

TINY = tiny.__file__
SETTINGS = {"quick": True, "max_steps": 40, "timed": False, "devices": 1}
EXITS = """import os, optax
from algoperf_lite import OptaxSubmission

def f(hp, task):
    os._exit(0)

submission = OptaxSubmission(f, default={'lr': 0.05})
"""


def children():
    """Process ids of this process's children."""
    files = Path("/proc/self/task").glob("*/children")
    return {pid for file in files for pid in file.read_text().split()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of two side by side, interrupted and taken up again; and one of the same, serial."""
    root = tmp_path_factory.mktemp("untimed")
    (root / "exits.py").write_text(EXITS)
    submissions = ["nesterov", "nesterov[learning_rate=0.02]", str(root / "exits.py")]
    before, seen = children(), {"threads": set(), "starts": 0}

    def interrupt(event):
        seen["threads"].add(threading.current_thread())
        seen["starts"] += event["event"] == "start"
        if seen["starts"] == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        algoperf_lite.run([TINY], submissions, root / "r", jobs=2, observe=interrupt, **SETTINGS)
    seen["left"] = children() - before
    seen["interrupted"] = [read_json(p) for p in sorted((root / "r").rglob("trial.json"))]
    events = []
    pool = algoperf_lite.run([TINY], submissions, root / "r", jobs=2, observe=events.append,
                             **SETTINGS)  # fmt: skip
    executor = ProcessExecutor(1, placement=placements(2)[0])
    try:
        serial = algoperf_lite.run([TINY], submissions, root / "s", executor=executor, **SETTINGS)
    finally:
        executor.close()
    return pool, serial, seen, json.loads(json.dumps(events))


def test_an_interrupt_leaves_a_record_of_each_running_trial_and_no_process(runs):
    _, _, seen, _ = runs
    assert [r["status"] for r in seen["interrupted"]] == ["interrupted", "interrupted"]
    assert seen["left"] == set()
    assert seen["threads"] == {threading.main_thread()}


def test_side_by_side_gives_the_records_of_one_after_another(runs):
    pool, serial, _, _ = runs
    assert [lasting(r) for r in pool.trials] == [lasting(r) for r in serial.trials]
    good = [record for record in pool.trials if record["submission"] != "exits"]
    assert len(good) == 2
    for record in good:
        assert curve(pool.results, record) == curve(serial.results, record) != []


def test_a_worker_that_is_lost_harms_no_other_trial(runs):
    pool, _, _, events = runs
    fates = [(r["submission"], r["status"]) for r in pool.trials]
    assert fates.count(("exits", "error")) == 1
    assert all("exited with code 0" in r["reason"] for r in pool.trials if r["status"] == "error")
    assert sum(event["event"] == "done" for event in events) == 3


def test_records_say_that_they_were_not_timed_and_are_scored_by_steps(runs):
    pool, _, _, _ = runs
    assert {r["timed"] for r in pool.trials if r["submission"] != "exits"} == {False}
    assert {r["environment"]["host_threads"] for r in pool.trials} == {len(placements(2)[0].cores)}
    assert pool.leaderboard().to_json()["clock"] == "steps"


def test_another_number_of_jobs_may_go_on_but_no_timed_run(runs, tmp_path):
    pool, _, _, _ = runs
    again = algoperf_lite.run([TINY], ["nesterov"], pool.results, executor="inline", **SETTINGS)
    assert [r["environment"]["host_threads"] for r in again.trials] == [len(placements(2)[0].cores)]
    with pytest.raises(UsageError, match="was run with timed=False, now timed=True"):
        algoperf_lite.run([TINY], ["nesterov"], pool.results, executor="inline",
                          **SETTINGS | {"timed": True})  # fmt: skip


def test_timed_trials_are_refused_side_by_side(tmp_path):
    with pytest.raises(UsageError, match="--jobs 2 runs trials side by side, which spoils"):
        algoperf_lite.run([TINY], ["nesterov"], tmp_path, jobs=2)


def test_an_executor_with_one_slot_runs_trials_in_the_callers_thread():
    class Alone:
        threads: list = []  # noqa: RUF012

        @property
        def slots(self):
            return (self,)

        def call(self, method, arguments, on_event):
            self.threads.append(threading.current_thread())
            return {"status": "target_reached"}

    spec = TrialSpec("r", "s", "s", "f", "w", "w", "f", "external", 0, 1, {}, 7, max_steps=1)
    run_trials([spec, spec], {}, Alone(), lambda event: None)
    assert Alone.threads == [threading.main_thread()] * 2


def test_progress_shows_every_trial_that_is_running(runs):
    *_, events = runs
    console = Console(file=StringIO(), force_terminal=True, width=120, height=9)
    with ProgressView(console) as view:
        for event in events:
            view.observe(event)
            console.print(view.render())
            if event["event"] == "done":
                break
    drawn = console.file.getvalue()
    assert "0 of 3 trials done, 2 running side by side" in drawn
    assert "1 of 3 trials done" in drawn
