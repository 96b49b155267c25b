"""SGD on the mean gradient of two batches a step, which `data_selection` gives as a list."""

import jax
import plain
from plain import get_batch_size, init_optimizer_state  # noqa: F401


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
    return [next(input_queue) for _ in range(2)]


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
    taken = []
    for part, key in zip(batch, jax.random.split(rng), strict=True):
        params, model_state, loss = plain.step(
            workload, current_param_container, model_state, part, key, 0.05
        )
        taken.append(params)
    mean = jax.tree.map(lambda a, b: (a + b) / 2, *taken)
    workload.metrics_logger.append_scalar_metrics({"loss": loss}, global_step)
    return optimizer_state, mean, model_state
