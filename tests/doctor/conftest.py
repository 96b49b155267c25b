"""A home of its own for each test that looks at data."""

import shutil

import pytest

from algoperf_lite import registry


@pytest.fixture
def only_tiny(tiny_splits, home, tmp_path, monkeypatch):
    """A home of its own with the tiny workload's data, the tree's workloads out of sight."""
    shutil.copytree(home / "data" / "blobs", tmp_path / "data" / "blobs")
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path))
    monkeypatch.setattr(registry, "all_workloads", list)
    return tmp_path / "data" / "blobs"
