"""Memory for the lite suite."""

import pytest

from algoperf_lite.doctor import memory
from tests.doctor.given import GIB, the


@pytest.mark.parametrize(
    ("available", "allowed", "status", "mend"),
    [
        (10 * GIB, 16 * GIB, "ok", ""),
        (2 * GIB, 16 * GIB, "warning", "end what else"),
        (GIB, 16 * GIB, "problem", "end what else"),
        (10 * GIB, GIB, "problem", "container"),
    ],
)
def test_memory_for_the_lite_suite(available, allowed, status, mend):
    found = the(memory.judge(memory.Memory(16 * GIB, available, allowed)), status)
    assert mend in found.mend


def test_memory_is_gathered():
    facts = memory.gather()
    assert 0 < facts.available <= facts.total
    assert 0 < facts.allowed <= facts.total
