"""The benchmark of scoring makes logs that score, and prints what it promises."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import scoring
from benchmarks import scoring as benchmark


@pytest.mark.parametrize("recorded", [False, True])
def test_the_made_logs_are_whole_and_reach_most_targets(tmp_path, recorded):
    made = benchmark.make_logs(tmp_path, 1, recorded)
    assert (made["trials"], made["rows"]) == (100, 6000)
    assert made["csv_mb"] / made["rows"] == pytest.approx(225e-6, rel=0.05)
    board = scoring.score(tmp_path, made["suite"], clock="robust" if recorded else "time")
    assert (board.problems, board.complete, board.studies) == ((), True, 5)
    reached = [cell.studies_reached for cell in board.rows[0].cells.values()]
    assert 70 <= sum(reached) < 100


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_figures_are_printed_per_size():
    arguments = ["--json", "--repeats", "1", "--submissions", "1"]
    done = CliRunner().invoke(benchmark.main, arguments, catch_exceptions=False)
    found = json.loads(done.stdout)
    (row,) = found["sizes"]
    assert (row["trials"], row["rows"]) == (100, 6000)
    assert row["seconds"] > row["score_seconds"] > 0
    assert row["seconds"] >= row["least_seconds"] > 0
    assert row["cpu_seconds"] > 0
    assert 20 < row["peak_mb"] < 150  # its own, whatever the process that measures it holds
    assert {"python", "versions", "host_cpu", "host_threads"} <= set(found["environment"])
