"""The referee on the host loop, where a submission's own Python runs on the clock."""

import sys
import textwrap

import jax
import pytest
import tiny

from algoperf_lite import environment, registry
from algoperf_lite.algoperf import stand_in
from algoperf_lite.algoperf.program import HostProgram
from algoperf_lite.executors import worker
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.records import TrialRecorder
from algoperf_lite.referee import Referee
from algoperf_lite.trial import Limits, Trial

STEP = """
import threading, time
import jax
from algoperf import spec

kept = {}

def init_optimizer_state(*_):
    return {}

def get_batch_size(name):
    return 20

def data_selection(workload, input_queue, *_):
    kept["queue"] = input_queue
    return next(input_queue)

def update_params(workload, current_param_container, model_state, optimizer_state, **seen):
    step = seen["global_step"]
"""


@pytest.fixture
def judge(tiny_splits, tmp_path, monkeypatch):
    """A function giving the record of a trial under a referee, by the lines of its step."""
    monkeypatch.setattr(environment, "time_calibration_kernel", lambda: 0.1)  # of no concern here

    def judge(lines):
        path = tmp_path / "cheat.py"
        same = "    return optimizer_state, current_param_container, model_state\n"
        path.write_text(STEP + textwrap.indent(textwrap.dedent(lines), "    ") + same)
        _, submission, _ = registry.find_submission(f"algoperf:{path}")
        loaded = LoadedWorkload(tiny.workload, tiny_splits, jax.devices()[:1])
        limits = Limits(steps=30)
        recorder = TrialRecorder(tmp_path / "trial", ["loss", "accuracy"], {}, {})
        trial = Trial(
            lambda: HostProgram(loaded, submission, {}),
            {}, 0, limits, recorder, referee=Referee(loaded, limits),
        )  # fmt: skip
        return recorder.finish(trial.run())

    return judge


def test_a_worker_has_all_that_drives_it_before_a_trial_is_sealed():
    assert vars(worker)["HostProgram"] is HostProgram
    for name in stand_in.MODULES:
        assert f"{stand_in.__name__}.{name}" in sys.modules


def test_an_honest_step_is_left_alone(judge):
    record = judge("kept['step'] = step\n")
    assert (record["status"], record["steps"]) == ("budget_exhausted", 30)


def test_a_clock_that_is_replaced_in_one_window_and_put_back_in_another_is_seen(judge):
    record = judge(
        """
        if step == 12:
            kept["time"], time.perf_counter = time.perf_counter, lambda: 0.0
        if step == 22:
            time.perf_counter = kept["time"]
        """
    )
    assert (record["status"], record["reason"]) == ("invalid", "replaced time.perf_counter")


def test_a_thread_that_goes_on_while_evaluating_is_seen(judge):
    record = judge(
        """
        if step == 12:
            kept["end"] = threading.Event()
            threading.Thread(target=kept["end"].wait, args=(20,)).start()
        if step == 25:
            kept["end"].set()
        """
    )
    assert record["status"] == "invalid"
    assert "goes on while the clock stands still" in record["reason"]
    assert "cheat.py" in record["reason"]


def test_batches_are_an_iterator_with_no_attributes_of_ours(judge):
    record = judge("assert set(dir(kept['queue'])) == set(dir(x for x in ()))\n")
    assert record["status"] == "budget_exhausted"
