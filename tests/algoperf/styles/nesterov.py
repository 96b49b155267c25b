"""Nesterov momentum whose optimizer state is ``(state, update_fn)``, over a mesh that it builds."""

import jax
import jax.numpy as jnp
import optax
from algoperf import spec
from jax.sharding import NamedSharding, PartitionSpec


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    del model_params, model_state, hyperparameters, rng
    warmup = optax.linear_schedule(0.0, 0.1, max(1, workload.step_hint // 20))
    decay = optax.polynomial_schedule(0.1, 0.001, 1, workload.step_hint)
    schedule = optax.join_schedules([warmup, decay], [workload.step_hint // 20])
    init, update = optax.chain(
        optax.add_decayed_weights(1e-4), optax.sgd(schedule, momentum=0.9, nesterov=True)
    )
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape_tuple), workload.param_shapes)
    return init(zeros), update


def train_step(workload, update, model_state, state, params, batch, rng, grad_clip):
    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params, batch, model_state, spec.ForwardPassMode.TRAIN, rng, update_batch_norm=True
        )
        losses = workload.loss_fn(batch["targets"], logits, batch.get("weights"))
        return losses["summed"] / losses["n_valid_examples"], new_model_state

    (loss, model_state), grad = jax.value_and_grad(loss_fn, has_aux=True)(params)
    norm = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree_util.tree_leaves(grad)))
    if grad_clip is not None:
        scale = jax.lax.clamp(0.0, grad_clip / (norm + 1e-6), 1.0)
        grad = jax.tree.map(lambda g: g * scale, grad)
    updates, state = update(grad, state, params)
    return state, optax.apply_updates(params, updates), model_state, loss, norm


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
    mesh = jax.sharding.Mesh(jax.devices(), ("batch"))
    whole, split = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in ((), ("batch",)))
    step = jax.jit(
        train_step,
        static_argnums=(0, 1),
        donate_argnums=(2, 3, 4),
        in_shardings=(whole, whole, whole, split, whole, whole),
        out_shardings=whole,
    )
    grad_clip = hyperparameters.grad_clip if hasattr(hyperparameters, "grad_clip") else None
    state, params, model_state, _, _ = step(
        workload, update, model_state, state, current_param_container, batch, rng, grad_clip
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
