"""A csv file that grows a flushed line at a time, so that a crash leaves whole lines."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from algoperf_lite.errors import unwritable


class Table:
    """A csv file that is written from its header on.

    Args:
        path: of the file; what is there is replaced.
        columns: their names, in order.

    Raises:
        MachineError: it cannot be written; of every method.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = Table(Path(folder, "a.csv"), ["step", "loss"])
        ...     table.append({"step": 1, "loss": 0.5})
        ...     table.widen(["norm"])
        ...     table.append({"step": 2, "norm": 3.0})
        ...     table.path.read_text().split()
        ['step,loss,norm', '1,0.5,', '2,,3.0']
    """

    def __init__(self, path: Path, columns: Sequence[str]):
        self.path = path
        self.columns = list(columns)
        self._write("w", [self.columns])

    def append(self, row: Mapping[str, Any]) -> None:
        """Write a row; columns that it lacks stay empty.

        Raises:
            ValueError: it has one that the table lacks.
        """
        unknown = set(row) - set(self.columns)
        if unknown:
            raise ValueError(f"{self.path}: no such columns: {sorted(unknown)}")
        self._write("a", [[row.get(column, "") for column in self.columns]])

    def widen(self, columns: Iterable[str]) -> None:
        """Add columns at the end, empty in the rows so far; the file is whole at any time."""
        self.columns += columns
        wider = self.path.with_name(f".{self.path.name}")
        try:
            with self.path.open(newline="") as file, wider.open("w", newline="") as other:
                table = csv.DictWriter(other, self.columns, restval="", lineterminator="\n")
                table.writeheader()
                table.writerows(csv.DictReader(file))
            wider.replace(self.path)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def restore(self, text: str) -> None:
        """Put `text` in the place of all that was written."""
        try:
            self.path.write_text(text)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def sync(self) -> None:
        """Wait until all is on the disk."""
        try:
            with self.path.open("a") as file:
                os.fsync(file.fileno())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _write(self, mode: str, rows: Iterable[Sequence[Any]]) -> None:
        try:
            with self.path.open(mode, newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
        except OSError as error:
            raise unwritable(self.path, error) from error
