"""The benchmark of the report makes records that score; its figures are not judged here."""

from benchmarks import report
from scoring.leaderboard import score


def test_it_weighs_a_report_over_records_that_score(tmp_path):
    found = report.measure(tmp_path, 2, workloads=2, studies=1, trials=2)
    assert found["trials"] == 8
    assert found["bytes"] == (tmp_path / "report.html").stat().st_size > found["plotly_bytes"]
    assert not [p for p in score(tmp_path).problems if "report.html" not in p.path]
    assert any(row.score > 0 for row in score(tmp_path).rows)
