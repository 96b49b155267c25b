"""Functions of an optimizer state that warmed up stay, and begin anew."""

import functools

import jax
import jax.numpy as jnp
import pytest

from algoperf_lite.algoperf.functions import functions_of, keep_functions


class Counting:
    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x + self.calls


def in_a_closure():
    calls = 0

    def update(x):
        nonlocal calls
        calls += 1
        return x + calls

    return update


def deep_in_a_chain():
    functions = (in_a_closure(), in_a_closure())

    def update(x):
        for function in functions:
            x = function(x)
        return x

    return update


def bound():
    return functools.partial(lambda count, x: count(x), in_a_closure())


def beside_an_array():
    start = jnp.ones(2)
    return lambda x: x + start.sum() - 1


@pytest.mark.parametrize("make", [Counting, in_a_closure, deep_in_a_chain, bound, beside_an_array])
def test_what_warmed_up_stays_and_counts_from_the_start(make):
    known = {"m": 0.0}, make()
    first = known[1](0)
    known[1](0)
    state = {"m": 1.0}, make()
    kept = keep_functions(functions_of(known), state)
    assert kept[0] == {"m": 1.0}
    assert kept[1] is known[1]
    assert kept[1](0) == first


def test_a_jitted_function_keeps_what_it_compiled():
    def make(scale):
        return jax.jit(lambda x: x * scale)

    known, state = make(2.0), make(2.0)
    known(jnp.ones(3))
    kept = keep_functions(functions_of((0, known)), (0, state))[1]
    assert kept is known
    assert kept._cache_size() == 1


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ((0, in_a_closure()), (0, deep_in_a_chain())),  # other code
        ((0, in_a_closure()), (0, Counting())),  # another kind
        ((0, abs), (0, abs)),  # no code of Python's
        ((0, in_a_closure()), ({"a": 0}, in_a_closure())),  # another structure
    ],
)
def test_others_are_left_as_they_are(known, state):
    assert keep_functions(functions_of(known), state)[1] is state[1]


def test_functions_that_hold_each_other_end_somewhere():
    def make():
        def even(n):
            return n == 0 or odd(n - 1)

        def odd(n):
            return n != 0 and even(n - 1)

        return even

    known, state = make(), make()
    kept = keep_functions((0, known), (0, state))[1]
    assert kept is known
    assert kept(10)
