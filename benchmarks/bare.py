"""The loop that a researcher would write by hand: what the harness is measured against."""

from functools import partial
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np
import optax

from algoperf_lite.batches import BatchOrder
from algoperf_lite.submission import OptaxSubmission, Task
from algoperf_lite.workload import Workload


class BareLoop:
    """A jitted step, called once per step on batches gathered on device.

    Model, loss, augmentation, optimizer, batches and seed are the harness's; hyperparameters are
    Python numbers, and the batch indices are on the device before the clock starts.

    Args:
        workload: what to train.
        splits: what `dataset.load` returned.
        submission: whose optimizer to use, at its default point.
    """

    def __init__(self, workload: Workload, splits, submission: OptaxSubmission):
        self.workload = workload
        self.train = jax.device_put(splits["train"])
        rows = len(jax.tree.leaves(splits["train"])[0])
        self.order = BatchOrder(rows, workload.batch_size, seed=0)
        self.key = jax.random.key(0)
        inputs = jax.tree.map(lambda a: jnp.zeros((2, *a.shape[1:]), a.dtype), self.train["inputs"])
        variables = jax.jit(workload.model.init, static_argnames="train")(
            self.key, inputs, train=False
        )
        params = variables.pop("params")
        target = workload.target
        task = Task(workload.step_hint, None, workload.batch_size, rows, workload.loss_kind,
                    target.metric, target.direction, target.value, None, None)  # fmt: skip
        self.optimizer = submission.optimizer(submission.default, task)
        self.state = (jnp.int32(0), params, variables, self.optimizer.init(params))
        self.done = 0

    def run(self, steps: int) -> float:
        """Take `steps` steps and return the seconds they took, waiting at both ends."""
        rows = [jnp.asarray(row) for row in self.order.window(self.done, steps)]
        state = jax.block_until_ready((self.state, rows))[0]
        start = perf_counter()
        for row in rows:
            state = self._step(state, self.train, row)
        self.state = jax.block_until_ready(state)
        self.done += steps
        return perf_counter() - start

    @partial(jax.jit, static_argnums=0, donate_argnums=1)
    def _step(self, state, train, row):
        step, params, model_state, opt_state = state
        augment_key, dropout_key = jax.random.split(jax.random.fold_in(self.key, step))
        batch = jax.tree.map(lambda a: a[row], train)
        if self.workload.augment is not None:
            batch = self.workload.augment(augment_key, batch)

        def loss_fn(params):
            outputs, new = self.workload.model.apply(
                {"params": params, **model_state}, batch["inputs"], train=True,
                rngs={"dropout": dropout_key}, mutable=list(model_state))  # fmt: skip
            sums, counts = self.workload.loss(outputs, batch["targets"])
            return sums.sum() / counts.sum(), new

        (_, model_state), grads = jax.value_and_grad(loss_fn, has_aux=True)(params)
        updates, opt_state = self.optimizer.update(grads, opt_state, params)
        return step + 1, optax.apply_updates(params, updates), model_state, opt_state


def median(seconds) -> float:
    """The median as a float."""
    return float(np.median(seconds))
