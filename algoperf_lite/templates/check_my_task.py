"""What every workload promises, checked of my_task; run by ``pytest test_my_task.py``."""

from pathlib import Path

import pytest

from algoperf_lite import registry
from algoperf_lite.checks.workload import check_workload

FILE = Path(__file__).with_name("my_task.py")


@pytest.mark.parametrize("workload", registry.workloads_at(FILE), ids=lambda w: w.name)
def test_it_keeps_the_promises_of_a_workload(workload):
    """The checks of ``algoperf-lite check workload``."""
    failed = [f"{f.check}: {f.detail}" for f in check_workload(workload) if f.status == "failed"]
    assert not failed, "\n".join(failed)
