"""Loading a `Dataset`: prepare once with TFDS, read, preprocess, and check the fingerprint."""

import contextlib
import fcntl
import hashlib
import importlib
import io
import logging
import math
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.fingerprint import fingerprint_code
from algoperf_lite.records import read_json, write_json
from algoperf_lite.streaming import StreamedSplit
from algoperf_lite.workload import Dataset

SPLITS = ("train", "validation", "test")
READ_AT_ONCE = 8192  # records asked of array_record in one call


def load(
    dataset: Dataset, data_dir: Path, selector: str = "NAME", most_train_bytes: float = math.inf
) -> dict[str, Any]:
    """All splits of `dataset` as NumPy arrays, prepared under `data_dir` on first use.

    A training split of more than `most_train_bytes` is not loaded: it comes as a `StreamedSplit`.
    Its fingerprint is computed once, by reading all of it, and then remembered beside the data.

    Datasets of the TFDS catalog are not prepared here: that takes a network and TensorFlow, neither
    of which a process that times training should need. `preparation.prepare` does it.

    Args:
        dataset: what to load.
        data_dir: TFDS data directory; created if absent.
        selector: how the user names its workload, for messages.
        most_train_bytes: what the training split may take, after preprocessing.

    Returns:
        ``{"train" | "validation" | "test": {"inputs": ..., "targets": ...}}``.

    Raises:
        UsageError: its builder cannot be imported.
        MachineError: the directory cannot be written, what it holds cannot be read or does not have
            the fingerprint that the workload states, or a catalog dataset is not prepared.
    """
    builder = open_builder(dataset, data_dir)
    if in_catalog(builder) and not builder.is_prepared():
        raise MachineError(
            f"dataset {dataset.name} is not prepared under {data_dir}."
            f" Prepare it once: algoperf-lite prepare {selector}"
        )
    builder = make_files(dataset, builder, data_dir)
    mend = f"Delete {builder.data_dir} and run again; it is prepared anew."
    try:
        splits = {name: _split(dataset, builder, name, most_train_bytes) for name in SPLITS}
        found = _fingerprint(dataset, builder, splits)
    except UsageError:
        raise
    except Exception as error:  # array_record raises bare C++ status errors of many types
        raise MachineError(
            f"dataset {dataset.name}: cannot read {builder.data_dir}: {error}. {mend}"
        ) from error
    if dataset.fingerprint is None:
        expected, by = _known_fingerprint(dataset, builder, found), "an earlier load found"
    else:
        expected, by = dataset.fingerprint, "the workload states"
    if found != expected:
        raise MachineError(
            f"dataset {dataset.name}: fingerprint mismatch: {builder.data_dir} holds {found},"
            f" {by} {expected}. If you changed the dataset, state the"
            f" new fingerprint in the workload; if not: {mend[0].lower()}{mend[1:]}"
        )
    return splits


def data_fingerprint(dataset: Dataset, data_dir: Path) -> str | None:
    """The stated fingerprint, else what the first load found; None before there was one."""
    if dataset.fingerprint is not None:
        return dataset.fingerprint
    return _known_fingerprint(dataset, open_builder(dataset, data_dir))


def fingerprint_arrays(arrays: Any) -> str:
    """Sha256 over paths, dtypes, shapes and bytes of a pytree of arrays, in path order.

    A `StreamedSplit` counts as the arrays that it would be, which takes a pass over it for each.

    Example:
        >>> fingerprint_arrays({"x": np.zeros(2, np.int8)})[:8]
        '3eafa5a5'
    """
    digest = hashlib.sha256()

    def add(path: tuple, dtype: Any, shape: tuple[int, ...], parts: Iterable[Any]) -> None:
        digest.update(f"{jax.tree_util.keystr(path)} {dtype.str} {shape}\n".encode())
        for part in parts:
            digest.update(np.ascontiguousarray(part).data)

    for path, leaf in jax.tree_util.tree_leaves_with_path(arrays):
        if not isinstance(leaf, StreamedSplit):
            add(path, np.asarray(leaf).dtype, np.shape(leaf), [leaf])
            continue
        for index, (inner, row) in enumerate(jax.tree_util.tree_leaves_with_path(leaf.row_shapes)):
            parts = (jax.tree.leaves(chunk)[index] for chunk in leaf.chunks())
            add((*path, *inner), row.dtype, (len(leaf), *row.shape), parts)
    return digest.hexdigest()


def open_builder(dataset: Dataset, data_dir: Path) -> Any:
    """The dataset's TFDS builder on `data_dir`, whether or not that holds the data yet.

    Raises:
        UsageError: it cannot be imported.
        MachineError: `data_dir` cannot be made.
    """
    import tensorflow_datasets as tfds  # noqa: PLC0415  (a third of a second)

    tfds.disable_progress_bar()
    logging.getLogger("absl").setLevel(logging.ERROR)  # TFDS warns of missing folders and OpenCV
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
    with _disk_errors(dataset, data_dir):
        data_dir.mkdir(parents=True, exist_ok=True)
        return builder_class(data_dir=str(data_dir), file_format="array_record")


def make_files(dataset: Dataset, builder: Any, data_dir: Path) -> Any:
    """A builder that has written its files, if `builder` found none when it was opened.

    One process at a time writes, and others that waited take what it made: with TFDS alone, all but
    the first that is done would fail.

    Raises:
        MachineError: they cannot be written.
    """
    if builder.info.splits:
        return builder
    with contextlib.ExitStack() as stack:
        stack.enter_context(_disk_errors(dataset, Path(builder.data_dir)))
        # TFDS prints what it knows of the size, which is nothing
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        lock = stack.enter_context((data_dir / f".{builder.name}.lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        builder = open_builder(dataset, data_dir)
        builder.download_and_prepare()
    return builder


def in_catalog(builder: Any) -> bool:
    """Whether TFDS ships this builder: preparing it downloads, and needs TensorFlow."""
    return type(builder).__module__.startswith("tensorflow_datasets.")


@contextlib.contextmanager
def _disk_errors(dataset: Dataset, where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"dataset {dataset.name}: cannot prepare it under {where}: {error}."
            " Free space there, or point ALGOPERF_LITE_HOME at a writable directory."
        ) from error


def _known_fingerprint(dataset: Dataset, builder: Any, found: str | None = None) -> str | None:
    """What was found before for these splits and this preprocessing; `found` if it is the first."""
    code = fingerprint_code(sys.modules[dataset.preprocess.__module__])
    what = f"{dataset.identity} {getattr(dataset.preprocess, '__qualname__', '')} {code}"
    file = Path(builder.data_dir) / f"found_{hashlib.sha256(what.encode()).hexdigest()[:16]}.json"
    known = read_json(file)
    if known is None and found is not None:
        known = {"dataset": dataset.name, "fingerprint": found}
        write_json(file, known)
    return known and known["fingerprint"]


def _split(
    dataset: Dataset, builder: Any, name: str, most_train_bytes: float
) -> Mapping[str, Any] | StreamedSplit:
    """One split, loaded or, if it is too large a training split, opened for streaming."""
    if name == "train" and math.isfinite(most_train_bytes):
        source = builder.as_data_source(split=dataset.splits[name])
        block = getattr(builder, "ROWS_PER_RECORD", None)
        split = StreamedSplit(dataset.name, source, dataset.preprocess, block)
        if split.nbytes > most_train_bytes:
            split.check_rows_stay_rows()
            return split
    return dataset.preprocess(_read(builder, dataset.splits[name]))


def _fingerprint(dataset: Dataset, builder: Any, splits: Mapping[str, Any]) -> str:
    """What `fingerprint_arrays` says of the splits; of a streamed one, what it said once."""
    if not isinstance(splits["train"], StreamedSplit):
        return fingerprint_arrays(splits)
    if known := _known_fingerprint(dataset, builder):
        return known
    return _known_fingerprint(dataset, builder, fingerprint_arrays(splits))


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
