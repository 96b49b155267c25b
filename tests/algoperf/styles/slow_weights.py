"""SGD with slow weights that are kept on the host, as NumPy arrays, and evaluated.

Every few steps they move towards the fast ones. The optimizer state changes its structure for an
evaluation: it then holds the fast weights, from which the next step goes on.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import plain
from plain import data_selection, get_batch_size  # noqa: F401


class State(NamedTuple):
    slow: Any
    fast: Any


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    slow = jax.tree.map(np.copy, jax.device_get(model_params))
    return State(slow, None), None


def update_params(
    workload,
    current_param_container,
    current_params_types,
    model_state,
    hyperparameters,
    batch,
    loss_type,
    optimizer_state,
    eval_results,
    global_step,
    rng,
):
    state, _ = optimizer_state
    fast = current_param_container if state.fast is None else state.fast
    fast, model_state, _ = plain.step(workload, fast, model_state, batch, rng, 0.05)
    slow = state.slow
    if (global_step + 1) % 4 == 0:
        slow = jax.tree.map(lambda s, f: s + 0.5 * (np.asarray(f) - s), slow, fast)
        fast = jax.tree.map(jnp.array, slow)
    return (State(slow, None), None), fast, model_state


def prepare_for_eval(optimizer_state, current_param_container, model_state, **_):
    state, _ = optimizer_state
    evaluated = jax.tree.map(jnp.array, state.slow)
    return (State(state.slow, current_param_container), None), evaluated, model_state
