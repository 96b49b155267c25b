from pathlib import Path
from types import SimpleNamespace

import longest


def test_the_longest_files_come_first_and_others_keep_their_order():
    others = ["tests/a/test_conformance.py", "tests/test_b.py", "tests/a/test_b.py"]
    items = [SimpleNamespace(path=Path("/somewhere") / name) for name in
             [others[0], longest.LONGEST[1], *others[1:], *longest.LONGEST[::-1]]]  # fmt: skip
    longest.longest_first(items)
    first = [longest.LONGEST[0], *longest.LONGEST[1:2] * 2, *longest.LONGEST[2:]]
    assert [str(item.path.relative_to("/somewhere")) for item in items] == first + others


def test_they_are_there():
    root = Path(__file__).parent.parent
    assert [name for name in longest.LONGEST if not (root / name).is_file()] == []


def test_processes_take_files_in_that_order(pytestconfig):
    assert not getattr(pytestconfig.option, "loadscopereorder", False)
