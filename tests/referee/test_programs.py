import jax
import jax.numpy as jnp
import numpy as np
import pytest

from algoperf_lite.errors import InvalidTrialError
from algoperf_lite.referee.programs import (
    check_constants,
    check_host_calls,
    constants,
    content_bytes,
)

TABLE = np.random.default_rng(0).normal(size=5000).astype(np.float32)


def traced(function):
    return jax.make_jaxpr(function)(jnp.float32(1))


def looped(x):
    body = jax.jit(lambda c, _: (c + jnp.asarray(TABLE)[2:].sum(), None))
    return jax.lax.scan(body, x, length=2)[0]


def test_constants_within_inner_programs_are_found_once():
    twice = traced(lambda x: looped(x) + looped(x) + jnp.asarray(TABLE)[0])
    assert {c.shape for c in constants(twice)} == {(5000,)}


def test_what_the_workload_itself_holds_is_not_the_submissions():
    model = traced(looped)
    check_constants("update", model, 1000, lambda: [model])
    with pytest.raises(InvalidTrialError, match="update holds 20000 bytes of constants"):
        check_constants("update", model, 1000, lambda: [])


def test_what_may_be_brought_grows_with_the_model():
    check_constants("init", traced(looped), 200_001, lambda: [])


def test_long_tables_that_say_little_pass_and_parameters_do_not():
    def brings(table):
        return traced(lambda x: x + jnp.asarray(table)[1:].sum())

    steps = np.linspace(0, 1, 5000)
    for table in (np.cos(np.pi * steps), np.minimum(steps * 9, 1), 1 / (1 + steps), np.eye(128)):
        check_constants("init", brings(table.astype(np.float32)), 1000, lambda: [])
    with pytest.raises(InvalidTrialError, match=r"with jax\.numpy inside init$"):
        check_constants("init", brings(TABLE), 1000, lambda: [])
    half = TABLE.repeat(2).astype(jnp.bfloat16)
    assert content_bytes(half) > 0.45 * half.nbytes


def test_host_calls_of_the_workload_are_not_the_submissions():
    asking = traced(lambda x: jax.pure_callback(lambda v: v, x, x))
    check_host_calls("update", asking, lambda: [asking])
    with pytest.raises(InvalidTrialError, match=r"update brings values .*\(pure_callback\)"):
        check_host_calls("update", asking, lambda: [])


def test_what_is_called_within_select_is_told_of_select():
    def step(x):
        with jax.named_scope("select"):
            return jax.pure_callback(lambda v: v, x, x)

    with pytest.raises(InvalidTrialError, match=r"^select brings"):
        check_host_calls("update", traced(step), lambda: [])
