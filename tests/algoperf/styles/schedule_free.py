"""Schedule-free AdamW: `prepare_for_eval` swaps in the averaged weights, the next step swaps back.

A flag in the optimizer state says which weights are held; jitted functions are cached in globals.
"""

from functools import partial

import jax
import jax.numpy as jnp
import optax
from algoperf import jax_sharding_utils, spec
from optax.contrib import schedule_free_adamw, schedule_free_eval_params

HPARAMS = {"learning_rate": 0.02, "b1": 0.9, "weight_decay": 1e-3}
_GRADIENT = None
_UPDATE = None


@partial(jax.jit, donate_argnums=(1,))
def _averaged(state, params):
    return schedule_free_eval_params(state, params)


@partial(jax.jit, donate_argnums=(0,))
def _interpolated(params, z, b1):
    return jax.tree.map(lambda x_leaf, z_leaf: (1 - b1) * z_leaf + b1 * x_leaf, params, z)


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    init, update = schedule_free_adamw(
        HPARAMS["learning_rate"],
        warmup_steps=int(0.1 * workload.step_hint),
        b1=HPARAMS["b1"],
        weight_decay=HPARAMS["weight_decay"],
    )
    return (init(model_params), jnp.array(0, dtype=jnp.int32)), update


def prepare_for_eval(
    workload,
    current_param_container,
    current_params_types,
    model_state,
    hyperparameters,
    loss_type,
    optimizer_state,
    eval_results,
    global_step,
    rng,
):
    (state, _), update = optimizer_state
    averaged = _averaged(state, current_param_container)
    return ((state, jnp.array(1, dtype=jnp.int32)), update), averaged, model_state


def _loss_and_gradient(workload, model_state, params, batch, rng):
    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params,
            batch,
            model_state,
            spec.ForwardPassMode.TRAIN,
            rng,
            update_batch_norm=True,
            use_running_average_bn=False,
        )
        losses = workload.loss_fn(batch["targets"], logits, batch.get("weights"))
        return losses["summed"] / losses["n_valid_examples"], new_model_state

    (loss, model_state), grad = jax.value_and_grad(loss_fn, has_aux=True)(params)
    return loss, model_state, grad


def _apply(update, state, params, grad):
    updates, state = update(grad, state, params)
    return state, optax.apply_updates(params, updates)


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
    global _GRADIENT, _UPDATE  # noqa: PLW0603  (as submissions do it)
    (state, holds_average), update = optimizer_state
    if holds_average > 0:
        current_param_container = _interpolated(current_param_container, state.z, HPARAMS["b1"])
    if _GRADIENT is None:
        whole = jax_sharding_utils.get_replicate_sharding()
        split = jax_sharding_utils.get_batch_dim_sharding()
        _GRADIENT = jax.jit(
            _loss_and_gradient,
            static_argnums=0,
            donate_argnums=1,
            in_shardings=(whole, whole, split, whole),
            out_shardings=(whole, whole, whole),
        )
        _UPDATE = jax.jit(_apply, static_argnums=0, donate_argnums=(1, 2), in_shardings=whole)
    loss, model_state, grad = _GRADIENT(workload, model_state, current_param_container, batch, rng)
    state, params = _UPDATE(update, state, current_param_container, grad)
    if global_step % 100 == 0 and workload.metrics_logger is not None:
        workload.metrics_logger.append_scalar_metrics({"loss": loss}, global_step)
    return ((state, jnp.array(0, dtype=jnp.int32)), update), params, model_state


def get_batch_size(workload_name):
    raise ValueError(f"Unsupported workload name: {workload_name}.")


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
