"""What two paths ask to be compared: results directories, or submissions of one or two of them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from algoperf_lite.errors import UsageError, unknown_name
from scoring.comparing.comparison import Side
from scoring.walk import is_submission, require_directory


def find_sides(
    a: str | Path,
    b: str | Path,
    submissions: Sequence[str],
    names_in: Callable[[str], Sequence[str]],
) -> tuple[list[tuple[Side, Side]], list[str]]:
    """Which submission is compared with which.

    Two results directories are compared in every submission that both have. A submission's
    directory, `<results>/<submission>`, is compared with another submission's directory, of the
    same results directory or another.

    Args:
        a: the first path.
        b: the second.
        submissions: of two results directories, only these.
        names_in: the names of the submissions in a results directory.

    Returns:
        Pairs, and notes on what has no counterpart.

    Raises:
        UsageError: no such directory, one of each kind, twice the same, nothing in common.
    """
    for path in (a, b):
        require_directory(path)
    kinds = [is_submission(path) for path in (a, b)]
    if kinds[0] != kinds[1]:
        one, other = (a, b) if kinds[0] else (b, a)
        raise UsageError(
            f"{one} is a submission's directory and {other} a results directory: give two of a"
            f" kind, as in {one} {Path(other) / 'NAME'}"
        )
    if os.path.realpath(a) == os.path.realpath(b):
        raise _same(a, b, kinds[0], names_in)
    if kinds[0]:
        if submissions:
            raise UsageError("-s is for two results directories; these paths name submissions")
        return [(_side(a), _side(b))], []
    return _of_results(str(a), str(b), submissions, names_in)


def _of_results(
    a: str, b: str, submissions: Sequence[str], names_in: Callable[[str], Sequence[str]]
) -> tuple[list[tuple[Side, Side]], list[str]]:
    in_a, in_b = names_in(a), names_in(b)
    for name in submissions:
        for where, known in ((a, in_a), (b, in_b)):
            if name not in known:
                raise unknown_name("submission", name, known, where)
    both = [name for name in in_a if name in in_b and (not submissions or name in submissions)]
    if not both:
        raise UsageError(
            f"{a} and {b} have no submission in common ({', '.join(in_a)}; {', '.join(in_b)}):"
            f" give two submissions' directories, as in {Path(a) / in_a[0]} {Path(b) / in_b[0]}"
        )
    notes = []
    for label, own, other in (("A", in_a, in_b), ("B", in_b, in_a)):
        alone = [name for name in own if name not in other]
        if alone and not submissions:
            notes.append(f"only in {label}, not compared: {', '.join(alone)}")
    return [(Side(a, a, name), Side(b, b, name)) for name in both], notes


def _side(path: str | Path) -> Side:
    results, name = os.path.split(os.path.abspath(path))
    # As the user wrote it, where that names the parent too.
    shown = os.path.dirname(os.path.normpath(path))
    return Side(str(path), shown if shown and name == Path(path).name else results, name)


def _same(
    a: str | Path, b: str | Path, submissions: bool, names_in: Callable[[str], Sequence[str]]
) -> UsageError:
    if submissions:
        return UsageError(f"{a} and {b} are the same submission: give another one as B")
    one, other = [*names_in(str(a)), "ONE", "OTHER"][:2]
    return UsageError(
        f"{a} and {b} are the same directory: to compare two submissions of it, give their paths,"
        f" as in {Path(a) / one} {Path(a) / other}"
    )
