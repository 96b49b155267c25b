"""SGD with momentum by hand: zeros after `param_shapes`, a learning rate by the kind of loss."""

import jax
import jax.numpy as jnp
import optax
from algoperf import spec
from plain import data_selection, get_batch_size  # noqa: F401

RATES = {
    spec.LossType.SOFTMAX_CROSS_ENTROPY: 0.05,
    spec.LossType.SIGMOID_CROSS_ENTROPY: 0.1,
    spec.LossType.MEAN_ABSOLUTE_ERROR: 0.01,
}


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    zeros = jax.tree_util.tree_map(lambda s: jnp.zeros(s.shape_tuple), workload.param_shapes)
    sizes = jax.tree_util.tree_leaves(
        jax.tree_util.tree_map(lambda s: len(s.shape_tuple), workload.param_shapes)
    )
    assert max(sizes) >= 2
    optimizer = optax.chain(
        optax.trace(decay=0.9), optax.scale(-RATES.get(workload.loss_type, 0.01))
    )
    return optimizer.init(zeros), optimizer.update


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
    if loss_type is not workload.loss_type:
        raise ValueError(f"{loss_type} is not {workload.loss_type}")
    state, update = optimizer_state
    loss, grad, model_state = _gradient(workload, current_param_container, model_state, batch, rng)
    updates, state = update(grad, state, current_param_container)
    workload.metrics_logger.append_scalar_metrics({"loss": loss}, global_step)
    params = optax.apply_updates(current_param_container, updates)
    return (state, update), params, model_state


def _loss_and_gradient(workload, params, model_state, batch, rng):
    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params, batch, model_state, spec.ForwardPassMode.TRAIN, rng, update_batch_norm=True
        )
        losses = workload.loss_fn(batch["targets"], logits)
        return losses["per_example"].sum() / losses["n_valid_examples"], new_model_state

    (loss, model_state), grad = jax.value_and_grad(loss_fn, has_aux=True)(params)
    return loss, grad, model_state


_gradient = jax.jit(_loss_and_gradient, static_argnums=0)
