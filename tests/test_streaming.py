from dataclasses import replace

import jax
import numpy as np
import optax
import pytest
import tiny
import toys

from algoperf_lite import dataset, environment
from algoperf_lite.batches import BatchOrder
from algoperf_lite.clock import Clock
from algoperf_lite.engine import Program, SubmissionError
from algoperf_lite.errors import UsageError
from algoperf_lite.loaded import LoadedWorkload
from algoperf_lite.streaming import StreamedSplit, steps_per_piece
from algoperf_lite.submission import OptaxSubmission
from algoperf_lite.window import train_window

SGD = OptaxSubmission(
    lambda hp, task: optax.sgd(hp["learning_rate"], momentum=0.9), default={"learning_rate": 0.05}
)


@pytest.fixture(scope="module")
def streamed_splits(home):
    return dataset.load(tiny.workload.dataset, home / "data", most_train_bytes=0)


def make_program(splits, workload=tiny.workload, submission=SGD, devices=1):
    loaded = LoadedWorkload(workload, splits, jax.devices()[:devices])
    static, traced = submission.split_hyperparameters(submission.default)
    return Program(loaded, submission, static, traced)


def curve(program, steps=35, window=10):
    """Training and validation losses after each window."""
    hp = program.hyperparameters(program.submission.default)
    carry, order = program.init(0, hp), BatchOrder(200, program.batch_size, 0)
    found = []
    for start in range(0, steps, window):
        count = min(window, steps - start)
        carry, evaluated = train_window(Clock(), program, order, carry, count, hp)
        values = program.loaded.evaluator.evaluate(*evaluated, "validation")
        found.append((float(carry.sums["loss"]) / count, values["loss"]))
    return found


def test_only_a_training_split_that_is_too_large_is_streamed(home, streamed_splits):
    train = streamed_splits["train"]
    assert isinstance(train, StreamedSplit)
    assert not isinstance(streamed_splits["validation"], StreamedSplit)
    assert (len(train), train.nbytes) == (200, 200 * 5)
    fits = dataset.load(tiny.workload.dataset, home / "data", most_train_bytes=200 * 5)
    assert not isinstance(fits["train"], StreamedSplit)


def test_rows_are_those_of_the_loaded_split_in_any_order(tiny_splits, streamed_splits):
    rows = np.array([199, 0, 7, 7, 50, 13])
    found = streamed_splits["train"].rows(rows)
    expected = jax.tree.map(lambda a: a[rows], tiny_splits["train"])
    assert all(jax.tree.leaves(jax.tree.map(np.array_equal, found, expected)))


def test_the_fingerprint_is_the_loaded_splits(tiny_splits, streamed_splits):
    found = dataset.fingerprint_arrays(streamed_splits)
    assert found == dataset.fingerprint_arrays(tiny_splits) == tiny.FINGERPRINT


@pytest.mark.parametrize("convolution", [False, True])
@pytest.mark.parametrize("piece_bytes", [10**9, 5 * 20 * 5, 1])
def test_streaming_gives_the_same_curve(
    tiny_splits, streamed_splits, monkeypatch, convolution, piece_bytes
):
    """A piece for each window, for half of it and for each step; with and without a device loop."""
    monkeypatch.setattr("algoperf_lite.streaming.PIECE_BYTES", piece_bytes)
    workload = replace(tiny.workload, model=tiny.Net(convolution=convolution))
    on_device = make_program(tiny_splits, workload)
    streamed = make_program(streamed_splits, workload)
    assert streamed.many_steps == on_device.many_steps == (not convolution)
    np.testing.assert_allclose(curve(streamed), curve(on_device), rtol=1e-6)


def test_streaming_is_data_parallel_too(tiny_splits, streamed_splits):
    np.testing.assert_allclose(
        curve(make_program(streamed_splits, devices=4)), curve(make_program(tiny_splits)), rtol=1e-5
    )


def test_a_submission_that_selects_needs_the_data_on_the_device(streamed_splits):
    selects = toys.plain_sgd(select=lambda indices, state, hp, task, key: indices)
    with pytest.raises(SubmissionError, match="streamed"):
        make_program(streamed_splits, submission=selects)


def test_preprocessing_that_makes_other_rows_cannot_be_streamed():
    class Source:
        def __len__(self):
            return 4

        def __getitems__(self, indices):
            return [{"x": np.full(3, i)} for i in indices]

    split = StreamedSplit("windows", Source(), lambda rows: {"inputs": rows["x"].ravel()})
    with pytest.raises(UsageError, match=r"makes \[6\] rows of 2"):
        split.check_rows_stay_rows()


def test_records_of_one_row_are_read_as_rows():
    class Source:
        def __len__(self):
            return 5

        def __getitems__(self, indices):
            return [{"x": np.array([i, -i]), "label": 10 * i} for i in indices]

    split = StreamedSplit("rows", Source(), lambda r: {"inputs": r["x"], "targets": r["label"]})
    found = split.rows(np.array([4, 0, 4]))
    assert found["inputs"].tolist() == [[4, -4], [0, 0], [4, -4]]
    assert found["targets"].tolist() == [40, 0, 40]
    split.check_rows_stay_rows()


@pytest.mark.parametrize(
    ("window", "batch_bytes", "steps"), [(60, 1, 60), (60, 2**20, 30), (7, 2**24, 1), (4, 2**40, 1)]
)
def test_a_piece_is_a_divisor_of_the_window(window, batch_bytes, steps):
    assert steps_per_piece(window, batch_bytes) == steps


def test_the_limit_can_be_set_and_is_then_part_of_the_environment(monkeypatch):
    default = environment.device_data_bytes()
    assert default > 2**20
    monkeypatch.setenv(environment.DEVICE_DATA_BYTES, "1000")
    assert environment.device_data_bytes() == 1000
    assert environment.describe.__wrapped__(1)["device_data_bytes"] == 1000
    monkeypatch.setenv(environment.DEVICE_DATA_BYTES, "1 GB")
    with pytest.raises(UsageError, match="whole number of bytes"):
        environment.device_data_bytes()
