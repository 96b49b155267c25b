"""Data as stated, absent or damaged."""

import shutil
from dataclasses import replace

import pytest
import tiny

from algoperf_lite import registry
from algoperf_lite.doctor import data
from tests.doctor.given import the


def of_tiny():
    return data.in_worker([], {}, [tiny.__file__, tiny.__file__])


def test_data_as_stated_is_ok(only_tiny):
    facts = of_tiny()
    assert [d["state"] for d in facts] == ["ok"]
    found = the(data.judge(facts, only_tiny.parent), "ok")
    assert found.found.startswith("1 datasets read, ")
    assert "1 as stated" in found.found


def test_data_that_is_not_prepared_is_a_note_and_stays_so(only_tiny):
    shutil.rmtree(only_tiny)
    facts = of_tiny()
    assert "blobs" in the(data.judge(facts, only_tiny.parent), "note").found
    assert not only_tiny.exists()
    shutil.rmtree(only_tiny.parent)
    assert of_tiny() == [d | {"seconds": 0.0} for d in facts]
    assert not only_tiny.parent.exists()


@pytest.mark.parametrize("damage", ["array_record", "dataset_info.json"])
def test_damaged_data_is_a_problem_with_the_mend(only_tiny, damage):
    (file, *_) = sorted(f for f in only_tiny.rglob("*") if damage in f.name)
    content = bytearray(file.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    file.write_bytes(content)
    found = the(data.judge(of_tiny(), only_tiny.parent), "problem")
    assert "dataset blobs: " in found.found
    assert "Delete" not in found.found
    assert f"delete {only_tiny}, then: algoperf-lite prepare {tiny.__file__}" in found.mend


def test_data_of_another_fingerprint_is_a_problem(only_tiny, monkeypatch):
    other = replace(tiny.workload.dataset, fingerprint="0" * 64)
    monkeypatch.setattr(registry, "find_workload", lambda _: replace(tiny.workload, dataset=other))
    found = the(data.judge(of_tiny(), only_tiny.parent), "problem")
    assert "fingerprint mismatch" in found.found
    assert found.found.endswith("0" * 64 + ".")
