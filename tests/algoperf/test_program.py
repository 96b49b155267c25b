"""The host loop where the submissions of styles/ do not lead."""

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from algoperf_lite.algoperf.carry import HostCarry
from algoperf_lite.algoperf.program import HostProgram
from algoperf_lite.algoperf.training_log import TrainingLog
from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.engine import SubmissionError
from algoperf_lite.registry import find_submission
from algoperf_lite.window import warm_up

SUBMISSION = """
import flax, jax, jax.numpy as jnp
from algoperf import spec

heard = []

def get_batch_size(name):
    {batch_size}

def init_optimizer_state(workload, *_):
    {init}

def data_selection(workload, input_queue, *_):
    return next(input_queue)

def update_params(workload, current_param_container, model_state, optimizer_state, train_state,
                  eval_results, **_):
    {update}
    return optimizer_state, current_param_container, model_state
"""


@pytest.fixture
def make(tmp_path, load_workload, never):
    def make(init="return {}", update="pass", batch_size="return 20", budget=None):
        path = tmp_path / "made.py"
        path.write_text(SUBMISSION.format(init=init, update=update, batch_size=batch_size))
        _, submission, _ = find_submission(f"algoperf:{path}")
        return HostProgram(load_workload(never), submission, {}, budget)

    return make


def main_module(program):
    (module,) = (m for m in program.functions.modules.values() if hasattr(m, "heard"))
    return module


def step(program, steps=2):
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, 0)
    carry = program.init(0, {})
    return program.advance(carry, program.batches(order, 0, steps), {})


def test_frozen_parameters_and_no_model_state_are_what_they_stand_for(make):
    program = make(update="current_param_container = flax.core.freeze(current_param_container);"
                          " model_state = None")  # fmt: skip
    params, model_state = program.eval_params(step(program), {})
    assert model_state == {}
    assert not isinstance(params, flax.core.FrozenDict)
    assert jax.tree.structure(params) == jax.tree.structure(program.loaded.shapes[0])


def test_it_warms_up_with_an_evaluation_behind_it_and_begins_with_none(make):
    program = make(update="heard.append(len(eval_results))")
    module, heard = main_module(program), []
    module.heard = heard
    program.functions.restore = lambda: None  # or it would be put back
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, 0)
    warm_up(program, order, 0, {})
    assert heard == [0, 0, 0, 1, 1]
    carry = program.init(0, {})
    program.advance(carry, program.batches(order, 0, 1), {})
    assert heard[-1] == 0


def test_the_train_state_tells_the_time_and_cannot_be_written(make):
    program = make(update="heard.append(dict(train_state)); heard.append(train_state)")
    step(program, 3)
    first, view, second, _, third, _ = main_module(program).heard
    times = [s["accumulated_submission_time"] for s in (first, second, third)]
    assert times[0] == 0 < times[1] < times[2]
    assert third["last_step_end_time"] > first["last_step_end_time"] > 1e9
    with pytest.raises(TypeError):
        view["is_time_remaining"] = False


def test_a_self_tuning_submission_is_told_the_workloads_own_budget(make):
    assert make(budget=15.0)._view.max_allowed_runtime_sec == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("body", "raised"),
    [("return sizes[name]", NameError), ("from algoperf import halton", ImportError)],
)
def test_a_mistake_in_get_batch_size_is_no_unknown_name(make, body, raised):
    with pytest.raises(raised):
        make(batch_size=body)


def test_get_batch_size_may_import(make):
    assert make(batch_size="from algoperf import spec; return 10").batch_size == 10


def test_the_clock_waits_for_what_a_host_loop_hands_on(make):
    carry = step(make(init="return {'m': jnp.zeros(3)}"))
    assert Clock().measure("update", lambda: carry) is carry
    carry.block_until_ready()
    assert carry.opt_state["m"].is_ready()


def test_what_is_logged_is_a_copy_of_any_kind_of_number():
    log, loss = TrainingLog(), jnp.bfloat16(3.0)
    total = jnp.ones(())
    log.append_scalar_metrics({"loss": loss, "total": total, "n": np.int32(2), "name": "x"}, 0)
    total.delete()  # as the next step does that has it donated
    log.close(steps=10)
    assert log.sums() == {"loss": 30.0, "total": 10.0, "n": 20.0}


def test_batches_that_were_not_drawn_come_next(make):
    program = make()
    order = BatchOrder(program.loaded.data.num_train, program.batch_size, 0)
    carry = program.init(0, {})
    carry.queue.open(order, 10)
    first = [np.asarray(next(carry.batches)["inputs"]) for _ in range(3)]
    carry.queue.close()
    carry.queue.open(order, 10)
    first.append(np.asarray(next(carry.batches)["inputs"]))
    inputs = tiny.preprocess(tiny.make_arrays()["train"])["inputs"]
    np.testing.assert_array_equal(first, [inputs[rows] for rows in order.window(0, 4)])


def test_an_error_says_in_which_step(make):
    with pytest.raises(ZeroDivisionError) as raised:
        step(make(update="heard.append(1 / (3 - len(heard)))"), 6)
    assert raised.value.__notes__ == ["in step 3"]


def test_who_ends_after_donating_the_parameters_is_told_so(make):
    update = (
        "jax.tree.map(lambda p: p.delete(), current_param_container);"
        " raise spec.TrainingCompleteError"
    )
    with pytest.raises(SubmissionError, match=r"update_params \(.*made\.py:\d+\) raised Training"):
        step(make(update=update))


def test_on_several_cpu_devices_steps_follow_each_other(make, load_workload, never, monkeypatch):
    waited = []
    monkeypatch.setattr(HostCarry, "block_until_ready", lambda carry: waited.append(carry.step))
    one = make()
    four = HostProgram(load_workload(never, 4), one.submission, {})
    for program, expected in ((one, []), (four, [1, 2, 3])):
        waited.clear()
        step(program, 3)
        assert waited == expected
