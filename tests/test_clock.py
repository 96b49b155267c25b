import jax
import jax.numpy as jnp
import pytest

from algoperf_lite import clock as clock_module
from algoperf_lite.clock import Clock


@jax.jit
def link(x):
    return jnp.tanh(x @ x / 512)


def chain(x, links=30):
    """Returns at once; the device works on."""
    for _ in range(links):
        x = link(x)
    return x


@pytest.fixture
def matrix():
    return jax.block_until_ready(link(jnp.ones((512, 512))))


def test_work_is_done_when_the_clock_stops(matrix):
    assert Clock().measure("update", chain, matrix).is_ready()


def test_without_the_block_the_clock_would_stop_early(matrix, monkeypatch):
    monkeypatch.setattr(clock_module, "_block", lambda tree: tree)
    assert not Clock().measure("update", chain, matrix).is_ready()


def test_work_in_flight_is_waited_for_before_the_clock_starts(matrix):
    seen = []
    Clock().measure("update", lambda x: seen.append(x.is_ready()), chain(matrix))
    assert seen == [True]


def test_work_before_and_between_segments_is_not_on_the_clock(monkeypatch):
    now = iter([10.0, 11.0, 50.0, 52.0])
    monkeypatch.setattr(clock_module, "_now", lambda: next(now))
    clock = Clock()
    clock.measure("update", lambda: None, steps=4)
    clock.measure("eval_params", lambda: None)
    assert clock.segments == {"update": 1.0, "eval_params": 2.0}
    assert clock.seconds == 3.0
    assert clock.windows == [(4, 1.0)]


def test_a_compile_on_the_clock_is_counted():
    clock = Clock()
    fresh = jax.jit(lambda x: x * 2 + 1)
    clock.measure("update", fresh, jnp.ones(3))
    once = clock.compiles.count
    clock.measure("update", fresh, jnp.ones(3))
    assert once >= 1
    assert clock.compiles.count == once
    assert 0 < clock.compiles.seconds <= clock.seconds


def test_the_robust_clock_ignores_a_slow_window():
    clock = Clock()
    clock.windows = [(10, 1.0), (10, 1.0), (10, 9.0), (5, 0.5)]
    clock.segments = {"update": 11.5, "eval_params": 0.25}
    assert clock.robust_seconds == pytest.approx(35 * 0.1 + 0.25)


def test_patching_time_has_no_effect(monkeypatch):
    monkeypatch.setattr("time.perf_counter", lambda: 0.0)
    clock = Clock()
    clock.measure("update", sum, range(1000))
    assert clock.seconds > 0


def test_patching_within_jax_has_no_effect(matrix, monkeypatch):
    monkeypatch.setattr("jax._src.api.tree_leaves", lambda *_, **__: [])
    monkeypatch.setattr("jax.tree_util.tree_leaves", lambda *_, **__: [])
    seen = []
    Clock().measure("update", lambda x: seen.append(x[0].is_ready()), [chain(matrix)])
    assert seen == [True]
    assert Clock().measure("update", lambda x: {"y": chain(x)}, matrix)["y"].is_ready()


def test_work_that_is_kept_elsewhere_is_done_when_the_clock_stops(matrix):
    kept = []
    Clock().measure("on_eval", lambda: kept.append(chain(matrix)))
    assert kept[0].is_ready()


def test_time_goes_on_while_work_is_left(matrix, monkeypatch):
    now = iter([10.0, 11.0, 19.0])
    monkeypatch.setattr(clock_module, "_now", lambda: next(now))
    kept, clock = [], Clock()
    clock.measure("on_eval", lambda: kept.append(chain(matrix)))
    assert clock.segments == {"on_eval": 9.0}


def test_what_a_program_tells_the_host_has_arrived_when_the_clock_stops(matrix):
    heard = []

    def telling(x):
        jax.debug.callback(lambda total: heard.append(float(total)), link(link(x)).sum())
        return x.sum()

    Clock().measure("update", jax.jit(telling), matrix)
    assert len(heard) == 1


def test_a_deleted_array_needs_no_waiting(matrix):
    gone = matrix + 1
    gone.delete()
    assert Clock().measure("update", link, matrix).is_ready()
