"""AdamW that imports its schedule from the file beside it, with a list of points to try."""

import jax
import optax
import schedules
from algoperf import spec


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    schedule = schedules.triangle(hyperparameters.learning_rate, workload.step_hint)
    init, update = optax.adamw(schedule, weight_decay=hyperparameters.weight_decay)
    return init(model_params), update


def _step(workload, update, state, params, model_state, batch, rng):
    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params, batch, model_state, spec.ForwardPassMode.TRAIN, rng, update_batch_norm=True
        )
        losses = workload.loss_fn(batch["targets"], logits)
        return losses["summed"] / losses["n_valid_examples"], new_model_state

    grad, model_state = jax.grad(loss_fn, has_aux=True)(params)
    updates, state = update(grad, state, params)
    return state, optax.apply_updates(params, updates), model_state


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
    state, update = optimizer_state
    step = jax.jit(_step, static_argnums=(0, 1), donate_argnums=(2, 3, 4))
    state, params, model_state = step(
        workload, update, state, current_param_container, model_state, batch, rng
    )
    return (state, update), params, model_state


def get_batch_size(workload_name):
    return {"mnist": 16}[workload_name]


def data_selection(
    workload,
    input_queue,
    optimizer_state,
    current_param_container,
    model_state,
    hyperparameters,
    global_step,
    rng,
):
    return next(input_queue)
