import subprocess
import sys
from dataclasses import dataclass, replace
from functools import partial

import pytest
import tiny

from algoperf_lite import registry
from algoperf_lite.fingerprint import fingerprint_source
from algoperf_lite.workload import Metric, Target, _model_types
from workloads.images import OfBytes


@dataclass(frozen=True)
class ScaledLoss:
    scale: float

    def __call__(self, outputs, targets, label_smoothing=0.0):
        sums, counts = tiny.workload.loss(outputs, targets, label_smoothing)
        return self.scale * sums, counts


@pytest.mark.parametrize(
    ("direction", "value", "met"),
    [
        ("minimize", 1.0, True), ("minimize", 1.1, False), ("minimize", float("nan"), False),
        ("maximize", 1.0, True), ("maximize", 0.9, False), ("maximize", float("nan"), False),
    ],
)  # fmt: skip
def test_target(direction, value, met):
    assert Target("loss", 1.0, direction).met(value) is met


def test_a_variant_is_a_diff():
    variant = tiny.workload.with_variant("wide", model=replace(tiny.workload.model, width=16))
    assert (variant.name, variant.base, variant.model.width) == ("tiny_wide", "tiny", 16)
    assert variant.fingerprint != tiny.workload.fingerprint
    with pytest.raises(ValueError, match="itself a variant, of tiny"):
        variant.with_variant("again")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size must be a positive int, not 0"),
        ({"eval_every": 101}, "eval_every=101 exceeds step_hint=100"),
        ({"target": Target("f1", 1.0, "maximize")}, r"'f1' is not in \['loss', 'accuracy'\]"),
        ({"metrics": (Metric("loss", len),)}, "repeat a name"),
    ],
)
def test_contradictions_are_refused_with_the_numbers(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(tiny.workload, **changes)


def test_the_fingerprint_covers_what_makes_times_comparable():
    same = replace(tiny.workload, reference="other", eval_batch_size=7)
    assert same.fingerprint == tiny.workload.fingerprint
    prints = [tiny.workload.fingerprint]
    for change in (
        {"batch_size": 7},
        {"loss": ScaledLoss(2.0)},
        {"loss": ScaledLoss(3.0)},
        {"target": Target("loss", 0.1, "minimize")},
    ):
        prints.append(replace(tiny.workload, **change).fingerprint)
    assert len(set(prints)) == len(prints)


def test_code_fingerprints_ignore_comments_docstrings_and_layout():
    a = fingerprint_source('def f(x):\n    """Doc."""\n    return x + 1  # why\n')
    assert a == fingerprint_source("def f( x ):\n\n    return (x + 1)")
    assert a != fingerprint_source("def f(x):\n    return x + 2")


def test_importing_the_package_imports_no_jax():
    imports = "import sys, algoperf_lite, algoperf_lite.study, algoperf_lite.cli.run, scoring"
    code = f"{imports}; print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_only_the_catalog_tier_may_leave_the_fingerprint_to_be_found():
    unstated = replace(tiny.workload.dataset, fingerprint=None)
    with pytest.raises(ValueError, match="states no fingerprint, which only the catalog"):
        replace(tiny.workload, dataset=unstated)
    one = replace(tiny.workload, dataset=unstated, tier="catalog")
    other = replace(one, dataset=replace(unstated, splits={"train": "train[:9]"}))
    assert len({one.fingerprint, other.fingerprint, tiny.workload.fingerprint}) == 3
    assert unstated.identity.startswith("unstated: tiny:Blobs")


def test_why_a_target_is_provisional_changes_no_fingerprint():
    told = replace(tiny.workload.target, provisional="from a paper")
    assert replace(tiny.workload, target=told).fingerprint == tiny.workload.fingerprint


def test_a_target_of_the_users_is_not_provisional():
    assert registry.find_workload("shakespeare_gpt").target.provisional
    assert not registry.find_workload("shakespeare_gpt[target=2]").target.provisional


def test_the_fingerprint_covers_the_code_of_models_within_models():
    assert _model_types(OfBytes(tiny.Net(), (0.0,), (1.0,))) == [OfBytes, tiny.Net]


def test_the_fingerprint_covers_functions_written_in_the_declaration():
    prints = {
        replace(tiny.workload, augment=augment).fingerprint
        for augment in (
            None,
            lambda key, batch: batch,
            lambda key, batch: {**batch, "inputs": -batch["inputs"]},
            partial(scaled, 1.0),
            partial(scaled, 2.0),
        )
    }
    assert len(prints) == 5


def scaled(factor, key, batch):
    return {**batch, "inputs": factor * batch["inputs"]}
