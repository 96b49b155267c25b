"""Plain SGD with one module-level jit: what several styles import from beside them."""

from functools import partial

import jax
from algoperf import spec


@partial(jax.jit, static_argnums=0)
def step(workload, params, model_state, batch, rng, learning_rate):
    """One step of SGD; returns parameters, model state and the loss."""

    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params, batch, model_state, spec.ForwardPassMode.TRAIN, rng, update_batch_norm=True
        )
        losses = workload.loss_fn(batch["targets"], logits)
        return losses["summed"] / losses["n_valid_examples"], new_model_state

    (loss, model_state), grad = jax.value_and_grad(loss_fn, has_aux=True)(params)
    return jax.tree.map(lambda p, g: p - learning_rate * g, params, grad), model_state, loss


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    """Nothing."""
    return {}


def get_batch_size(workload_name):
    """Known for no workload of this project."""
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
    """The next batch."""
    return next(input_queue)


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
    """One step."""
    params, model_state, _ = step(workload, current_param_container, model_state, batch, rng, 0.05)
    return optimizer_state, params, model_state
