"""SGD that jits nothing; its learning rate is halved when the last evaluation was no better."""

import jax
from algoperf import spec
from plain import data_selection, get_batch_size  # noqa: F401


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    return {"metric": f"validation/{workload.target_metric_name}", "rate": 0.05, "heard": 0}


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
    if len(eval_results) > optimizer_state["heard"]:
        optimizer_state["heard"] = len(eval_results)
        values = [metrics[optimizer_state["metric"]] for _, metrics in eval_results]
        if len(values) > 1 and values[-1] >= values[-2]:
            optimizer_state["rate"] /= 2

    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params, batch, model_state, spec.ForwardPassMode.TRAIN, rng, update_batch_norm=True
        )
        losses = workload.loss_fn(batch["targets"], logits)
        return losses["summed"] / losses["n_valid_examples"], new_model_state

    grad, model_state = jax.grad(loss_fn, has_aux=True)(current_param_container)
    rate = optimizer_state["rate"]
    params = jax.tree.map(lambda p, g: p - rate * g, current_param_container, grad)
    logged = {"rate": rate, "heard": optimizer_state["heard"]}
    workload.metrics_logger.append_scalar_metrics(logged, global_step)
    return optimizer_state, params, model_state
