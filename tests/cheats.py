"""Submissions that cheat, each as a file's source, and what runs them on the tiny workload."""

HEAD = """
import gc, os, sys, threading, time, _thread
import jax, jax.numpy as jnp, numpy as np
from jax.experimental import io_callback
from toys import PlainSgd
from dataclasses import dataclass

KEPT = []

def work(x=None):
    x = jnp.ones((300, 300)) if x is None else x
    for _ in range(20):
        x = jnp.tanh(x @ x / 300)
    return x

def the(kind):
    return [o for o in gc.get_objects() if type(o).__name__ == kind][-1]

def caller(name):
    frame = sys._getframe(1)
    while name not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals[name]

@dataclass(frozen=True, kw_only=True)
class Cheat(PlainSgd):
"""
TAIL = """

submission = Cheat(default={"learning_rate": 0.05})
"""
SIGNATURES = {
    "init": "self, params, hp, task, key",
    "update": "self, state, batch, loss_fn, hp, task, key",
    "eval_params": "self, state, hp, task",
    "select": "self, indices, state, hp, task, key",
    "on_eval": "self, history, hp, task",
}
RETURNS = {
    "init": "super().init(params, hp, task, key)",
    "update": "super().update(state, batch, loss_fn, hp, task, key)",
    "eval_params": "(state.params, state.model_state)",
    "select": "indices",
    "on_eval": "None",
}


def source(method, *lines, returns=None):
    """A submission of which one method does something besides."""
    body = [*lines, f"return {returns or RETURNS[method]}"]
    method = f"    def {method}({SIGNATURES[method]}):\n"
    return HEAD + method + "".join(f"        {line}\n" for line in body) + TAIL
