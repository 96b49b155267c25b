"""AdamW written for AlgoPerf 0.6, whose step is jitted once; for `benchmarks.host_loop`."""

import functools

import jax
import jax.numpy as jnp
import optax
from algoperf import jax_sharding_utils, spec


def get_batch_size(workload_name):
    """No workload is known by its name here."""
    raise ValueError(f"unknown workload {workload_name}")


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    """AdamW's state, and its update function."""
    del model_params, model_state, hyperparameters, rng
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape_tuple), workload.param_shapes)
    init, update = optax.adamw(1e-3, weight_decay=0.01)
    return init(zeros), update


def train_step(workload, update, model_state, opt_state, params, batch, rng):
    """One step of training; returns the new states, the parameters and the loss."""

    def loss_fn(params):
        logits, new_state = workload.model_fn(
            params, batch, model_state, spec.ForwardPassMode.TRAIN, rng, update_batch_norm=True
        )
        loss = workload.loss_fn(batch["targets"], logits, batch["weights"])
        return loss["summed"] / loss["n_valid_examples"], new_state

    (loss, new_state), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
    updates, opt_state = update(grads, opt_state, params)
    return opt_state, optax.apply_updates(params, updates), new_state, loss


@functools.cache
def jitted_step():
    """The step, jitted over the devices."""
    whole = jax_sharding_utils.get_replicate_sharding()
    rows = jax_sharding_utils.get_batch_dim_sharding()
    return jax.jit(
        train_step,
        static_argnums=(0, 1),
        donate_argnums=(2, 3, 4),
        in_shardings=(whole, whole, whole, rows, whole),
        out_shardings=whole,
    )


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
    """Call the jitted step."""
    del current_params_types, hyperparameters, loss_type, eval_results
    opt_state, update = optimizer_state
    opt_state, params, model_state, loss = jitted_step()(
        workload, update, model_state, opt_state, current_param_container, batch, rng
    )
    if global_step % 100 == 0 and workload.metrics_logger is not None:
        workload.metrics_logger.append_scalar_metrics({"loss": loss}, global_step)
    return (opt_state, update), params, model_state


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
    """The next batch."""
    del workload, optimizer_state, current_param_container, model_state
    del hyperparameters, global_step, rng
    return next(input_queue)
