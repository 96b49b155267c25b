"""Space, and the right to use it."""

from dataclasses import replace

import pytest

from algoperf_lite.doctor import disk
from tests.doctor.given import GIB, the

PLACE = disk.Place("home", "/h", "ALGOPERF_LITE_HOME", 50 * GIB, 10**6, True)


@pytest.mark.parametrize(
    ("change", "status", "told"),
    [
        ({}, "ok", "50.0 GiB free at /h"),
        ({"free": GIB // 2}, "warning", "512.0 MiB free"),
        ({"free": 0}, "problem", "0 B free"),
        ({"files": 12}, "problem", "only 12 more files"),
        ({"files": None}, "ok", ""),
        ({"writable": False}, "problem", "/h cannot be written"),
    ],
)
def test_space_and_the_right_to_use_it(change, status, told):
    found = the(disk.judge([replace(PLACE, **change)]), status)
    assert found.check == "disk: home"
    assert told in found.found
    assert status == "ok" or "ALGOPERF_LITE_HOME" in found.mend


def test_a_directory_that_is_yet_to_be_made_is_looked_for_above(tmp_path):
    (tmp_path / "file").write_text("")
    fine, blocked = disk.gather(
        [("home", tmp_path / "a" / "b", "X"), ("results", tmp_path / "file" / "r", "Y")]
    )
    assert fine.writable
    assert fine.free > 0
    assert fine.path == str(tmp_path / "a" / "b")
    assert not blocked.writable
    assert not (tmp_path / "a").exists()
