"""A finding, and sizes as people read them."""

from pathlib import Path

from algoperf_lite.doctor import versions
from algoperf_lite.doctor.findings import Finding, size


def test_findings_and_sizes():
    assert Finding("a", "ok", "b").mend == ""
    assert size(5 * 2**40) == "5120.0 GiB"
    assert Path(versions.CHECKOUT / "setup.cfg").is_file()
