"""Gradient descent with noise from a key of its own, and a rate that falls after evaluations."""

import jax

from algoperf_lite import Submission


class Decaying(Submission):
    """Keeps a key in its state, and changes a hyperparameter on the host."""

    def init(self, params, hp, task, key):
        """See `Submission.init`."""
        del params, hp, task
        return key

    def update(self, state, batch, loss_fn, hp, task, key):
        """See `Submission.update`."""
        del task
        loss_and_grads = jax.value_and_grad(loss_fn, has_aux=True)
        (loss, _), grads = loss_and_grads(state.params, state.model_state, batch, key)
        own = jax.random.fold_in(state.opt_state, 0)
        noise = 1 + 0.1 * jax.random.normal(own)
        params = jax.tree.map(lambda p, g: p - hp["learning_rate"] * noise * g, state.params, grads)
        return state.replace(params=params, opt_state=own), {"loss": loss}

    def on_eval(self, history, hp, task):
        """See `Submission.on_eval`."""
        del history, task
        return {"learning_rate": 0.9 * hp["learning_rate"]}


submission = Decaying(
    default={"learning_rate": 0.02},
    search_space={"learning_rate": {"min": 0.005, "max": 0.05, "scaling": "log"}},
)
