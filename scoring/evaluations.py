"""Reads the columns that scoring needs from one `eval_measurements.csv`, however damaged."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

_ASCII = bytes(range(128)) + b"?" * 128


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


def read_evaluations(
    path: str, required: Sequence[str], optional: Sequence[str] = ()
) -> Evaluations:
    """Reads some columns of a csv file as numbers.

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
    data = _read(path)
    header, _, body = data.partition(b"\n")
    names = header.decode("utf-8", "replace").removeprefix("\ufeff").strip().split(",")
    for name in required:
        if name not in names:
            raise MalformedError(f"has no column {name!r}: not counted")
    wanted = [*required, *(name for name in optional if name in names)]
    if len(set(names)) < len(names):
        raise MalformedError("has two columns of one name: not counted")
    notes: list[str] = []
    body = _without_cut_tail(body, names, wanted, notes)
    return Evaluations(_parse(body, names, wanted, notes), notes)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        raise MalformedError(f"has no {os.path.basename(path)}: not counted") from None
    except OSError as error:
        raise MalformedError(f"cannot be read ({error.strerror}): not counted") from None
    if not data.strip():
        raise MalformedError("is empty: not counted")
    return data


def _without_cut_tail(body: bytes, names: list[str], wanted: list[str], notes: list[str]) -> bytes:
    whole, newline, tail = body.rpartition(b"\n")
    if not tail.strip():
        return body
    if tail.count(b",") + 1 == len(names) and names[-1] not in wanted:
        return body + b"\n"
    notes.append("the last line is cut: that row is not counted")
    return whole + newline


def _parse(
    body: bytes, names: list[str], wanted: list[str], notes: list[str]
) -> dict[str, np.ndarray]:
    """Columns as float64, by arrow's reader; a field that is no number becomes NaN, with a note."""
    import pyarrow as pa  # noqa: PLC0415

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


def _arrow(body: bytes, names: list[str], wanted: list[str], kind):
    """One pass of arrow's reader: (table, how many rows were skipped)."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import csv  # noqa: PLC0415

    skipped = []

    def skip(row) -> str:
        skipped.append(row)
        return "skip"

    table = csv.read_csv(
        pa.BufferReader(body),
        # Files are small and read side by side: threads inside one would only add cost.
        csv.ReadOptions(use_threads=False, column_names=names, block_size=max(1 << 16, len(body))),
        csv.ParseOptions(quote_char=False, invalid_row_handler=skip),
        csv.ConvertOptions(include_columns=wanted, column_types=dict.fromkeys(wanted, kind)),
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
