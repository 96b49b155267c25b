"""AdamW whose step is wrapped in a new `jax.jit` every time: shardings, donation, static arguments.

Its hyperparameters are the fields of a namedtuple; two of them, if there, are passed at call time.
"""

import functools

import jax
import jax.numpy as jnp
import optax
from algoperf import jax_sharding_utils, spec


@functools.lru_cache
def _optimizer(hyperparameters, step_hint):
    decay_steps = step_hint - int(hyperparameters.warmup_factor * step_hint)
    schedule = optax.cosine_decay_schedule(hyperparameters.learning_rate, decay_steps)
    return optax.adamw(
        schedule,
        b1=0.9,
        b2=hyperparameters.beta2,
        eps=getattr(hyperparameters, "epsilon", 1e-8),
        weight_decay=hyperparameters.weight_decay,
    )


def init_optimizer_state(
    workload: spec.Workload,
    model_params: spec.ParameterContainer,
    model_state: spec.ModelAuxiliaryState,
    hyperparameters: spec.Hyperparameters,
    rng: spec.RandomState,
) -> spec.OptimizerState:
    del model_params, model_state, rng
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape_tuple), workload.param_shapes)
    return _optimizer(hyperparameters, workload.step_hint).init(zeros)


def train_step(
    workload, hyperparameters, model_state, optimizer_state, params, batch, rng, smoothing, rate
):
    def summed_loss(params):
        logits, new_model_state = workload.model_fn(
            params,
            batch,
            model_state,
            spec.ForwardPassMode.TRAIN,
            rng,
            update_batch_norm=True,
            dropout_rate=rate,
        )
        losses = workload.loss_fn(
            label_batch=batch["targets"],
            logits_batch=logits,
            mask_batch=batch.get("weights"),
            label_smoothing=smoothing,
        )
        return losses["summed"], (losses["n_valid_examples"], new_model_state)

    compute = jax.value_and_grad(summed_loss, has_aux=True)
    (summed, (count, model_state)), grad = compute(params)
    grad = jax.tree.map(lambda g: g / count, grad)
    update = _optimizer(hyperparameters, workload.step_hint).update
    updates, optimizer_state = update(grad, optimizer_state, params)
    return optimizer_state, optax.apply_updates(params, updates), model_state, summed / count


def update_params(
    workload: spec.Workload,
    current_param_container: spec.ParameterContainer,
    current_params_types: spec.ParameterTypeTree,
    model_state: spec.ModelAuxiliaryState,
    hyperparameters: spec.Hyperparameters,
    batch: dict[str, spec.Tensor],
    loss_type: spec.LossType,
    optimizer_state: spec.OptimizerState,
    eval_results: list[tuple[int, float]],
    global_step: int,
    rng: spec.RandomState,
) -> spec.UpdateReturn:
    del current_params_types, loss_type, eval_results
    smoothing = getattr(hyperparameters, "label_smoothing", 0.0)
    rate = getattr(hyperparameters, "dropout_rate", 0.0)
    whole = jax_sharding_utils.get_replicate_sharding()
    split = jax_sharding_utils.get_batch_dim_sharding()
    step = jax.jit(
        train_step,
        static_argnums=(0, 1),
        donate_argnums=(2, 3, 4),
        in_shardings=(whole, whole, whole, split, whole, whole, whole),
        out_shardings=(whole, whole, whole, whole),
    )
    optimizer_state, params, model_state, loss = step(
        workload,
        hyperparameters,
        model_state,
        optimizer_state,
        current_param_container,
        batch,
        rng,
        smoothing,
        rate,
    )
    if global_step % 100 == 0 and workload.metrics_logger is not None:
        workload.metrics_logger.append_scalar_metrics({"loss": loss.item()}, global_step)
    return optimizer_state, params, model_state


def prepare_for_eval(
    workload: spec.Workload,
    current_param_container: spec.ParameterContainer,
    current_params_types: spec.ParameterTypeTree,
    model_state: spec.ModelAuxiliaryState,
    hyperparameters: spec.Hyperparameters,
    loss_type: spec.LossType,
    optimizer_state: spec.OptimizerState,
    eval_results: list[tuple[int, float]],
    global_step: int,
    rng: spec.RandomState,
) -> spec.UpdateReturn:
    del workload, current_params_types, hyperparameters, loss_type, eval_results, global_step, rng
    return optimizer_state, current_param_container, model_state


def get_batch_size(workload_name: str) -> int:
    if workload_name == "mnist":
        return 16
    raise ValueError(f"Unsupported workload name: {workload_name}.")


def data_selection(
    workload: spec.Workload,
    input_queue,
    optimizer_state: spec.OptimizerState,
    current_param_container: spec.ParameterContainer,
    model_state: spec.ModelAuxiliaryState,
    hyperparameters: spec.Hyperparameters,
    global_step: int,
    rng: spec.RandomState,
) -> dict[str, spec.Tensor]:
    del workload, optimizer_state, current_param_container, model_state, hyperparameters
    del global_step, rng
    return next(input_queue)
