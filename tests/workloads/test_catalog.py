"""The catalog tier on archives of made content, prepared by TFDS's own builders."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import made_archives
import numpy as np
import pytest

from algoperf_lite import dataset
from algoperf_lite.batches import BatchOrder
from algoperf_lite.checks.workload import check_workload
from algoperf_lite.cli import invoke
from algoperf_lite.engine import Program
from algoperf_lite.errors import MachineError
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.registry import find_submission
from workloads import cifar10_resnet, cifar10_vit, fashion_mnist_cnn, shakespeare_gpt
from workloads.datasets import catalog
from workloads.images import OfBytes, crop_and_flip


def small(workload, **changes):
    """The workload with a model that compiles in seconds."""
    model = workload.model
    if isinstance(model, OfBytes):
        model = replace(model, model=replace(model.model, **changes))
    else:
        model = replace(model, **changes)
    return replace(workload, model=model)


SMALL = [
    small(cifar10_resnet.workload, width=4, stages=(1, 1)),
    small(cifar10_vit.workload, patch=8, width=16, depth=1, heads=2, hidden=16),
    small(fashion_mnist_cnn.workload, widths=(4, 8), hidden=16),
    small(shakespeare_gpt.workload, width=16, depth=1, heads=2, hidden=32),
]


SMALL_FILE = """
from dataclasses import replace
from workloads.fashion_mnist_cnn import CNN, workload as base

model = replace(base.model, model=CNN((4, 8), 16))
workload = replace(base, name="small", model=model, step_hint=20, eval_every=10)
"""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """``(data directory, what prepare printed)``, in a process of its own for TensorFlow's sake."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow, which prepares the catalog's datasets, is not installed")
    home = tmp_path_factory.mktemp("catalog")
    root = Path(made_archives.__file__).parent.parent
    environment = os.environ | {"ALGOPERF_LITE_HOME": str(home), "PYTHONPATH": str(root)}
    environment |= {"XLA_FLAGS": "", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        [sys.executable, made_archives.__file__, *(w.name for w in SMALL)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return home / "data", json.loads(done.stdout)


@pytest.fixture(scope="session")
def splits_of(prepared):
    """``splits_of(workload)``: read as training reads them."""
    read = {}

    def splits(workload):
        if workload.dataset.name not in read:
            read[workload.dataset.name] = dataset.load(workload.dataset, prepared[0])
        return read[workload.dataset.name]

    return splits


def sorted_rows(labels, images):
    """Rows in an order of their own, as TFDS shuffles them."""
    rows = np.concatenate([labels[:, None], images.reshape(len(images), -1)], axis=1)
    return rows[np.lexsort(rows.T[::-1])]


def test_prepare_reports_each_dataset_once(prepared):
    _, found = prepared
    assert {row["dataset"]: row["rows"] for row in found} == {
        "cifar10": {"train": 270, "validation": 30, "test": 60},
        "fashion_mnist": {"train": 270, "validation": 30, "test": 60},
        "tiny_shakespeare": {"train": 354, "validation": 19, "test": 19},
    }
    assert not any(row["stated"] for row in found)
    assert all(row["bytes"] > 10_000 for row in found)


@pytest.mark.parametrize(
    ("workload", "made", "test_file"),
    [(SMALL[0], made_archives.cifar10, "test_batch.bin"),
     (SMALL[2], made_archives.fashion_mnist, "t10k")],
    ids=["cifar10", "fashion_mnist"],
)  # fmt: skip
def test_images_come_out_of_the_archive_as_they_went_in(splits_of, workload, made, test_file):
    splits = splits_of(workload)
    files = made()
    test = files.pop(test_file)
    train = [np.concatenate(parts) for parts in zip(*files.values(), strict=True)]
    read = [np.concatenate([splits[s][k] for s in ("train", "validation")])
            for k in ("targets", "inputs")]  # fmt: skip
    assert np.array_equal(sorted_rows(*read), sorted_rows(*train))
    held_out = sorted_rows(splits["test"]["targets"], splits["test"]["inputs"])
    assert np.array_equal(held_out, sorted_rows(*test))


def test_windows_of_the_text_come_out_in_order(splits_of):
    train = splits_of(SMALL[3])["train"]
    decoded = "".join(catalog.CHARACTERS[token] for token in train["inputs"].ravel())
    assert decoded == made_archives.SHAKESPEARE[: len(decoded)]
    assert np.array_equal(train["targets"].ravel()[:-1], train["inputs"].ravel()[1:])


def test_reading_needs_no_tensorflow(splits_of):
    for workload in SMALL:
        splits_of(workload)
    assert "tensorflow" not in sys.modules


def test_what_was_found_first_is_what_later_loads_are_held_to(prepared):
    data_dir, found = prepared
    wanted = catalog.TINY_SHAKESPEARE
    row = next(row for row in found if row["dataset"] == wanted.name)
    assert dataset.data_fingerprint(wanted, data_dir) == row["fingerprint"]
    record = next(Path(row["directory"]).glob("found_*.json"))
    kept = record.read_text()
    try:
        record.write_text(kept.replace(row["fingerprint"], "another"))
        with pytest.raises(MachineError, match=r"holds \w{64}, an earlier load found another"):
            dataset.load(wanted, data_dir)
    finally:
        record.write_text(kept)


@pytest.mark.parametrize("workload", SMALL, ids=lambda w: w.name)
def test_it_keeps_the_promises_of_a_workload(workload, splits_of):
    findings = list(check_workload(workload, lambda _: splits_of(workload)))
    assert not [f for f in findings if f.status == "failed"]


@pytest.fixture
def compiled_quickly():
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


# the transformer's data and augmentation are the first's; Fashion-MNIST is trained on below
@pytest.mark.parametrize("workload", [SMALL[0], SMALL[3]], ids=lambda w: w.name)
def test_some_steps_of_training_lower_the_loss(workload, splits_of, compiled_quickly):
    workload = replace(workload, eval_every=10, step_hint=120)
    loaded = LoadedWorkload(workload, splits_of(workload), jax.devices()[:1])
    _, submission, _ = find_submission("nadamw")
    static, traced = submission.split_hyperparameters(submission.default)
    program = Program(loaded, submission, static, traced)
    hp = program.hyperparameters(traced | {"learning_rate": 0.01})
    carry = program.init(0, hp)
    order = BatchOrder(loaded.data.num_train, program.batch_size, 0)
    losses = []
    for start in (0, 10):
        carry = program.advance(carry, program.place(order.window(start, 10)), hp)
        losses.append(float(carry.sums["loss"]) / 10)
    assert losses[1] < losses[0]
    metrics = loaded.evaluator.evaluate(*program.eval_params(carry, hp), "validation")
    assert 0 <= metrics["accuracy"] <= 1


def test_a_trial_records_the_fingerprint_that_was_found(prepared, tmp_path, monkeypatch):
    data_dir, found = prepared
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(data_dir.parent))
    (tmp_path / "small.py").write_text(SMALL_FILE)
    code = invoke(["run", "-w", str(tmp_path / "small.py"), "-s", "nadamw", "--quick",
                   "--max-steps", "20", "--executor", "inline", "--devices", "1",
                   "--results", str(tmp_path / "results")])  # fmt: skip
    assert code == 0
    record = json.loads(next(tmp_path.rglob("trial.json")).read_text())
    assert record["data_fingerprint"] == found[1]["fingerprint"]
    assert record["target"]["provisional"].startswith("not measured here")
    assert record["final"]["validation/loss"] < 2.3


def test_dataset_names_are_the_builders(prepared):
    for wanted in (catalog.CIFAR10, catalog.FASHION_MNIST, catalog.TINY_SHAKESPEARE):
        assert dataset.open_builder(wanted, prepared[0]).name == wanted.name


def test_characters_are_the_65_of_the_text():
    assert len(set(catalog.CHARACTERS)) == 65
    assert sorted(catalog.CHARACTERS) == list(catalog.CHARACTERS)


def test_texts_are_cut_into_windows_and_the_rest_is_left_out():
    text = ("abcdefgh" * 17).encode()  # 136 characters: two windows and the ones after them
    windows = catalog.character_windows({"text": np.array([text, text])})
    assert windows["inputs"].shape == windows["targets"].shape == (4, catalog.CONTEXT)
    assert windows["inputs"].dtype == np.uint8
    first = [catalog.CHARACTERS[token] for token in windows["targets"][0]]
    assert "".join(first).encode() == text[1 : catalog.CONTEXT + 1]


def test_another_text_is_refused():
    with pytest.raises(ValueError, match=r"character b'%' is not one of the 65"):
        catalog.character_windows({"text": np.array([b"a" * 70 + b"%"])})


def test_cropping_shifts_and_flips_and_fills_with_black():
    image = 1 + np.arange(32 * 32, dtype=np.uint8).reshape(32, 32, 1) % 251
    batch = {"inputs": jnp.asarray(np.stack([image] * 64)), "targets": jnp.arange(64)}
    changed = jax.jit(crop_and_flip)(jax.random.key(0), batch)
    assert np.array_equal(changed["targets"], batch["targets"])
    padded = np.pad(image, ((4, 4), (4, 4), (0, 0)))
    views = {(y, x): padded[y : y + 32, x : x + 32] for y in range(9) for x in range(9)}
    seen = {
        (*at, flip)
        for got in np.asarray(changed["inputs"])
        for at, view in views.items()
        for flip in (False, True)
        if np.array_equal(got, view[:, ::-1] if flip else view)
    }
    assert len(seen) > 40  # 64 draws of 162
    assert 0.3 < np.mean([flip for *_, flip in seen]) < 0.7


def test_bytes_are_scaled_to_the_statistics_given():
    class Identity(nn.Module):
        def __call__(self, inputs, train=False, dropout_rate=None):
            del train, dropout_rate
            return inputs

    model = OfBytes(Identity(), mean=(0.0, 0.5), deviation=(1.0, 0.25))
    images = np.full((1, 1, 1, 2), 255, np.uint8)
    assert np.allclose(model.apply({}, images), [1.0, 2.0])
