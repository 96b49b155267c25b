"""Submissions of every fate in one run: each leaves its record, and none harms another."""

import json
import os
import re
import shutil
import signal

import faults
import psutil
import pytest
import tiny

import algoperf_lite
from algoperf_lite.executors.process import ProcessExecutor
from algoperf_lite.records import read_evaluations, read_json, write_json

TINY = tiny.__file__
MARK = "ALGOPERF_LITE_TEST_RUN"
LIMIT = 5 * 2**28  # bytes: 1.25 GiB
PATIENCE = 3.0  # seconds, once a submission is where it hangs
FINE = ("target_reached", None)
SECONDS = f"7391.{os.getpid()}"  # that daemons sleep, by which they are told from others'

# how each is made, and what its record says
FATES = {
    "looks_before": (dict(before=faults.LOOK, fate="look()"), FINE),
    "leaks": (dict(before=faults.LEAK, fate="leak()"), FINE),
    "closes_streams": (dict(before=faults.CLOSE, fate="close_streams()"), FINE),
    "deletes_directory": (dict(before=faults.DELETE, on_eval="delete_directory()"), FINE),
    "looks_after": (dict(before=faults.LOOK, fate="look()"), FINE),
    "goes_on_twice": (dict(on_eval="os.fork()"), FINE),
    "prints": (dict(fate="print('{\"result\": 1}\\n' * 1000)"), FINE),
    "fills_stdout": (dict(fate="[os.write(1, b'x' * 2**20) for _ in range(2**10)]"), FINE),
    "gives_nan": (dict(fate="return optax.sgd(jnp.nan)"), ("diverged", "validation loss nan")),
    "raises": (dict(fate="raise OSError('boom')"), ("error", r"OSError: boom \(.*raises\.py:\d+")),
    "wrong_shapes": (dict(fate=faults.WRONG_SHAPES), ("error", r"wrong_shapes|shape|structure")),
    "exits": (dict(fate="os._exit(0)"), ("error", "lost: exited with code 0; last known: comp")),
    "closes_requests": (dict(on_eval="os.close(100)"), FINE),  # lost with its record complete
    "garbles": (
        dict(fate="os.write(2, bytes([255]) * 3); os._exit(7)"),
        ("error", "exited with code 7; its last words: \ufffd{3}"),
    ),
    "segfaults": (
        dict(fate="ctypes.string_at(0)"),
        ("error", r"killed by SIGSEGV in /.*/segfaults\.py:\d+ \(f\); last known: compiling"),
    ),
    "is_killed": (
        dict(on_eval="sleep_for_ever()"),
        ("error", "killed by SIGKILL, not by us: .* when memory ran out"),
    ),
    "allocates": (
        dict(before=faults.ALLOCATE, fate="allocate()"),
        ("error", r"used 1\.\d\d GiB of host memory, more than the limit of 1\.25 GiB.*--memory-"),
    ),
    "child_allocates": (
        dict(before=faults.ALLOCATE, fate="os.fork() or allocate(); sleep_for_ever()"),
        ("error", r"the worker and what it started used \d\.\d\d GiB .* limit of 1\.25 GiB"),
    ),
    "sleeps": (
        dict(fate="sleep_for_ever()"),
        ("error", "no sign of life for 3 s and was killed.*; last known: compiling; if it needs"),
    ),
    "sleeps_late": (
        dict(on_eval="sleep_for_ever()"),
        ("error", r"killed in /.*/sleeps_late\.py:\d+ \(sleep_for_ever\); last known: step 10; if"),
    ),
    "stubborn": (
        dict(before=faults.STUBBORN, on_eval="stay()"),
        ("error", "no sign of life for 3 s and was killed; last known: step 10; .*--hang-after"),
    ),
    "prints_for_ever": (
        dict(on_eval="while True: print('still here', flush=True); time.sleep(0.01)"),
        ("error", r"killed in /.*/prints_for_ever\.py"),
    ),
    "forks": (
        dict(fate="os.fork() or (os.close(0), sleep_for_ever())"),
        ("invalid", r"left 5 processes running after it ended: .*\.serving and 2 more; killed"),
    ),
    "daemons": (
        dict(before=faults.DAEMON, fate=f"daemon('{SECONDS}'); daemon('{SECONDS}')"),
        ("invalid", rf"left 10 processes running after it ended: sleep {SECONDS}; sleep 739"),
    ),
    "daemon_and_exit": (
        dict(before=faults.DAEMON, fate=f"daemon('{SECONDS}'); time.sleep(1); os._exit(0)"),
        ("error", "lost: exited with code 0"),
    ),
    "raises_and_forks": (
        dict(fate="os.fork() or sleep_for_ever(); raise OSError('boom')"),
        ("error", "OSError: boom .*; it also left 1 process running after it ended: .*; killed"),
    ),
    "writes_garbage": (
        dict(before=faults.GARBAGE, fate="write_everywhere()"),
        ("error", r"said what is no answer, '\{\"result\": 1\}'"),
    ),
    "closes_all": (dict(fate="os.closerange(3, 4096)"), ("error", "the worker process")),
    "good": ({}, FINE),
}  # fmt: skip
GOOD = sorted(name for name, (_, (status, _)) in FATES.items() if status == "target_reached")
LATE = ("step", 10)
HANGS = {"sleeps": ("doing", "compiling"), "sleeps_late": LATE, "stubborn": LATE,
         "prints_for_ever": LATE}  # and what they tell before  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory, home):
    """The run, started in a directory with a file that is to survive it."""
    root = tmp_path_factory.mktemp("faults")
    for name, (made, _) in FATES.items():
        (root / f"{name}.py").write_text(faults.text(**made))
    (root / "precious").write_text("mine")
    executor = ProcessExecutor(devices=1, memory_limit=LIMIT)

    def observe(event):
        name = event.get("trial", {}).get("submission_name")
        if event["event"] == "start":
            executor.hang_after = 120.0
        if name == "is_killed" and event.get("step") == 10:
            os.kill(executor._worker._process.pid, signal.SIGKILL)
        if name in HANGS and HANGS[name] in event.items():
            executor.hang_after = PATIENCE

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("ALGOPERF_LITE_HOME", os.path.relpath(home, root))
        patch.setenv(MARK, str(root))
        (root / "tmp").mkdir()
        patch.setenv("TMPDIR", "tmp")
        patch.setattr("tempfile.tempdir", None)  # look at TMPDIR again
        paths = [f"{name}.py" for name in FATES]
        done = algoperf_lite.run([TINY], paths, "r", quick=True, max_steps=100,
                                 executor=executor, observe=observe)  # fmt: skip
        executor.close()
    return done


@pytest.fixture(scope="module")
def records(run):
    return {record["submission"]: record for record in run.trials}


@pytest.mark.parametrize("name", FATES)
def test_every_fate_leaves_a_record_with_status_and_reason(records, name):
    status, reason = FATES[name][1]
    record = records[name]
    assert record["status"] == status, record["reason"]
    assert record["reason"] is None if reason is None else re.search(reason, record["reason"])
    assert record["target"]["metric"] == "loss"
    assert record["environment"]["device_count"] == 1


def test_the_leaderboard_is_what_it_would_be_without_the_bad_ones(run, tmp_path):
    scores = {s["name"]: s["score"] for s in run.leaderboard().to_json()["submissions"]}
    alone = tmp_path / "alone"
    for name in GOOD:
        shutil.copytree(run.results / name, alone / name)
    suite = read_json(run.results / "suite.json")
    suite["submissions"] = {name: suite["submissions"][name] for name in GOOD}
    write_json(alone / "suite.json", suite)
    without = {s["name"]: s["score"] for s in algoperf_lite.score(alone).to_json()["submissions"]}
    assert scores == without | dict.fromkeys(set(FATES) - set(GOOD), 0.0)


def test_the_good_ones_have_the_bits_of_an_undisturbed_run(run, tmp_path):
    path = run.results.parent / "good.py"
    inline = algoperf_lite.run([TINY], [str(path)], tmp_path / "r", quick=True, max_steps=100,
                               devices=1, executor="inline")  # fmt: skip

    def losses(results, name):
        file = results / name / "study_0" / "tiny_jax" / "trial_1" / "eval_measurements.csv"
        return [row["validation/loss"] for row in read_evaluations(file)]

    expected = losses(inline.results, "good")
    assert {name: losses(run.results, name) for name in GOOD} == dict.fromkeys(GOOD, expected)


def test_nothing_that_a_submission_started_still_runs(run):
    mark = str(run.results.parent)
    running = [p for p in psutil.process_iter() if p.pid != os.getpid() and _mark_of(p) == mark]
    assert running == []
    lines = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if line == f"sleep {SECONDS}"] == []


def test_a_submission_finds_its_process_as_the_one_before_did(run):
    before, after = (
        json.loads((run.results.parent / f"looks_{when}.json").read_text())
        for when in ("before", "after")
    )
    assert before == after
    assert before["own files"] == []
    assert before["variable"] is None


def test_the_users_directory_is_not_the_workers(run):
    root = run.results.parent
    assert (root / "precious").read_text() == "mine"
    made = {f"{name}.py" for name in FATES} | {"looks_before.json", "looks_after.json"}
    assert {path.name for path in root.iterdir()} == made | {"precious", "r", "tmp"}
    assert list((root / "tmp").iterdir()) == []


def _mark_of(process):
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None
