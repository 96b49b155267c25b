"""Loading a `Dataset`: prepare once with TFDS, read, preprocess, and check the fingerprint."""

import contextlib
import hashlib
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.workload import Dataset

SPLITS = ("train", "validation", "test")
READ_AT_ONCE = 8192  # records asked of array_record in one call


def load(dataset: Dataset, data_dir: Path) -> dict[str, Any]:
    """All splits of `dataset` as NumPy arrays, prepared under `data_dir` on first use.

    Args:
        dataset: what to load.
        data_dir: TFDS data directory; created if absent.

    Returns:
        ``{"train" | "validation" | "test": {"inputs": ..., "targets": ...}}``.

    Raises:
        UsageError: its builder cannot be imported.
        MachineError: the directory cannot be written, or what it holds cannot be read or does not
            have the fingerprint that the workload states.
    """
    builder = _prepared(dataset, data_dir)
    mend = f"Delete {builder.data_dir} and run again; it is prepared anew."
    try:
        splits = {name: dataset.preprocess(_read(builder, dataset.splits[name])) for name in SPLITS}
    except Exception as error:  # array_record raises bare C++ status errors of many types
        raise MachineError(
            f"dataset {dataset.name}: cannot read {builder.data_dir}: {error}. {mend}"
        ) from error
    found = fingerprint_arrays(splits)
    if found != dataset.fingerprint:
        raise MachineError(
            f"dataset {dataset.name}: fingerprint mismatch: {builder.data_dir} holds {found},"
            f" the workload states {dataset.fingerprint}. If you changed the dataset, state the"
            f" new fingerprint in the workload; if not: {mend[0].lower()}{mend[1:]}"
        )
    return splits


def fingerprint_arrays(arrays: Any) -> str:
    """Sha256 over paths, dtypes, shapes and bytes of a pytree of arrays, in path order.

    Example:
        >>> fingerprint_arrays({"x": np.zeros(2, np.int8)})[:8]
        '3eafa5a5'
    """
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        array = np.ascontiguousarray(leaf)
        digest.update(f"{jax.tree_util.keystr(path)} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def _prepared(dataset: Dataset, data_dir: Path) -> Any:
    import tensorflow_datasets as tfds  # noqa: PLC0415  (a third of a second)

    tfds.disable_progress_bar()
    builder_class = dataset.builder
    if isinstance(builder_class, str):
        module, _, name = builder_class.partition(":")
        try:
            builder_class = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            raise UsageError(
                f"dataset {dataset.name}: cannot import its builder {dataset.builder!r}: {error};"
                " it is 'module:Class', the module importable or beside the workload's file"
            ) from error
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        builder = builder_class(data_dir=str(data_dir), file_format="array_record")
        with contextlib.redirect_stdout(sys.stderr):  # TFDS prints; standard output is for results
            builder.download_and_prepare()
    except OSError as error:
        raise MachineError(
            f"dataset {dataset.name}: cannot prepare it under {data_dir}: {error}."
            " Free space there, or point ALGOPERF_LITE_HOME at a writable directory."
        ) from error
    return builder


def _read(builder: Any, split: str) -> Mapping[str, np.ndarray]:
    """Every row of a split. Our own builders keep blocks of rows in a record."""
    source = builder.as_data_source(split=split)
    blocks: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(source), READ_AT_ONCE):
        for record in source.__getitems__(range(start, min(start + READ_AT_ONCE, len(source)))):
            for feature, value in record.items():
                blocks.setdefault(feature, []).append(value)
    join = np.concatenate if getattr(builder, "ROWS_PER_RECORD", None) else np.stack
    return {feature: join(values) for feature, values in blocks.items()}
