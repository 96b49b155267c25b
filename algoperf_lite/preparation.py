"""Preparing a workload's data ahead of its use: download, write as array_record, check.

The datasets of the tree need neither network nor TensorFlow, and `dataset.load` makes them when
they are first used. Those of the TFDS catalog are downloaded and parsed by TFDS's own builders,
which need both; once prepared, they are read with neither. TFDS compares every archive with the
checksum that it ships. Its downloader waits minutes for a network that is not there, so what is
missing is asked for here first, with little patience.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from algoperf_lite import dataset as datasets
from algoperf_lite import environment, registry
from algoperf_lite.device_data import count_rows
from algoperf_lite.errors import MachineError
from algoperf_lite.streaming import StreamedSplit
from algoperf_lite.workload import Dataset

# TensorFlow greets at length
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
CATALOG_EXTRA = {"tensorflow": "TensorFlow", "importlib_resources": "importlib_resources"}
ANSWER_SECONDS = 5.0  # a server that does not answer in this time is taken for unreachable


@dataclass(frozen=True)
class Prepared:
    """What `prepare` found.

    Attributes:
        workload: the workload's name.
        dataset: its dataset's name.
        directory: where the prepared files are.
        rows: split name to number of examples.
        bytes: size of the prepared files.
        seconds: what preparing and checking took.
        fingerprint: sha256 over all arrays.
        stated: whether the workload states that fingerprint; else it was found here.
    """

    workload: str
    dataset: str
    directory: str
    rows: dict[str, int]
    bytes: int
    seconds: float
    fingerprint: str
    stated: bool


def prepare(workload: str, data_dir: Path | None = None) -> Prepared:
    """Prepare and check the data of a workload.

    Args:
        workload: its selector.
        data_dir: TFDS data directory; by default the user's.

    Returns:
        What there is now.

    Raises:
        UsageError: there is no such workload, or its builder cannot be imported.
        MachineError: TensorFlow, the network or space is missing, an archive has the wrong
            checksum, or the prepared data the wrong fingerprint.
    """
    start = perf_counter()
    found = registry.find_workload(workload)
    wanted, data_dir = found.dataset, data_dir or environment.data_directory()
    builder = datasets.open_builder(wanted, data_dir)
    if datasets.in_catalog(builder) and not builder.is_prepared():
        _check_extra(wanted)
        _check_network(wanted, builder, data_dir)
        _download(wanted, builder, data_dir)
    splits = datasets.load(wanted, data_dir, workload, environment.device_data_bytes())
    directory = Path(builder.data_dir)
    return Prepared(
        workload=found.name,
        dataset=wanted.name,
        directory=str(directory),
        rows={name: _rows(split) for name, split in splits.items()},
        bytes=sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()),
        seconds=perf_counter() - start,
        fingerprint=datasets.data_fingerprint(wanted, data_dir),
        stated=wanted.fingerprint is not None,
    )


def _rows(split: Any) -> int:
    return len(split) if isinstance(split, StreamedSplit) else count_rows(split)


def is_prepared(dataset: Dataset, data_dir: Path) -> bool:
    """Whether a catalog dataset, whose name is its builder's, is there; imports nothing."""
    return any((data_dir / dataset.name).glob("*/dataset_info.json"))


def _check_extra(dataset: Dataset) -> None:
    missing = [CATALOG_EXTRA[name] for name in CATALOG_EXTRA if not importlib.util.find_spec(name)]
    if missing:
        raise MachineError(
            f"dataset {dataset.name}: {' and '.join(missing)} must be installed to prepare it"
            " (not to read it): pip install 'algoperf_lite[catalog]'"
        )


def _check_network(dataset: Dataset, builder: Any, data_dir: Path) -> None:
    """Ask each server once whether it would serve what is not on disk yet."""
    missing = _missing_downloads(builder, data_dir)
    for url in {urlsplit(url).netloc: url for url in missing}.values():
        if problem := _ask(url):
            raise _no_download(dataset, data_dir, missing, f"cannot download {url}: {problem}")


def _missing_downloads(builder: Any, data_dir: Path) -> list[str]:
    """URLs whose content is neither in TFDS's cache of downloads nor put there by hand."""
    from tensorflow_datasets.core.download import resource  # noqa: PLC0415

    downloads = data_dir / "downloads"
    return [
        url
        for url, info in (builder.url_infos or {}).items()
        if not (downloads / "manual" / (info.filename or url)).is_file()
        and not any(downloads.rglob(resource.get_dl_fname(url, info.checksum)))
    ]


def _ask(url: str) -> str | None:
    """Why `url` cannot be had, or None if it can; in a thread, as name lookups know no timeout."""
    answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=lambda: answer.put(_request(url)), daemon=True).start()
    try:
        return answer.get(timeout=2 * ANSWER_SECONDS)
    except queue.Empty:
        return f"no answer within {2 * ANSWER_SECONDS:g} s"


def _request(url: str) -> str | None:
    import requests  # noqa: PLC0415  (TFDS's own way to download)

    try:
        with requests.get(url, stream=True, timeout=ANSWER_SECONDS) as response:
            return None if response.ok else f"the server answers {response.status_code}"
    except requests.ConnectTimeout:
        return f"no connection within {ANSWER_SECONDS:g} s"
    except requests.ConnectionError:
        return f"no connection to {urlsplit(url).hostname}"
    except requests.RequestException as error:
        return str(error)


def _download(dataset: Dataset, builder: Any, data_dir: Path) -> None:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with _download_errors(dataset, builder, data_dir), contextlib.redirect_stdout(io.StringIO()):
        builder.download_and_prepare()


@contextlib.contextmanager
def _download_errors(dataset: Dataset, builder: Any, data_dir: Path) -> Iterator[None]:
    import requests  # noqa: PLC0415
    from tensorflow_datasets.core.download import download_manager, extractor, util  # noqa: PLC0415

    try:
        yield
    except (requests.RequestException, util.DownloadError) as error:
        missing = _missing_downloads(builder, data_dir)
        raise _no_download(dataset, data_dir, missing, f"the download failed: {error}") from error
    except (download_manager.NonMatchingChecksumError, extractor.ExtractError) as error:
        raise MachineError(
            f"dataset {dataset.name}: {error}\nDelete that file under {data_dir / 'downloads'} and"
            " download it again; if it comes out the same, upgrade tensorflow-datasets."
        ) from error
    except OSError as error:
        raise MachineError(
            f"dataset {dataset.name}: cannot prepare it under {data_dir}: {error}."
            " Free space there, or point ALGOPERF_LITE_HOME at another directory."
        ) from error


def _no_download(
    dataset: Dataset, data_dir: Path, missing: list[str], problem: str
) -> MachineError:
    urls = "".join(f"\n    {url}" for url in missing)
    return MachineError(
        f"dataset {dataset.name}: {problem}. One of these helps:\n"
        f"* prepare it on a machine with a network and copy {data_dir / dataset.name} here;\n"
        f"* put these files, under their own names, into {data_dir / 'downloads' / 'manual'}"
        f" and run this again:{urls}"
    )
