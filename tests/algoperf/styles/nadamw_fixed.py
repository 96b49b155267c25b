"""Self-tuning NAdamW: hyperparameters in a dict, a step jitted when the file is loaded.

It takes `train_state`, and names the arguments of `model_fn`.
"""

import functools

import jax
import optax
from algoperf import jax_sharding_utils, spec

HPARAMS = {
    "dropout_rate": 0.1,
    "label_smoothing": 0.1,
    "learning_rate": 0.02,
    "one_minus_beta1": 0.1,
    "beta2": 0.99,
    "weight_decay": 0.01,
    "warmup_factor": 0.05,
}


def init_optimizer_state(workload, model_params, model_state, hyperparameters, rng):
    del hyperparameters
    hyperparameters = HPARAMS
    warmup_steps = int(hyperparameters["warmup_factor"] * workload.step_hint)
    peak = hyperparameters["learning_rate"]
    schedule = optax.join_schedules(
        [
            optax.linear_schedule(0.0, peak, warmup_steps),
            optax.cosine_decay_schedule(peak, max(workload.step_hint - warmup_steps, 1)),
        ],
        [warmup_steps],
    )
    init, update = optax.nadamw(
        schedule,
        b1=1 - hyperparameters["one_minus_beta1"],
        b2=hyperparameters["beta2"],
        weight_decay=hyperparameters["weight_decay"],
    )
    return init(model_params), update


@functools.partial(
    jax.jit,
    static_argnums=(0, 1),
    donate_argnums=(2, 3, 4),
    in_shardings=(
        jax_sharding_utils.get_replicate_sharding(),
        jax_sharding_utils.get_replicate_sharding(),
        jax_sharding_utils.get_replicate_sharding(),
        jax_sharding_utils.get_batch_dim_sharding(),
        jax_sharding_utils.get_replicate_sharding(),
    ),
    out_shardings=jax_sharding_utils.get_replicate_sharding(),
)
def _train_step(workload, update, model_state, optimizer_state, params, batch, rng):
    def loss_fn(params):
        logits, new_model_state = workload.model_fn(
            params=params,
            augmented_and_preprocessed_input_batch=batch,
            model_state=model_state,
            mode=spec.ForwardPassMode.TRAIN,
            rng=rng,
            update_batch_norm=True,
            dropout_rate=HPARAMS["dropout_rate"],
        )
        losses = workload.loss_fn(
            batch["targets"], logits, label_smoothing=HPARAMS["label_smoothing"]
        )
        return losses["summed"] / losses["n_valid_examples"], new_model_state

    (_, model_state), grad = jax.value_and_grad(loss_fn, has_aux=True)(params)
    updates, optimizer_state = update(grad, optimizer_state, params)
    return optimizer_state, optax.apply_updates(params, updates), model_state


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
    assert hyperparameters is None
    assert train_state is None or train_state["is_time_remaining"]
    state, update = optimizer_state
    state, params, model_state = _train_step(
        workload, update, model_state, state, current_param_container, batch, rng
    )
    return (state, update), params, model_state


def get_batch_size(workload_name):
    batch_sizes = {"mnist": 1024}
    return batch_sizes[workload_name]


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
