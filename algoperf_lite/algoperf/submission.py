"""A submission written for AlgoPerf, as one of ours: how it is found, and what it declares."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from algoperf_lite.algoperf.loading import load
from algoperf_lite.algoperf.selector import Source, parse
from algoperf_lite.errors import UsageError
from algoperf_lite.registry import parse_selector
from algoperf_lite.submission import Hyperparameters, Submission
from algoperf_lite.tuning import check_space


@dataclass(frozen=True, kw_only=True)
class AlgoperfSubmission(Submission):
    """A submission written for AlgoPerf, which `program.HostProgram` runs.

    All its hyperparameters are plain Python values to it. Its default point, that of ``--quick``
    runs, is the middle of its search space, or the first point of one that is a list.

    Attributes:
        source: where its files are.
    """

    source: Source

    def _is_traced(self, name: str, value: Any) -> bool:
        del name, value
        return False


def find(text: str) -> tuple[str, AlgoperfSubmission, str]:
    """The submission that a selector names; what `registry.find_submission` says of any.

    Returns:
        Its name in records, the submission, and the fingerprint of its code, its search space and
        the values in brackets.

    Raises:
        UsageError: there is no such file, or it, its search space or a value is at fault.
    """
    selector = parse_selector(text)
    source = parse(selector.base)
    code = load(source.path).fingerprint
    space = _read_space(source.space_file)
    default = _middle(space) if space else {}
    if space:
        check_space(space, default, str(source.space_file))
    submission = AlgoperfSubmission(
        source=source, default=default, search_space=space, ruleset="external" if space else "self"
    )
    try:
        submission = submission.fix(selector.params)
    except UsageError as error:
        raise UsageError(f"{text}: {error}") from error
    submission = replace(submission, static=tuple(submission.default))
    parts = f"{code} {json.dumps(space)} {sorted(selector.params.items())}"
    params = ",".join(f"{key}={value}" for key, value in selector.params.items())
    name = f"{source.name}[{params}]" if params else source.name
    return name, submission, hashlib.sha256(parts.encode()).hexdigest()


def _read_space(path: Path | None) -> Any:
    """A search space as AlgoPerf's JSON has it; None without a file."""
    if path is None:
        return None
    try:
        space = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(
            f"cannot read the search space {path}: {error.strerror}; name another with"
            " search_space=FILE.json, or search_space=none for a self-tuning submission"
        ) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not JSON ({error}); mend it") from error
    if not space or not isinstance(space, Mapping | list):
        raise UsageError(
            f"{path}: a search space is a non-empty object of entries or a non-empty list of"
            " points; for a self-tuning submission give search_space=none"
        )
    return space


def _middle(space: Mapping[str, Any] | Sequence[Hyperparameters]) -> dict[str, Any]:
    """The point of a search space that a single trial takes; malformed entries give None.

    Example:
        >>> _middle({"lr": {"min": 1e-4, "max": 1e-2, "scaling": "log"},
        ...          "b2": {"feasible_points": [0.9, 0.99, 0.999]}})
        {'lr': 0.001, 'b2': 0.99}
    """
    if not isinstance(space, Mapping):
        return dict(space[0]) if isinstance(space[0], Mapping) else {}
    return {name: _middle_of(entry) for name, entry in space.items()}


def _middle_of(entry: Any) -> Any:
    try:
        if "feasible_points" in entry:
            points = entry["feasible_points"]
            return points[(len(points) - 1) // 2]
        low, high = entry["min"], entry["max"]
        if entry["scaling"] == "log":
            return float(f"{math.sqrt(low * high):.6g}")
        return (low + high) / 2
    except (TypeError, KeyError, IndexError, ValueError):
        return None  # `check_space` says what is wrong
