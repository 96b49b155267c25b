import os

import pytest

from algoperf_lite.errors import UsageError
from algoperf_lite.executors import make_executor
from algoperf_lite.executors.placement import (
    MEMORY_FRACTION,
    Placement,
    placements,
    shares_of_cores,
    shares_of_gpus,
    visible_gpus,
)
from algoperf_lite.executors.pool import Pool


class Named:
    def __init__(self, name):
        self.name, self.closed = name, False

    def call(self, method, arguments, on_event=None):
        return self.name, method, arguments

    def close(self):
        self.closed = True


def test_what_is_asked_of_the_pool_the_first_slot_answers():
    slots = Named("a"), Named("b")
    pool = Pool(slots)
    assert pool.call("describe", {}) == ("a", "describe", {})
    assert pool.slots == slots
    pool.close()
    assert all(slot.closed for slot in slots)


def test_a_pool_is_never_reserved_for_timing():
    with pytest.raises(UsageError, match=r"side by side \(--jobs 2\) cannot be timed"):
        Pool([Named("a"), Named("b")]).reserve("for a run into r")


@pytest.mark.parametrize(("cores", "jobs"), [(1, 1), (2, 2), (7, 3), (2, 5)])
def test_shares_of_cores_are_equal_and_apart_where_there_are_enough(cores, jobs):
    shares = shares_of_cores(range(cores), jobs)
    assert {len(share) for share in shares} == {max(1, cores // jobs)}
    assert len(frozenset.union(*shares)) == min(cores, jobs * max(1, cores // jobs))


@pytest.mark.parametrize(
    ("devices", "jobs", "visible", "fraction"),
    [
        (1, 2, ["0", "1"], None),
        (2, 2, ["0,1", "2,3"], None),
        (None, 2, ["0,1,2,3"] * 2, "0.375"),
        (1, 8, ["0", "1", "2", "3"] * 2, "0.375"),
        (3, 2, ["0,1,2"] * 2, "0.375"),
        (9, 1, ["0,1,2,3"], None),
    ],
)
def test_workers_have_gpus_of_their_own_or_share_their_memory(
    devices, jobs, visible, fraction, monkeypatch
):
    monkeypatch.delenv(MEMORY_FRACTION, raising=False)
    shares = shares_of_gpus("0123", jobs, devices)
    assert [share["CUDA_VISIBLE_DEVICES"] for share in shares] == visible
    assert {share.get(MEMORY_FRACTION) for share in shares} == {fraction}


def test_gpus_are_those_a_worker_would_see(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: H100 (UUID: x)'\necho 'GPU 1: H100 (UUID: y)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == []  # as JAX_PLATFORMS is cpu here
    monkeypatch.delenv("JAX_PLATFORMS")
    assert visible_gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert visible_gpus() == ["3"]


def test_one_worker_has_the_whole_machine():
    assert placements(1) == [Placement()]


def test_where_cores_cannot_be_shared_out_each_worker_has_all(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity")
    shares = placements(3)
    assert shares == [Placement()] * 3
    with shares[0].cores_of_children():
        pass


def test_a_worker_is_on_its_cores_and_says_how_many():
    before = os.sched_getaffinity(0)
    pool = make_executor("process", 1, jobs=len(before))
    try:
        described = pool.call("describe", {"workloads": [], "submissions": []})
        assert described["environment"]["host_threads"] == 1
        assert os.sched_getaffinity(0) == before
    finally:
        pool.close()


@pytest.mark.parametrize("name", ["inline"])
def test_only_processes_run_side_by_side_here(name):
    with pytest.raises(UsageError, match=f"--jobs 2 is for --executor process, not {name}"):
        make_executor(name, jobs=2)
