"""SGD that logs through `metrics_logger`: floats by `.item()`, and arrays still to come."""

from functools import partial

import jax
import jax.numpy as jnp
import optax
from algoperf import spec


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    init, update = optax.sgd(0.05)
    return init(model_params), update


@partial(jax.jit, static_argnums=(0, 1))
def _step(workload, update, state, params, model_state, batch, rng):
    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params, batch, model_state, spec.ForwardPassMode.TRAIN, rng, update_batch_norm=True
        )
        losses = workload.loss_fn(batch["targets"], logits)
        return losses["summed"] / losses["n_valid_examples"], new_model_state

    (loss, model_state), grad = jax.value_and_grad(loss_fn, has_aux=True)(params)
    updates, state = update(grad, state, params)
    params = optax.apply_updates(params, updates)
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree_util.tree_leaves(grad)))
    return state, params, model_state, loss, norm


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
    train_state=None,
):
    state, update = optimizer_state
    state, params, model_state, loss, norm = _step(
        workload, update, state, current_param_container, model_state, batch, rng
    )
    if global_step % 5 == 0 and workload.metrics_logger is not None:
        workload.metrics_logger.append_scalar_metrics(
            {"loss": loss.item(), "grad_norm": norm, "step_seen": global_step}, global_step
        )
    return (state, update), params, model_state


def get_batch_size(workload_name):
    raise ValueError(workload_name)


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
