import json
import os
from pathlib import Path

import pytest
import tiny

import algoperf_lite
from algoperf_lite.errors import UsageError
from algoperf_lite.executors.inline import InlineExecutor
from algoperf_lite.records import read_evaluations

TINY = tiny.__file__
HEADER = """
import jax, jax.numpy as jnp, optax, os
from algoperf_lite import OptaxSubmission, Submission
import toys
"""
GOOD = HEADER + "submission = toys.sgd.fix({'learning_rate': LR})"


@pytest.fixture(scope="module")
def executor():
    return InlineExecutor(devices=1)


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def good(write):
    return write("good", GOOD.replace("LR", "0.05"))


def values(run):
    """The validation losses of each trial."""
    found = {}
    for path in sorted(Path(run.results).rglob("eval_measurements.csv")):
        key = path.parent.relative_to(run.results).as_posix()
        found[key] = [row["validation/loss"] for row in read_evaluations(path)]
    return found


def test_a_run_ends_in_a_leaderboard(executor, good, tmp_path):
    run = algoperf_lite.run(
        [TINY], [good], tmp_path / "r", quick=True, max_steps=100, executor=executor
    )
    assert [t["status"] for t in run.trials] == ["target_reached"]
    board = run.leaderboard().to_json()
    assert board["suite"] == ["tiny"]
    assert board["submissions"][0]["score"] == 1.0
    assert board["submissions"][0]["times"]["tiny"] == run.trials[0]["seconds"]


def test_a_broken_submission_does_not_harm_the_others(executor, good, write, tmp_path):
    raises = write("raises", HEADER + "def f(hp, task): raise RuntimeError('boom')\n"
                   "submission = OptaxSubmission(f, default={'lr': 1.0})")  # fmt: skip
    diverges = write("diverges", GOOD.replace("LR", "1e30"))
    wrong_tree = write("wrong_tree", HEADER + "submission = toys.plain_sgd(update=lambda s, b, l, "
                       "hp, t, k: (s.replace(params={}), {'loss': jnp.float32(0)}))")  # fmt: skip
    run = algoperf_lite.run([TINY], [raises, good, diverges, wrong_tree], tmp_path / "r",
                            quick=True, max_steps=100, executor=executor)  # fmt: skip
    status = {t["submission"]: (t["status"], t["reason"]) for t in run.trials}
    assert status["good"] == ("target_reached", None)
    assert status["raises"][0] == "error"
    assert "RuntimeError: boom" in status["raises"][1]
    assert status["diverges"][0] == "diverged"
    assert status["wrong_tree"][0] == "error"
    assert "another structure" in status["wrong_tree"][1]
    board = run.leaderboard().to_json()
    scores = {s["name"]: s["score"] for s in board["submissions"]}
    assert scores == {"good": 1.0, "raises": 0.0, "diverges": 0.0, "wrong_tree": 0.0}
    assert board["submissions"][1]["times"] == {"tiny": None}


def test_the_same_command_again_runs_nothing(executor, good, tmp_path):
    arguments = dict(quick=True, max_steps=30, executor=executor)
    algoperf_lite.run([TINY], [good], tmp_path / "r", **arguments)
    record = next((tmp_path / "r").rglob("trial.json"))
    before = record.stat().st_mtime_ns
    events = []
    algoperf_lite.run([TINY], [good], tmp_path / "r", observe=events.append, **arguments)
    assert record.stat().st_mtime_ns == before
    assert [e["event"] for e in events] == ["plan"]
    assert events[0]["todo"] == 0


def test_what_a_command_killed_as_it_wrote_left_behind_is_removed(executor, good, tmp_path):
    results = tmp_path / "r"
    results.mkdir()
    (results / ".suite.json.host.7.8").write_text("{")
    algoperf_lite.run([TINY], [good], results, quick=True, max_steps=1, executor=executor)
    assert sorted(path.name for path in results.iterdir()) == [".lock", "good", "suite.json"]


def test_an_interrupted_run_continues_with_what_is_missing(executor, write, tmp_path):
    good = write("searched", HEADER + "submission = toys.sgd")
    arguments = dict(studies=2, trials=2, max_steps=30, executor=executor)
    whole = algoperf_lite.run([TINY], [good], tmp_path / "whole", **arguments)
    seen = []

    def interrupt(event):
        seen.append(event)
        if event["event"] == "progress" and event.get("step") == 20 and len(seen) > 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        algoperf_lite.run([TINY], [good], tmp_path / "r", observe=interrupt, **arguments)
    states = [json.loads(p.read_text())["status"] for p in (tmp_path / "r").rglob("trial.json")]
    assert sorted(states)[-1] == "interrupted"
    assert 1 < len(states) < 4

    resumed = algoperf_lite.run([TINY], [good], tmp_path / "r", **arguments)
    assert "interrupted" not in [t["status"] for t in resumed.trials]
    assert values(resumed) == values(whole)


def test_failed_trials_run_again_when_asked(executor, write, tmp_path):
    flaky = write(
        "flaky",
        HEADER
        + """
def f(hp, task):
    if os.environ.get('ALGOPERF_LITE_TEST_FAIL'):
        raise OSError('not now')
    return optax.sgd(hp['learning_rate'])
submission = OptaxSubmission(f, default={'learning_rate': 0.05})
""",
    )
    arguments = dict(quick=True, max_steps=100, executor=executor)
    os.environ["ALGOPERF_LITE_TEST_FAIL"] = "1"
    try:
        first = algoperf_lite.run([TINY], [flaky], tmp_path / "r", **arguments)
    finally:
        del os.environ["ALGOPERF_LITE_TEST_FAIL"]
    assert first.trials[0]["status"] == "error"
    again = algoperf_lite.run([TINY], [flaky], tmp_path / "r", **arguments)
    assert again.trials[0]["status"] == "error"
    retried = algoperf_lite.run([TINY], [flaky], tmp_path / "r", retry_failed=True, **arguments)
    assert retried.trials[0]["status"] == "target_reached"


def test_a_record_of_other_code_is_not_taken_for_this_one(executor, good, tmp_path):
    arguments = dict(quick=True, max_steps=10, executor=executor)
    algoperf_lite.run([TINY], [good], tmp_path / "r", **arguments)
    record = next((tmp_path / "r").rglob("trial.json"))
    changed = json.loads(record.read_text()) | {"submission_fingerprint": "old"}
    record.write_text(json.dumps(changed))
    with pytest.raises(
        UsageError, match=r"submission.s code, search space or values in brackets have changed"
    ):
        algoperf_lite.run([TINY], [good], tmp_path / "r", **arguments)


def test_budgets_come_from_the_stored_calibration(executor, good, tmp_path):
    run = algoperf_lite.run([TINY], [good], tmp_path / "r", quick=True, executor=executor)
    stored = executor.call("calibrate", {"workload": TINY})
    assert stored == executor.call("calibrate", {"workload": TINY})
    assert run.trials[0]["budget_seconds"] == stored["seconds_per_step"] * 100
    assert executor.call("calibrate", {"workload": TINY, "again": True}) != stored


def test_self_tuning_has_half_as_much_budget_again(executor, write, tmp_path):
    text = HEADER + "import dataclasses\nsubmission = dataclasses.replace(toys.sgd, {})"
    external = write("external", text.format("ruleset='external'"))
    tuned = write("tuned", text.format("ruleset='self', search_space=None"))
    run = algoperf_lite.run([TINY], [external, tuned], tmp_path / "r", quick=True,
                            executor=executor)  # fmt: skip
    budgets = {t["submission"]: t["budget_seconds"] for t in run.trials}
    assert budgets["tuned"] == 1.5 * budgets["external"]


def test_a_submission_edited_in_between_is_another_submission(executor, write, tmp_path):
    path = write("edited", GOOD.replace("LR", "0.05"))
    arguments = dict(quick=True, max_steps=20, executor=executor)
    first = algoperf_lite.run([TINY], [path], tmp_path / "r", **arguments)
    write("edited", GOOD.replace("LR", "0.01"))
    with pytest.raises(UsageError, match=r"submission.s code"):
        algoperf_lite.run([TINY], [path], tmp_path / "r", **arguments)
    other = algoperf_lite.run([TINY], [path], tmp_path / "other", **arguments)
    assert values(first) != values(other)


def test_a_submission_that_changes_directory_takes_no_records_along(
    executor, good, write, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    moves = write(
        "moves",
        HEADER
        + "os.chdir(os.environ.get('TMPDIR', '/tmp'))\n"
        + GOOD[len(HEADER) :].replace("LR", "0.05"),
    )
    run = algoperf_lite.run([TINY], [Path(moves).name, Path(good).name], "r", quick=True,
                            max_steps=10, executor=executor)  # fmt: skip
    assert [t["steps"] for t in run.trials] == [10, 10]
    assert (tmp_path / "r" / "good").exists()


def test_a_submission_that_changes_jaxs_configuration_is_refused(executor, write, tmp_path):
    path = write("x64", "import jax\njax.config.update('jax_enable_x64', True)\n"
                 + GOOD.replace("LR", "0.05"))  # fmt: skip
    with pytest.raises(UsageError, match=r"changes jax\.config jax_enable_x64"):
        algoperf_lite.run([TINY], [path], tmp_path / "r", quick=True, executor=executor)


@pytest.mark.parametrize(
    ("workloads", "submissions", "options", "message"),
    [
        ([], ["nadamw"], {}, "name at least one workload"),
        ([TINY], [], {}, "name at least one workload"),
        ([TINY, TINY], ["nadamw"], {}, "workloads named twice: tiny"),
        ([TINY], ["nadamw"], {"quick": True, "trials": 2}, "--quick is one trial per study"),
        ([TINY], ["nadamv"], {}, "did you mean 'nadamw'"),
        ([TINY], ["nadamw"], {"executor": "rey"}, "unknown executor 'rey'"),
        (TINY, ["nadamw"], {}, "workloads and submissions are lists"),
        ([TINY], ["nadamw[learning_rate=fast]"], {}, "'learning_rate' must be a number"),
    ],
)
def test_bad_requests_are_refused_before_anything_runs(
    executor, tmp_path, workloads, submissions, options, message
):
    with pytest.raises(UsageError, match=message):
        algoperf_lite.run(
            workloads, submissions, tmp_path / "r", **{"executor": executor, **options}
        )
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(("steps", "asked", "expected"), [
    (10, None, False), (10**9, None, True), (10, True, True), (10**9, False, False),
])  # fmt: skip
def test_trials_that_may_last_long_leave_checkpoints(executor, good, tmp_path, steps, asked,
                                                     expected):  # fmt: skip
    executor.call("calibrate", {"workload": TINY})
    planned = []

    class Planned(InlineExecutor):
        def call(self, method, arguments, on_event=lambda event: None):
            if method == "trial":
                planned.append(arguments["checkpoint"])
                raise KeyboardInterrupt
            return executor.call(method, arguments, on_event)

    with pytest.raises(KeyboardInterrupt):
        algoperf_lite.run([TINY], [good], tmp_path / "r", quick=True, max_steps=steps,
                          checkpoint=asked, executor=Planned(devices=1))  # fmt: skip
    assert planned == [expected]
