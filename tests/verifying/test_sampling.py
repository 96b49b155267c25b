"""Which trials are drawn, and what is told of those that are not."""

from collections import Counter

import pytest

from algoperf_lite.errors import UsageError
from algoperf_lite.records import TRIAL_FILE
from algoperf_lite.verifying.sampling import Candidate, draw
from scoring.walk import TrialPath
from tests.verifying.tampering import FIRST, SECOND, edit_record, edit_rows, place, scale


def candidates(*names):
    return [Candidate(TrialPath(s, study, w, 1, "p"), {})
            for s in names for w in "xyz" for study in range(3)]  # fmt: skip


def test_a_draw_meets_all_before_any_twice():
    for seed in range(20):
        drawn = [c.where for c in draw(candidates(*"abc"), 9, seed)]
        assert {w.submission for w in drawn[:3]} == set("abc")
        assert {w.workload for w in drawn[:3]} == set("xyz")
        assert set(Counter(w.submission for w in drawn).values()) == {3}
        assert set(Counter(w.workload for w in drawn).values()) == {3}


def test_a_draw_depends_on_the_seed_and_not_on_order():
    draws = [draw(candidates(*"abc"), 4, seed) for seed in range(10)]
    assert len({tuple(c.where.identity for c in one) for one in draws}) > 5
    assert draw(candidates(*"abc")[::-1], 4, 3) == draws[3]
    assert len(draw(candidates("a"), 100, 0)) == 9


def test_a_sample_is_drawn_from_a_seed_and_told(recorded, verify):
    events = []
    found = verify(recorded, sample=1, seed=5, submissions=[SECOND], observe=events.append)
    again = verify(recorded, sample=1, seed=5, submissions=[SECOND])
    assert found == again
    assert [(v.submission, v.outcome) for v in found.verdicts] == [(SECOND, "equal")]
    assert events[0] == {"event": "sample", "drawn": 1, "trials": 2, "seed": 5}
    assert [e["event"] for e in events if e["event"] != "progress"] == [
        "sample", "plan", "start", "done"]  # fmt: skip


def test_altered_records_are_told_of_though_not_drawn(results, verify):
    edit_rows(place(results), scale("validation/loss", 0, 0.5), seal=False)
    edit_record(place(results, FIRST), status="target_reached")
    edit_record(place(results, SECOND, 1), steps=24)
    found = verify(results, sample=2, seed=0)
    reasons = {(v.submission, v.study): v.reason for v in found.verdicts if v.outcome == "altered"}
    assert "has changed since the trial ended" in reasons[SECOND, 0]
    assert "no row meets the target, but trial.json says target_reached" in reasons[FIRST, 0]
    assert reasons[SECOND, 1] == "it says 24 steps, its evaluations end at 25"
    assert not found.ok


def test_what_does_not_score_is_left_out(results, verify):
    for study in (0, 1):
        edit_record(place(results, SECOND, study), status=("error", "stopped")[study])
    found = verify(results, submissions=[SECOND])
    assert (found.trials, found.left_out, found.verdicts) == (0, {"error": 1, "stopped": 1}, ())
    assert not found.ok


def test_logs_of_algoperf_are_refused(results, verify):
    for record in results.rglob(TRIAL_FILE):
        record.unlink()
    (results / "suite.json").unlink()
    with pytest.raises(UsageError, match="AlgoPerf's own logs"):
        verify(results)
    with pytest.raises(UsageError, match="no such results directory"):
        verify(results / "nowhere")
