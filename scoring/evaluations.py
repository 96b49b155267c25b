"""Reads the columns that scoring needs from `eval_measurements.csv` files, however damaged.

Files are small and many, so most of the cost of reading them one by one is the start of the parser.
`read_many` therefore parses files with the same header in one go, and goes back to one at a time
where anything is odd; both ways give the same.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, islice, pairwise
from typing import NamedTuple

import numpy as np

_ASCII = bytes(range(128)) + b"?" * 128
# Enough that the parser's start no longer counts, little enough to be held twice in memory.
_BATCH_FILES = 128


class MalformedError(Exception):
    """A file of a trial that cannot be used at all; the message says why."""


@dataclass
class Evaluations:
    """Columns of one csv, a value per readable row.

    Attributes:
        columns: name -> float64 array of shape [rows]; NaN where the field is empty.
        notes: what was wrong with the file, and what became of it.
    """

    columns: Mapping[str, np.ndarray]
    notes: list[str] = field(default_factory=list)


class Request(NamedTuple):
    """A file to read, and which of its columns.

    Attributes:
        path: the file.
        required: columns that must be there.
        optional: columns that are read if they are there.
        sha256: hexadecimal digest that the file must have, or None.
    """

    path: str
    required: Sequence[str]
    optional: Sequence[str] = ()
    sha256: str | None = None


class _File(NamedTuple):
    """A file in memory: its column names, those to read, its whole lines, what was odd."""

    names: tuple[str, ...]
    wanted: tuple[str, ...]
    body: bytes
    notes: list[str]


def read_evaluations(
    path: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Evaluations:
    """Reads some columns of one csv file as numbers.

    Rows with too few or too many fields are skipped, and so is a last line without its newline
    if a column that is read could have been cut: a cut "0.0859" reads "0.0", which would turn a
    miss into a hit.

    Args:
        path: the file.
        required: columns that must be there.
        optional: columns that are read if they are there.

    Raises:
        MalformedError: no such file, an empty one, or a required column is missing.
    """
    file = _load(Request(path, required, optional))
    return Evaluations(_parse(file), file.notes)


def read_many(requests: Iterable[Request]) -> list[Evaluations | MalformedError]:
    """Reads many csv files at once, as `read_evaluations` reads each.

    Args:
        requests: the files, best with those of one workload beside each other. Files are read
            while the next requests are still being made.

    Returns:
        For each request its evaluations, or the error that reading it alone would raise.
    """
    remaining = iter(requests)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        batches = []
        while batch := list(islice(remaining, _BATCH_FILES)):
            batches.append(pool.submit(_read_batch, batch))
        return [result for batch in batches for result in batch.result()]


def _read_batch(requests: Sequence[Request]) -> list[Evaluations | MalformedError]:
    results: list[Evaluations | MalformedError | None] = [None] * len(requests)
    alike: dict[tuple, list[tuple[int, _File]]] = {}
    for i, request in enumerate(requests):
        try:
            file = _load(request)
            if _is_plain(file):
                alike.setdefault((file.names, file.wanted), []).append((i, file))
            else:
                results[i] = Evaluations(_parse(file), file.notes)
        except MalformedError as error:
            results[i] = error
    for group in alike.values():
        files = [file for _, file in group]
        for (i, _), result in zip(group, _together(files), strict=True):
            results[i] = result
    return results


def _load(request: Request) -> _File:
    data = _read(request.path)
    if request.sha256 is not None:
        import hashlib  # noqa: PLC0415

        if hashlib.sha256(data).hexdigest() != request.sha256:
            raise MalformedError("has changed since the trial ended: not counted; restore it")
    header, _, body = data.partition(b"\n")
    names, wanted = _columns(header, tuple(request.required), tuple(request.optional))
    notes: list[str] = []
    return _File(names, wanted, _without_cut_tail(body, names, wanted, notes), notes)


@lru_cache(maxsize=64)  # the files of a workload have the same header
def _columns(
    header: bytes, required: tuple[str, ...], optional: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of all columns, and of those to read."""
    names = header.decode("utf-8", "replace").removeprefix("\ufeff").strip().split(",")
    for name in required:
        if name not in names:
            raise MalformedError(f"has no column {name!r}: not counted")
    if len(set(names)) < len(names):
        raise MalformedError("has two columns of one name: not counted")
    return tuple(names), (*required, *(name for name in optional if name in names))


def _read(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read()
    except FileNotFoundError:
        raise MalformedError(f"has no {os.path.basename(path)}: not counted") from None
    except OSError as error:
        raise MalformedError(f"cannot be read ({error.strerror}): not counted") from None
    if not data or data.isspace():
        raise MalformedError("is empty: not counted")
    return data


def _without_cut_tail(
    body: bytes, names: Sequence[str], wanted: Sequence[str], notes: list[str]
) -> bytes:
    whole, newline, tail = body.rpartition(b"\n")
    if not tail.strip():
        return body
    if tail.count(b",") + 1 == len(names) and names[-1] not in wanted:
        return body + b"\n"
    notes.append("the last line is cut: that row is not counted")
    return whole + newline


def _is_plain(file: _File) -> bool:
    """Whether no row ends but at a newline, so that rows of several files can be told apart again.

    A newline that ends no row, as a blank line has, shows in their number, see `_together`.
    """
    return file.body.endswith(b"\n") and b"\r" not in file.body and file.body.isascii()


def _together(files: Sequence[_File]) -> list[Evaluations | MalformedError]:
    """Parses files of the same columns in one go; one by one if that finds anything odd."""
    import pyarrow as pa  # noqa: PLC0415

    names, wanted = files[0].names, files[0].wanted
    rows = [file.body.count(b"\n") for file in files]
    try:
        table, skipped = _arrow(b"".join(f.body for f in files), names, wanted, pa.float64())
    except pa.ArrowInvalid:
        table, skipped = None, 0
    if table is None or skipped or len(table) != sum(rows):
        return [_alone(file) for file in files]
    columns = {name: table[name].to_numpy() for name in wanted}
    ends = accumulate(rows, initial=0)
    return [
        Evaluations({name: column[start:end] for name, column in columns.items()}, file.notes)
        for file, (start, end) in zip(files, pairwise(ends), strict=True)
    ]


def _alone(file: _File) -> Evaluations | MalformedError:
    try:
        return Evaluations(_parse(file), file.notes)
    except MalformedError as error:
        return error


def _parse(file: _File) -> dict[str, np.ndarray]:
    """Columns as float64, by arrow's reader; a field that is no number becomes NaN, with a note."""
    import pyarrow as pa  # noqa: PLC0415

    names, wanted, body, notes = file
    if not body.isascii():
        # Arrow hands skipped rows over as text and stumbles over bytes that are none.
        body = body.translate(_ASCII)
    if not body.strip():
        return {name: np.empty(0) for name in wanted}
    try:
        table, skipped = _arrow(body, names, wanted, pa.float64())
        columns = {name: table[name].to_numpy() for name in wanted}
    except pa.ArrowInvalid:
        try:
            table, skipped = _arrow(body, names, wanted, pa.binary())
        except pa.ArrowInvalid as error:
            raise MalformedError(f"is no csv ({error}): not counted") from None
        columns = {name: _numbers(table[name].to_pylist(), name, notes) for name in wanted}
    if skipped:
        rows = "1 row has" if skipped == 1 else f"{skipped} rows have"
        notes.append(f"{rows} not {len(names)} fields: skipped")
    return columns


def _arrow(body: bytes, names: Sequence[str], wanted: Sequence[str], kind):
    """One pass of arrow's reader: (table, how many rows were skipped)."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    skipped = []

    def skip(row) -> str:
        skipped.append(row)
        return "skip"

    table = csv.read_csv(
        pa.BufferReader(body),
        # Batches are read side by side: threads inside one would only add cost.
        csv.ReadOptions(
            use_threads=False, column_names=list(names), block_size=max(1 << 16, len(body))
        ),
        csv.ParseOptions(quote_char=False, invalid_row_handler=skip),
        csv.ConvertOptions(include_columns=list(wanted), column_types=dict.fromkeys(wanted, kind)),
    )
    return table, len(skipped)


def _numbers(fields: list[bytes], name: str, notes: list[str]) -> np.ndarray:
    numbers = np.full(len(fields), np.nan)
    unreadable = 0
    for i, text in enumerate(fields):
        try:
            # Python alone reads "1_0" as ten.
            numbers[i] = float(text) if text and b"_" not in text else np.nan
        except ValueError:
            unreadable += 1
    if unreadable:
        what = "1 value is" if unreadable == 1 else f"{unreadable} values are"
        notes.append(f"{what} no number in column {name!r}: not counted")
    return numbers
