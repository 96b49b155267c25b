"""SGD that counts its steps in a module global and decays its learning rate by the count."""

import plain
from plain import data_selection, get_batch_size, init_optimizer_state  # noqa: F401

CALLS = 0
SEEN = {"steps": []}


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
    global CALLS  # noqa: PLW0603
    CALLS += 1
    SEEN["steps"].append(global_step)
    params, model_state, _ = plain.step(
        workload, current_param_container, model_state, batch, rng, 0.05 / CALLS**0.5
    )
    logged = {"calls": CALLS, "seen": len(SEEN["steps"])}
    workload.metrics_logger.append_scalar_metrics(logged, global_step)
    return optimizer_state, params, model_state
