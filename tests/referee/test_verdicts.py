"""Cheats at the clock, each in a real trial, and what becomes of it."""

import csv
import time

import cheats
import jax
import pytest
import tiny

import algoperf_lite
from algoperf_lite import registry
from algoperf_lite.cli.show import read_trials
from algoperf_lite.compiles import CompileCounter
from algoperf_lite.errors import UsageError
from algoperf_lite.tune import tune

CLOCK = "run = caller('run')"
VICTIM = "victim = the('LoadedWorkload')"
INVALID = {
    "a thread": (
        ["if not KEPT:", "    KEPT.append(threading.Thread(target=time.sleep, args=(1,)))",
         "    KEPT[0].start()"],
        ["a thread 'Thread-", "cheat.py:", "while the clock stands still"],
    ),
    "a thread of an executor": (
        ["from concurrent.futures import ThreadPoolExecutor",
         "KEPT or KEPT.append(ThreadPoolExecutor())", "KEPT[0].submit(int)"],
        ["a thread 'ThreadPoolExecutor", "cheat.py:"],
    ),
    "a timer": (
        ["KEPT or KEPT.append(threading.Timer(1, int))",
         "KEPT[0].ident or KEPT[0].start()"],
        ["a thread 'Thread-", "cheat.py:"],
    ),
    "a raw thread": (
        ["KEPT or KEPT.append(_thread.start_new_thread(time.sleep, (0.01,)))"],
        ["a thread without a name, started at", "cheat.py:"],
    ),
    "the garbage collector": (
        ["gc.callbacks.append(lambda *_: None)"],
        ["a callback of the garbage collector"],
    ),
    "a profile function": (["sys.setprofile(lambda *_: None)"], ["a profile function"]),
    "time": (["time.perf_counter = lambda: 0.0"], ["replaced time.perf_counter"]),
    "jax": (["jax.block_until_ready = lambda x: x"], ["replaced jax.block_until_ready"]),
    "the clock's now": (
        ["import algoperf_lite.clock as c", "was = c._now", "c._now = lambda: was() / 2"],
        ["replaced algoperf_lite.clock._now"],
    ),
    "the clock's method": (
        ["from algoperf_lite.clock import Clock", "was = Clock.measure",
         "Clock.measure = lambda self, *a, **k: was(self, *a, **k)"],
        ["replaced algoperf_lite.clock.Clock.measure"],
    ),
    "code within a function": (
        ["from algoperf_lite.workload import Target",
         "Target.met.__code__ = (lambda self, value: True).__code__"],
        ["replaced algoperf_lite.workload.Target.met"],
    ),
    "numpy": (["np.sum = lambda *a, **k: 0.0"], ["replaced numpy.sum"]),
    "a built-in": (["import builtins", "builtins.float = abs"], ["replaced builtins.float"]),
    "the target": (
        [VICTIM, "object.__setattr__(victim.workload.target, 'value', 1e9)"],
        ["wrote into workload.target.value (0.2 became 1000000000.0)"],
    ),
    "the workload": (
        [VICTIM, "object.__setattr__(victim.workload, 'eval_every', 7)"],
        ["wrote into workload.eval_every (10 became 7)"],
    ),
    "the evaluation": (
        [VICTIM, "was = victim.evaluator._compiled",
         "victim.evaluator._compiled = lambda *a: was(*a)"],
        ["wrote into evaluator._compiled (a Compiled became a function)"],
    ),
    "the validation split": (
        [VICTIM, "del victim.data.eval_batches['validation'][1:]"],
        ["wrote into data.eval_batches['validation'][1] (a EvalBatch became nothing)"],
    ),
    "the arrays' memory": (
        ["import ctypes", VICTIM,
         "array = victim.data.eval_batches['validation'][0].arrays['inputs']",
         "ctypes.memset(array.unsafe_buffer_pointer(), 0, array.nbytes)"],
        ["wrote into the arrays of data['validation'][0]"],
    ),
    "the limits": (
        ["object.__setattr__(the('Limits'), 'steps', 10**6)"],
        ["wrote into limits.steps (30 became 1000000)"],
    ),
    "the clock's segments": (
        [CLOCK, "run.clock.segments['update'] = 0.0"], ["wrote into the trial's clock (update)"],
    ),
    "another segment": (
        [CLOCK, "run.clock.segments.setdefault('rest', -1000.0)"],
        ["wrote into the trial's clock (rest)"],
    ),
    "windows that were not": (
        [CLOCK, "run.clock.windows.extend([(1, 0.0)] * 9)"],
        ["wrote into the trial's clock (windows)"],
    ),
    "an evaluation that was not": (
        [CLOCK, "run.history.append(run.history[-1]._replace(step=99, seconds=0.0))"],
        ["wrote into the trial's history"],
    ),
    "the status": ([CLOCK, "run.stop('target_reached')"], ["wrote into the trial's status"]),
    "the clock's measure, of this clock": (
        [CLOCK, "run.clock.measure = lambda segment, work, *a, **k: work(*a)"],
        ["wrote into run.clock.measure"],
    ),
    "another clock": (
        [CLOCK, "import copy", "run.clock = copy.copy(run.clock)"],
        ["wrote into run.clock (a Clock became a Clock)"],
    ),
    "the program": (
        ["program, was = caller('program'), caller('program')._compiled_eval_params",
         "program._compiled_eval_params = lambda *a: was(*a)"],
        ["wrote into program._compiled_eval_params (a Compiled became a function)"],
    ),
    "the recorder": (
        ["the('TrialRecorder').evaluation = lambda row: None"],
        ["wrote into recorder.evaluation"],
    ),
    "the trial": (["the('Trial')._seed = 7"], ["wrote into trial._seed ("]),
    "inside jax": (
        ["import jax._src.api as api", "api.tree_leaves = lambda *a, **k: []"],
        ["replaced jax._src.api.tree_leaves"],
    ),
    "the configuration": (
        ["jax.config.update('jax_default_matmul_precision', 'bfloat16')"],
        ["changed jax.config jax_default_matmul_precision"],
    ),
    "the listeners": (
        ["jax.monitoring.clear_event_listeners()"], ["took away what counts compilations"],
    ),
    "the history": (
        [CLOCK, "run.history[-1] = run.history[-1]._replace(seconds=0.0)"],
        ["wrote into the trial's history"],
    ),
}  # fmt: skip


def read_measurements(record):
    """Training losses of a trial, as recorded."""
    with (record["path"] / "measurements.csv").open() as file:
        return [row["train_step/loss"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("cheat", INVALID)
def test_a_cheat_in_on_eval_makes_the_trial_invalid(trial, cheat):
    lines, told = INVALID[cheat]
    record = trial("on_eval", *lines, steps=20 if cheat != "the limits" else 30)
    assert record["status"] == "invalid", record["reason"]
    for part in told:
        assert part in record["reason"]


def test_what_was_replaced_and_written_to_is_put_back_and_harms_no_other(trial):
    now, met = time.perf_counter, registry.find_workload(tiny.__file__)
    trial("on_eval", *INVALID["time"][0], *INVALID["the target"][0])
    assert time.perf_counter is now
    assert met.target.value == 0.2
    trial("on_eval", *INVALID["the arrays' memory"][0])
    assert trial("on_eval", "pass", steps=100)["status"] == "target_reached"


def test_what_is_put_back_before_the_end_is_seen_all_the_same(trial):
    lines = ["if len(history) == 1:", "    KEPT.append(time.perf_counter)",
             "    time.perf_counter = lambda: 0.0",
             "elif KEPT:", "    time.perf_counter = KEPT.pop()"]  # fmt: skip
    record = trial("on_eval", *lines, steps=40)
    assert "replaced time.perf_counter" in record["reason"]


def test_rows_are_of_the_evaluation_that_was_made(trial):
    record = trial("on_eval", *INVALID["an evaluation that was not"][0])
    with (record["path"] / "eval_measurements.csv").open() as file:
        steps = [row["global_step"] for row in csv.DictReader(file)]
    assert steps == ["10", "20", "30"]


def test_time_that_is_taken_off_the_segment_that_runs_is_booked_all_the_same(trial):
    lines = ["time.sleep(0.05)", CLOCK, "run.clock.segments['on_eval'] = 0.0"]
    assert trial("on_eval", *lines)["clock"]["on_eval"] >= 0.1


@pytest.mark.parametrize("name", ["the listeners", "the configuration"])
def test_what_jax_forgot_is_put_back(trial, name):
    before = dict(jax.config.values)
    trial("on_eval", *INVALID[name][0])
    assert dict(jax.config.values) == before
    with CompileCounter() as seen:
        jax.jit(lambda x: x * 17 + 5)(jax.numpy.arange(3))
    assert seen.count >= 1


def test_evaluation_is_compiled_before_a_submission_runs(trial, tmp_path):
    own = tmp_path / "own.py"
    own.write_text("import tiny\nworkload = tiny.workload.with_variant('own')\n")
    lines = ["(mine,) = [o for o in gc.get_objects() if type(o).__name__ == 'LoadedWorkload'"
             " and o.workload.name == 'tiny_own']",
             "sys.modules['cheats'].had = 'evaluator' in vars(mine)"]  # fmt: skip
    trial("init", *lines, workload=str(own))
    assert cheats.had is True


def test_an_error_is_told_beside_what_makes_the_trial_invalid(trial):
    record = trial("on_eval", "np.sum = lambda *a, **k: 0.0", "raise OSError('boom')")
    assert record["status"] == "invalid"
    assert "replaced numpy.sum" in record["reason"]
    assert "OSError: boom" in record["reason"]


@pytest.mark.parametrize("method", ["init", "on_eval"])
def test_a_machine_error_of_a_submission_is_its_own(trial, method):
    lines = ["from algoperf_lite.errors import MachineError", "raise MachineError('all is lost')"]
    record = trial(method, *lines)
    assert record["status"] == "error"
    assert "all is lost" in record["reason"]
    assert "cheat.py" in record["reason"]


def test_a_thread_that_ends_before_its_on_eval_does_is_no_offence(trial):
    start = "thread = threading.Thread(target=int); thread.start(); thread.join()"
    record = trial("on_eval", start, "sum(map(float, jnp.arange(3)))")
    assert record["status"] == "budget_exhausted"


@pytest.mark.parametrize("method", ["init", "update", "eval_params", "select"])
def test_values_from_the_host_are_refused_before_training(trial, method):
    asked = "value = io_callback(lambda: np.float32(0), jax.ShapeDtypeStruct((), np.float32))"
    record = trial(method, asked, "KEPT.append(None)" if method == "init" else "pass")
    assert record["status"] == "invalid"
    assert record["reason"].startswith(f"{method} brings values from the host (io_callback)")
    assert record["steps"] == 0


def test_host_calls_within_loops_and_branches_are_found(trial):
    lines = [
        "ask = lambda c: jax.pure_callback(lambda x: x, c, c)",
        "inner = lambda c, _: (jax.lax.cond(c > 0, jax.jit(ask), lambda c: c, c), None)",
        "value, _ = jax.lax.scan(inner, state.step, length=2)",
    ]
    assert (
        "eval_params brings values from the host (pure_callback)"
        in (trial("eval_params", *lines)["reason"])
    )


def test_printing_is_no_offence(trial, capfd):
    record = trial("update", "jax.debug.print('at {}', state.step)", steps=10)
    assert record["status"] == "budget_exhausted"
    assert "at 9" in capfd.readouterr().out


def test_work_that_on_eval_leaves_behind_is_done_when_the_clock_stops(trial, monkeypatch):
    lines = ["KEPT.append(work())", "sys.modules['cheats'].left = KEPT[-1]"]
    seen = []

    def look(self, run, since):
        if (left := getattr(cheats, "left", None)) is not None:
            seen.append(left.is_ready())

    monkeypatch.setattr("algoperf_lite.referee.Referee.look", look)
    honest = trial("on_eval", "pass")
    record = trial("on_eval", *lines, steps=40)
    assert seen
    assert all(seen)
    assert record["clock"]["on_eval"] > honest["clock"]["on_eval"]


def test_work_in_eval_params_is_on_the_clock_and_leaves_no_trace_in_the_state(trial):
    lines = ["better = jax.tree.map(lambda p: p * 0, state.params)"]
    zeroed = trial("eval_params", *lines, returns="better, state.model_state")
    honest = trial("eval_params")
    assert zeroed["clock"]["eval_params"] > 0
    assert zeroed["final"]["validation/loss"] == pytest.approx(0.6931, abs=1e-3)
    training = [read_measurements(r) for r in (zeroed, honest)]
    assert training[0] == training[1]


def test_a_compilation_in_on_eval_is_on_the_clock_and_counted(trial):
    record = trial("on_eval", "jax.jit(lambda x: x + len(history))(jnp.ones(3))", steps=40)
    assert record["status"] == "budget_exhausted"
    assert record["compiles_on_clock"]["count"] >= 3
    assert record["clock"]["on_eval"] >= record["compiles_on_clock"]["seconds"] > 0


@pytest.mark.parametrize("method", ["init", "update", "eval_params"])
def test_parameters_that_are_brought_along_are_refused(trial, tmp_path, method):
    wide = tmp_path / "wide.py"
    wide.write_text(
        "from dataclasses import replace\nimport tiny\n"
        "workload = replace(tiny.workload, name='wide', model=tiny.Net(width=2000))\n"
    )
    lines = ["table = jnp.asarray(np.random.default_rng(0).normal(size=(4, 2000)), jnp.float32)"]
    lines += ["used = jax.jit(lambda t: t.sum())(table)"]
    record = trial(method, *lines, workload=str(wide))
    assert record["status"] == "invalid"
    assert record["reason"].startswith(
        f"{method} holds 32000 bytes of constants, the largest float32[4, 2000]; the model's"
        " parameters take 56008 bytes, and at most 16384 may be brought along"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("time.perf_counter = lambda: 0.0", "changes time.perf_counter"),
        ("jnp.dot = jnp.matmul", "changes jax.numpy.dot"),
        ("threading.Thread(target=time.sleep, args=(0.5,)).start()", "starts a thread 'Thread-"),
    ],
)
def test_a_file_that_does_it_when_imported_is_refused(executor, tmp_path, line, told):
    path = tmp_path / "early.py"
    path.write_text(cheats.source("on_eval") + line + "\n")
    now = time.perf_counter
    with pytest.raises(UsageError, match="early.py: importing it " + told.replace(".", r"\.")):
        algoperf_lite.run(
            [tiny.__file__],
            [str(path)],
            tmp_path / "r",
            quick=True,
            max_steps=10,
            executor=executor,
        )
    assert time.perf_counter is now


def test_vectorized_points_share_the_verdict(executor, tmp_path):
    path = tmp_path / "cheat.py"
    path.write_text(cheats.source("on_eval", *INVALID["numpy"][0]))
    found = tune(
        str(path), [tiny.__file__], tmp_path / "r", grid={"learning_rate": [0.01, 0.02]},
        executor=executor, vectorize=2, rerun=False,
    )  # fmt: skip
    records = read_trials(found.results / "tiny")
    assert {r["status"] for r in records} == {"invalid"}
    assert all("replaced numpy.sum" in r["reason"] for r in records)
