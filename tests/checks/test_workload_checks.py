"""Each check passes a sound workload, and catches a defect planted for it."""

import itertools
from dataclasses import replace

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

from algoperf_lite.checks import CheckFailedError, NotApplicableError
from algoperf_lite.checks.workload import CHECKS, check_workload, checks_for
from algoperf_lite.checks.workload.subject import Subject
from algoperf_lite.workload import Metric, Target

BY_NAME = {check.name: check for check in CHECKS}
CALLS = itertools.count()


def jitter(key, batch):
    noise = jax.random.randint(key, batch["inputs"].shape, -2, 3, jnp.int8)
    return batch | {"inputs": batch["inputs"] + noise}


PLAIN = replace(tiny.workload, eval_every=5)
FULL = replace(PLAIN, model=tiny.Net(dropout=0.1, batch_norm=True), augment=jitter)


class HalfPrecision(nn.Module):
    """Parameters and outputs as asked for."""

    params: type = jnp.float32
    outputs: type = jnp.float32

    @nn.compact
    def __call__(self, inputs, train=False, dropout_rate=None):
        dense = nn.Dense(2, param_dtype=self.params)
        return dense(inputs.astype(jnp.float32) / 10).astype(self.outputs)


class Spoilt(tiny.Net):
    """The tiny net with a defect in its outputs."""

    defect: str = ""

    @nn.compact
    def __call__(self, inputs, train=False, dropout_rate=None):
        asked = 0.0 if self.defect == "drops at its own rate alone" else dropout_rate
        outputs = super().__call__(inputs, train, asked)
        if self.defect == "counts its calls":
            outputs += jax.pure_callback(lambda: np.float32(next(CALLS)),
                                         jax.ShapeDtypeStruct((), np.float32))  # fmt: skip
        if self.defect == "mixes rows":
            outputs -= outputs.mean(axis=0)
        if self.defect == "is unsure of nothing":
            outputs *= 100
        if self.defect == "leaves a parameter out":
            outputs += 0 * self.param("unused", nn.initializers.ones, (2,))
        if self.defect == "drops out in evaluation" and dropout_rate is not None:
            outputs *= jax.random.bernoulli(self.make_rng("dropout"), 0.5, outputs.shape)
        if self.defect == "drops at its own rate alone" and train and dropout_rate is None:
            outputs *= jax.random.bernoulli(self.make_rng("dropout"), 0.5, outputs.shape)
        if self.defect == "always drops out" and train:
            outputs *= jax.random.bernoulli(self.make_rng("dropout"), 0.5, outputs.shape)
        if self.defect == "has flax's dropout":
            rate = 0.1 if dropout_rate is None else dropout_rate
            outputs = nn.Dropout(rate, deterministic=not train)(outputs)
        if self.defect == "never updates its statistics":
            outputs = nn.BatchNorm(use_running_average=True)(outputs)
        if self.defect == "does not use its statistics":
            outputs = nn.BatchNorm(use_running_average=False)(outputs)
        return outputs


def spoilt(defect):
    return replace(PLAIN, model=Spoilt(defect=defect))


def measured_by(parts, finish=None):
    metric = Metric("odd", parts) if finish is None else Metric("odd", parts, finish=finish)
    return replace(PLAIN, metrics=(metric,))


def ones(outputs, targets):
    return jnp.ones(len(targets)), jnp.ones(len(targets))


def over_batch_size(outputs, targets):
    return jnp.ones(len(targets)) / len(targets), jnp.ones(len(targets))


def mean_loss(outputs, targets, label_smoothing=0.0):
    sums, counts = tiny.workload.loss(outputs, targets, label_smoothing)
    return sums.mean(), counts.mean()


def with_ids(splits):
    return {name: split | {"ids": split["targets"]} for name, split in splits.items()}


def with_nan(splits):
    return splits | {"test": {"inputs": np.full((3, 4), np.nan), "targets": np.zeros(3)}}


def of_the_batch(key, batch):
    return jitter(jax.random.key(0), batch)


DEFECTS = {
    "sizes": [(tiny.workload, "holds 10 evaluations")],
    "fingerprint": [
        (replace(PLAIN, dataset=replace(PLAIN.dataset, fingerprint="0" * 64)), "mismatch"),
        (replace(PLAIN, dataset=replace(PLAIN.dataset, builder="nowhere:B")), "cannot import"),
    ],
    "data_form": [
        (replace(PLAIN, batch_size=201), "200 rows, fewer than batch_size=201"),
    ],
    "parameters": [(replace(PLAIN, model=HalfPrecision(params=jnp.float16)), "kernel float16")],
    "outputs": [
        (replace(PLAIN, model=HalfPrecision(outputs=jnp.bfloat16)), "bfloat16; cast them"),
        (spoilt("has flax's dropout"), "does not train with a traced dropout_rate"),
    ],
    "determinism": [(spoilt("counts its calls"), "differ by .* between two calls")],
    "batch_independence": [
        (spoilt("mixes rows"), "move by .* with the rest of its batch"),
        (spoilt("does not use its statistics"), "batch norm must use its running statistics"),
    ],
    "loss_form": [(replace(PLAIN, loss=mean_loss), r"must be float32\[8\], one per example")],
    "metrics": [
        (measured_by(lambda o, t: (jnp.ones(2), jnp.ones(2))), "parts of .2. rows"),
        (measured_by(ones, lambda parts: "many"), "finish returns str 'many'"),
    ],
    "target": [
        (replace(PLAIN, target=Target("loss", 0.2, "maximize")), "is it the wrong direction"),
        (replace(PLAIN, target=Target("loss", float("nan"), "minimize")), "value is nan"),
    ],
    "gradients": [(spoilt("leaves a parameter out"), "zero in unused")],
    "initial_loss": [(spoilt("is unsure of nothing"), "over 3 times the 0.6931")],
    "dropout": [
        (spoilt("drops out in evaluation"), "random numbers in evaluation"),
        (spoilt("drops at its own rate alone"), "ignores dropout_rate=0.5"),
        (spoilt("always drops out"), "a rate of 0 must drop nothing"),
    ],
    "batch_norm": [
        (spoilt("never updates its statistics"), "train=True leaves the running statistics"),
        (spoilt("does not use its statistics"), "train=False updates"),
    ],
    "augmentation": [(replace(PLAIN, augment=of_the_batch), "the same batch for two keys")],
    "masking": [(measured_by(over_batch_size), "odd is 0.0625 8 rows padded to 16 and 0.125")],
    "batch_size": [(measured_by(over_batch_size), "odd is 0.0625 16 rows .* and 0.125")],
    "device_count": [(measured_by(ones, lambda parts: float(next(CALLS))), "on 4 devices")],
}
PLANTED = [(name, *defect) for name, defects in DEFECTS.items() for defect in defects]


@pytest.fixture(scope="module")
def load(tiny_splits):
    """The splits at once where they are sound."""

    def of(workload):
        return None if workload.dataset != PLAIN.dataset else lambda _: tiny_splits

    return of


@pytest.fixture(scope="module")
def sound(load):
    return {name: Subject(w, load(w)) for name, w in (("plain", PLAIN), ("full", FULL))}


def test_every_check_has_a_planted_defect():
    assert list(DEFECTS) == list(BY_NAME)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.name)
def test_a_sound_workload_passes(check, sound):
    assert check(sound["full"])
    if check.name in ("dropout", "batch_norm", "augmentation"):
        return
    assert check(sound["plain"])


@pytest.mark.parametrize("name", ["batch_norm", "augmentation"])
def test_what_is_not_there_is_not_applicable(name, sound):
    with pytest.raises(NotApplicableError, match=r"has no|has none"):
        BY_NAME[name](sound["plain"])


@pytest.mark.parametrize(("name", "workload", "message"), PLANTED)
def test_a_planted_defect_is_caught(name, workload, message, load):
    with pytest.raises(CheckFailedError, match=message):
        BY_NAME[name](Subject(workload, load(workload)))


def test_what_failed_is_told_once_and_what_needs_it_is_not_applicable():
    lost = replace(PLAIN, dataset=replace(PLAIN.dataset, builder="nowhere:B"))
    findings = {f.check: f for f in check_workload(lost)}
    assert [name for name, f in findings.items() if f.status == "failed"] == ["fingerprint"]
    assert findings["gradients"].status == "not applicable"
    assert findings["gradients"].detail == "splits failed above"


def test_an_error_of_the_model_is_a_failure_in_one_line(load):
    class Misspelt(nn.Module):
        @nn.compact
        def __call__(self, inputs, training=False):
            return nn.Dense(2)(inputs)

    findings = {f.check: f for f in check_workload(replace(PLAIN, model=Misspelt()), load(PLAIN))}
    assert findings["parameters"].status == "failed"
    assert "unexpected keyword argument 'train'" in findings["parameters"].detail
    assert "\n" not in findings["parameters"].detail


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(with_ids, "'ids', 'inputs', 'targets'.*must return inputs and targets"),
     (with_nan, "test holds NaN or infinity in inputs")],
)  # fmt: skip
def test_data_of_another_form_is_caught(spoil, message, tiny_splits):
    with pytest.raises(CheckFailedError, match=message):
        BY_NAME["data_form"](Subject(PLAIN, lambda _: spoil(tiny_splits)))


def test_a_variant_is_held_to_what_it_can_break():
    harder = PLAIN.with_variant("hard", target=Target("loss", 0.1, "minimize"))
    assert [c.name for c in checks_for(harder, PLAIN)] == ["target"]
    wider = PLAIN.with_variant("wide", model=tiny.Net(width=16))
    names = [c.name for c in checks_for(wider, PLAIN)]
    assert {"gradients", "outputs", "batch_independence"} <= set(names)
    assert "masking" not in names
    assert checks_for(PLAIN, None) == CHECKS
