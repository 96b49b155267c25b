"""Scoring starts fast because it imports little: checked by name, not by the clock."""

import json
import subprocess
import sys

PROGRAM = """
import json, sys
import scoring
light = sorted(sys.modules)
import scoring.leaderboard
print(json.dumps([light, sorted(sys.modules)]))
"""
NEVER = {"jax", "flax", "optax", "scipy", "tensorflow_datasets", "tensorflow", "pandas"}
LATER = {"matplotlib", "pyarrow", "rich"}


def test_scoring_imports_nothing_heavy():
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    package, leaderboard = map(set, json.loads(shown.stdout))
    assert not package & (NEVER | LATER | {"numpy"})
    assert not leaderboard & (NEVER | LATER)
    ours = {name for name in leaderboard if name.split(".")[0] in ("algoperf_lite", "workloads")}
    light = {"csv_table", "errors", "records"}
    assert ours <= {"algoperf_lite", *(f"algoperf_lite.{name}" for name in light)}


def test_public_names_are_found_lazily():
    import scoring

    for name in scoring.__all__:
        assert callable(getattr(scoring, name))
    assert set(scoring.__all__) <= set(dir(scoring))
    assert not hasattr(scoring, "nonsense")
