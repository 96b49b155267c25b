"""Small submissions that tests train the tiny workload with."""

import jax
import jax.numpy as jnp
import optax

from algoperf_lite.submission import OptaxSubmission, Submission


def _sgd(hp, task):
    del task
    return optax.sgd(hp["learning_rate"])


sgd = OptaxSubmission(
    _sgd,
    default={"learning_rate": 0.05},
    search_space={"learning_rate": {"min": 0.01, "max": 1.0, "scaling": "log"}},
)


class PlainSgd(Submission):
    """SGD by hand over the general contract, for tests that override one of its methods."""

    def init(self, params, hp, task, key):
        del params, hp, task, key
        return {"steps": jnp.int32(0)}

    def update(self, state, batch, loss_fn, hp, task, key):
        (loss, model_state), grads = jax.value_and_grad(loss_fn, has_aux=True)(
            state.params, state.model_state, batch, key
        )
        params = jax.tree.map(lambda p, g: p - hp["learning_rate"] * g, state.params, grads)
        opt_state = {"steps": state.opt_state["steps"] + 1}
        new = state.replace(params=params, model_state=model_state, opt_state=opt_state)
        return new, {"loss": loss}


def plain_sgd(**overrides):
    """A `PlainSgd` with some methods replaced by functions of the same signature less self."""
    methods = {name: staticmethod(function) for name, function in overrides.items()}
    return type("Patched", (PlainSgd,), methods)(default={"learning_rate": 0.05})
