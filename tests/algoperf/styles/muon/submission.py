"""Muon on matrices, AdamW on the rest, in a folder of several files."""

import jax
import jax.numpy as jnp
import optax
from algoperf import jax_sharding_utils, spec

from . import masks
from .parts.newton import scale_by_orthogonalization

HPARAMS = {"muon_learning_rate": 0.02, "learning_rate": 0.01, "momentum": 0.9, "decay": 0.01}


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    decayed = masks.decayed(workload.model_params_types)
    muon = optax.chain(
        scale_by_orthogonalization(HPARAMS["momentum"]),
        optax.scale(-HPARAMS["muon_learning_rate"]),
    )
    adamw = optax.adamw(HPARAMS["learning_rate"], weight_decay=0.0)
    labels = masks.labels(workload.model_params_types, workload.param_shapes)
    optimizer = optax.chain(
        optax.multi_transform({"muon": muon, "adamw": adamw}, labels),
        optax.add_decayed_weights(-HPARAMS["decay"] * HPARAMS["learning_rate"], decayed),
    )
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape_tuple), workload.param_shapes)
    return optimizer.init(zeros), optimizer.update


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
    train_state=None,
):
    from .parts.newton import COEFFICIENTS  # as late as a submission may import

    assert len(COEFFICIENTS) == 3
    assert jax.tree.structure(current_params_types) == jax.tree.structure(current_param_container)
    state, update = optimizer_state
    whole = jax_sharding_utils.get_replicate_sharding()
    split = jax_sharding_utils.get_batch_dim_sharding()
    step = jax.jit(
        _step,
        static_argnums=(0, 1),
        donate_argnums=(2, 3, 4),
        in_shardings=(whole, whole, whole, split, whole),
        out_shardings=whole,
    )
    state, params, model_state = step(
        workload, update, state, current_param_container, model_state, batch, rng
    )
    return (state, update), params, model_state


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
