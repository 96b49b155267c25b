from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import tiny

from algoperf_lite import dataset
from algoperf_lite.errors import MachineError, UsageError
from workloads.datasets.blocks import BlockBuilder


def test_what_is_read_is_what_was_made(tiny_splits):
    made = tiny.make_arrays()
    for split in ("train", "validation", "test"):
        assert np.array_equal(tiny_splits[split]["inputs"], made[split]["x"])
        assert np.array_equal(tiny_splits[split]["targets"], made[split]["label"])


def test_a_corrupt_cache_names_both_fingerprints_and_the_mend(tmp_path):
    wrong = replace(tiny.workload.dataset, fingerprint="stated")
    with pytest.raises(MachineError, match=r"holds \w{64}, the workload states stated") as caught:
        dataset.load(wrong, tmp_path)
    assert "state the new fingerprint in the workload" in str(caught.value)
    assert f"delete {tmp_path}/blobs/1.0.0 and run again" in str(caught.value)


def test_a_builder_that_cannot_be_imported_is_a_usage_error(tmp_path):
    for builder in ("no_such_module:Builder", "tiny:NoSuchBuilder"):
        lost = replace(tiny.workload.dataset, builder=builder)
        with pytest.raises(UsageError, match="cannot import its builder"):
            dataset.load(lost, tmp_path)


def test_a_dataset_that_another_made_meanwhile_is_taken(tmp_path):
    blobs = tiny.workload.dataset
    first, second = (dataset.open_builder(blobs, tmp_path) for _ in range(2))
    for builder in (first, second):  # neither had found it
        made = dataset.make_files(blobs, builder, tmp_path)
        assert len(made.as_data_source(split="train")) == 20
    file = next(tmp_path.rglob("*train.array_record*"))
    assert dataset.make_files(blobs, made, tmp_path) is made and file.exists()


@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_damaged_files_are_a_machine_error_with_the_mend(tmp_path, damage):
    dataset.load(tiny.workload.dataset, tmp_path)
    file = next(tmp_path.rglob("*train.array_record*"))
    data = bytearray(file.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
        file.write_bytes(data)
    elif damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    else:
        file.unlink()
    with pytest.raises(MachineError, match=r"Delete .* and run again"):
        dataset.load(tiny.workload.dataset, tmp_path)


def test_a_directory_that_cannot_be_made_is_a_machine_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="point ALGOPERF_LITE_HOME at a writable"):
        dataset.load(tiny.workload.dataset, tmp_path / "file" / "data")


def test_fingerprints_cover_names_types_shapes_and_values():
    base = {"x": np.arange(4, dtype=np.int8)}
    others = [
        {"y": base["x"]},
        {"x": base["x"].astype(np.uint8)},
        {"x": base["x"].reshape(2, 2)},
        {"x": base["x"] + 1},
    ]
    prints = {dataset.fingerprint_arrays(a) for a in [base, *others]}
    assert len(prints) == 5


def test_rows_that_do_not_fill_blocks_are_refused(tmp_path):
    class Odd(BlockBuilder, skip_registration=True):
        """Seven rows in blocks of five."""

        VERSION = "1.0.0"
        FEATURES: ClassVar = {"x": ((), np.int8)}
        ROWS_PER_RECORD = 5

        def arrays(self):
            return {"train": {"x": np.zeros(7, np.int8)}}

    with pytest.raises(ValueError, match="7 rows do not divide into blocks of 5"):
        Odd(data_dir=str(tmp_path), file_format="array_record").download_and_prepare()
