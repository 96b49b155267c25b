"""How an AlgoPerf submission is named: ``algoperf:PATH.py[,search_space=FILE.json]``. No JAX."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from algoperf_lite.errors import UsageError

PREFIX = "algoperf:"
SEARCH_SPACE = "tuning_search_space.json"
"""The search space beside a submission's file, which is used if no other is named."""
_FORM = f"{PREFIX}PATH.py or {PREFIX}PATH.py,search_space=FILE.json (or =none)"


@dataclass(frozen=True)
class Source:
    """Where an AlgoPerf submission lies.

    Attributes:
        path: of its Python file.
        search_space: of the JSON file with its search space, as named; ``"none"`` for none, and
            None where nothing was said.
    """

    path: Path
    search_space: str | None = None

    @property
    def name(self) -> str:
        """Its name in records.

        The file's stem, but most are called submission.py: then the folder's name, or its parent's
        where the folder is named after the framework.

        Example:
            >>> Source(Path("self_tuning/adamw/jax/submission.py")).name
            'algoperf:adamw'
        """
        stem = self.path.stem
        if stem == "submission":
            folders = [p.name for p in self.path.resolve().parents if p.name not in ("jax", "")]
            stem = folders[0] if folders else stem
        return PREFIX + stem

    @property
    def space_file(self) -> Path | None:
        """The file with its search space; None for a self-tuning submission."""
        if self.search_space is not None:
            return None if self.search_space == "none" else Path(self.search_space)
        beside = self.path.parent / SEARCH_SPACE
        return beside if beside.is_file() else None

    def __str__(self) -> str:
        """As a selector."""
        told = "" if self.search_space is None else f",search_space={self.search_space}"
        return f"{PREFIX}{self.path}{told}"

    def absolute(self) -> Source:
        """The same, whatever the working directory."""
        space = self.search_space
        if space not in (None, "none"):
            space = str(Path(space).resolve())
        return Source(self.path.resolve(), space)

    def without_directory(self) -> Source:
        """Without the folders above the one that names it, as records that are published keep it.

        Example:
            >>> str(Source(Path("/home/me/adamw/jax/submission.py")).without_directory())
            'algoperf:adamw/jax/submission.py'
        """
        path = self.path.resolve()
        depth = 1
        if path.stem == "submission":
            depth = 3 if path.parent.name == "jax" else 2
        kept = Path(*path.parts[-depth:])
        space = self.search_space
        if space not in (None, "none"):
            beside = Path(space).resolve().parent == path.parent
            space = str(kept.parent / Path(space).name if beside else Path(space).name)
        return Source(kept, space)


def parse(base: str) -> Source:
    """Where the submission lies that a selector without its brackets names.

    Raises:
        UsageError: it has another form.

    Example:
        >>> parse("algoperf:adamw/submission.py,search_space=wide.json").search_space
        'wide.json'
    """
    path, *options = base.removeprefix(PREFIX).split(",")
    named = dict(option.partition("=")[::2] for option in options)
    if not path.endswith(".py") or len(options) > 1 or set(named) - {"search_space"}:
        named = path and Path(path).is_dir()
        folder = f"; {path} is a folder: name the file in it" if named else ""
        raise UsageError(f"cannot parse {base!r}: an AlgoPerf submission is {_FORM}{folder}")
    return Source(Path(path), named.get("search_space"))
