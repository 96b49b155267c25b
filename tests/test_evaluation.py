from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.workload import Metric


def load(splits, workload=tiny.workload, devices=1):
    return LoadedWorkload(workload, splits, jax.devices()[:devices])


@pytest.fixture(scope="module")
def variables():
    net = tiny.workload.model
    return net.init(jax.random.key(1), jnp.zeros((2, 4), jnp.int8))


def by_hand(splits, variables, split):
    rows = splits[split]
    outputs = tiny.workload.model.apply(variables, rows["inputs"])
    sums, counts = tiny.workload.loss(outputs, rows["targets"])
    hits = np.asarray(outputs).argmax(-1) == rows["targets"]
    return {"loss": float(sums.sum() / counts.sum()), "accuracy": hits.mean()}


@pytest.mark.parametrize("eval_batch_size", [4, 20, 52])
@pytest.mark.parametrize("devices", [1, 2, 4])
def test_padded_sharded_batches_give_the_plain_mean(
    tiny_splits, variables, eval_batch_size, devices
):
    workload = replace(tiny.workload, eval_batch_size=eval_batch_size)
    evaluator = load(tiny_splits, workload, devices).evaluator
    for split in ("validation", "test"):
        found = evaluator.evaluate(variables["params"], {}, split)
        assert found == pytest.approx(by_hand(tiny_splits, variables, split), rel=1e-5)


def test_the_train_split_is_evaluated_on_as_many_rows_as_validation_has(tiny_splits, variables):
    head = {"train": jax.tree.map(lambda a: a[:50], tiny_splits["train"])}
    found = load(tiny_splits).evaluator.evaluate(variables["params"], {}, "train")
    assert found == pytest.approx(by_hand(head, variables, "train"), rel=1e-5)


def test_gathered_metrics_see_every_row_once_and_no_padding(tiny_splits, variables):
    gather = Metric("labels", lambda outputs, targets: targets, "gather", lambda rows: rows.sum())
    count = Metric("rows", lambda outputs, targets: targets, "gather", len)
    workload = replace(tiny.workload, metrics=(gather, count), eval_batch_size=16)
    found = load(tiny_splits, workload).evaluator.evaluate(variables["params"], {}, "validation")
    assert found["labels"] == tiny_splits["validation"]["targets"].sum()
    assert found["rows"] == 50


def test_nan_from_padding_does_not_spread(tiny_splits, variables):
    def parts(outputs, targets):
        empty = (targets == 0) & (outputs[:, 0] == outputs[:, 1])  # zero inputs: padding only
        return jnp.where(empty, jnp.nan, 1.0), jnp.ones(len(targets))

    workload = replace(tiny.workload, metrics=(Metric("ones", parts),))
    params = jax.tree.map(jnp.zeros_like, variables["params"])
    params["Dense_0"]["kernel"] = variables["params"]["Dense_0"]["kernel"]
    params["Dense_1"]["kernel"] = variables["params"]["Dense_1"]["kernel"]
    found = load(tiny_splits, workload).evaluator.evaluate(params, {}, "validation")
    assert found["ones"] == 1.0
