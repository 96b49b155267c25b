"""A results directory trained again: what reproduces, what does not, what is refused."""

from pathlib import Path

import pytest

from algoperf_lite.errors import UsageError
from algoperf_lite.executors import WorkerLostError
from algoperf_lite.records import EVALUATIONS_FILE
from tests.verifying.tampering import (
    FIRST,
    SECOND,
    Standing,
    edit_record,
    edit_rows,
    only,
    place,
    scale,
)


def content(results):
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in results.rglob("*") if p.is_file()}


def test_what_was_not_touched_reproduces_to_the_bit_and_stays_as_it_is(recorded, verify):
    before = content(recorded)
    found = verify(recorded)
    assert [v.outcome for v in found.verdicts] == ["equal"] * 4
    assert all((v.steps, v.evaluations) == (25, 3) or v.status != "budget_exhausted"
               for v in found.verdicts)  # fmt: skip
    assert found.ok
    assert content(recorded) == before


@pytest.mark.parametrize(
    ("file", "column", "row"),
    [
        (EVALUATIONS_FILE, "validation/accuracy", 1),
        (EVALUATIONS_FILE, "test/loss", -1),
        ("measurements.csv", "train_step/loss", 1),
    ],
)
def test_a_forged_number_is_found_by_training_again(results, verify, file, column, row):
    edit_rows(place(results), scale(column, row, 1 + 1e-9), file)
    found = verify(results)
    forged = only(found)
    assert forged.outcome == "differs"
    assert forged.difference.column == column
    assert forged.difference.step == (20 if row == 1 else forged.steps)
    assert f"from step {forged.difference.step} on: {column} " in forged.reason
    assert not found.ok
    assert only(found, FIRST).outcome == "equal"


def test_an_evaluation_left_out_is_found(results, verify):
    edit_rows(place(results), lambda rows: rows.pop(0))
    assert "are not of the same steps" in only(verify(results, submissions=[SECOND])).reason
    edit_rows(place(results), lambda rows: rows.pop(0), "measurements.csv")
    assert only(verify(results, submissions=[SECOND])).outcome == "differs"


def test_an_earlier_end_than_the_true_one_is_found(results, verify):
    def cut(rows):
        del rows[1:]
        rows[0] |= {"validation/loss": "0.1"} if "score" in rows[0] else {}

    edit_rows(place(results, FIRST), cut)
    edit_rows(place(results, FIRST), cut, "measurements.csv")
    edit_record(place(results, FIRST), status="target_reached", steps=10)
    forged = only(verify(results, submissions=[FIRST]), FIRST)
    assert (forged.outcome, forged.steps) == ("differs", 10)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sample": 0}, "--sample must be at least 1, not 0"),
        ({"tolerance": -1.0}, "--tolerance must be from 0"),
        ({"submissions": ["secnd"]}, "unknown submission 'secnd': did you mean 'second'"),
        ({"workloads": ["tony"]}, "unknown workload 'tony': did you mean 'tiny'"),
    ],
)
def test_bad_requests_are_usage_errors(recorded, verify, settings, message):
    with pytest.raises(UsageError, match=message):
        verify(recorded, **settings)


def test_a_rerun_that_fails_proves_nothing(recorded, verify, executor):
    failing = Standing(executor, trial=WorkerLostError("killed by SIGKILL"))
    found = verify(recorded, sample=1, executor=failing)
    assert [v.outcome for v in found.verdicts] == ["unverifiable"]
    assert found.verdicts[0].reason == "the rerun ended in error: killed by SIGKILL"
    assert not Path(failing.asked["trial"]["results"]).exists()


def test_an_interrupt_ends_it_and_leaves_nothing(recorded, verify, executor):
    failing = Standing(executor, trial=KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        verify(recorded, sample=1, executor=failing)
    assert not Path(failing.asked["trial"]["results"]).exists()
