"""What trial.json says of a run, where a whole trial is not needed to see it."""

from types import SimpleNamespace

import pytest

from algoperf_lite import environment
from algoperf_lite.run_state import RunState
from algoperf_lite.trial_summary import _is_noisy


@pytest.mark.parametrize(
    ("contention", "compiled", "host_loop"),
    [(0.05, False, False), (0.15, True, False), (0.3, True, True)],
)
def test_a_host_loop_may_keep_its_own_threads_waiting(contention, compiled, host_loop):
    run = RunState({})
    run.clock.segments["update"] = 2.0
    run.clock.windows[:] = [(10, 1.0), (10, 1.0)]
    run.waited_seconds = contention * 2.0 * environment.host_threads()
    assert _is_noisy(SimpleNamespace(host_loop=False), run) is compiled
    assert _is_noisy(SimpleNamespace(host_loop=True), run) is host_loop
