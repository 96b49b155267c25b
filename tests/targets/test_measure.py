from pathlib import Path

import pytest
import tiny

from algoperf_lite.errors import UsageError
from algoperf_lite.executors.inline import InlineExecutor
from algoperf_lite.targets.measure import measure

TINY = tiny.__file__
SMALL = {"methods": ["nadamw", "nesterov"], "points": 2, "seeds": 3}


@pytest.fixture(scope="module")
def executor():
    return InlineExecutor(devices=1)


@pytest.fixture(scope="module")
def measured(executor, tmp_path_factory):
    """A whole procedure, and where its records are."""
    results = tmp_path_factory.mktemp("targets")
    return measure(TINY, results, executor=executor, **SMALL), results


def test_every_trial_runs_on_to_the_step_hint(measured):
    found, _ = measured
    assert found.complete
    assert [curve[-1][0] for curve in found.curves] == [100] * 3
    assert len({curve[-1] for curve in found.curves}) == 3


def test_the_search_names_its_points_by_selectors_that_can_be_run(measured):
    found, _ = measured
    assert sorted(s.partition("[")[0] for s in found.searched) == ["nadamw"] * 2 + ["nesterov"] * 2
    assert "learning_rate=" in found.winner
    assert found.searched[found.winner] == min(found.searched.values())


def test_algoperfs_target_is_the_median_of_the_winners_best(measured):
    found, _ = measured
    assert found.algoperf_target == sorted(found.winner_best)[1]
    assert found.algoperf_target <= min(value for _, value in found.curves[0])


def test_candidates_are_values_of_the_references_seeds(measured):
    found, _ = measured
    assert found.candidates
    assert all(c.seeds == 3 and c.reached >= 2 for c in found.candidates)


def test_what_is_recorded_is_not_run_again(measured, executor):
    found, results = measured
    started = []
    again = measure(
        TINY, results, executor=executor, **SMALL,
        observe=lambda event: started.append(event) if event["event"] == "start" else None,
    )  # fmt: skip
    assert started == []
    assert again == found


def test_more_seeds_and_points_can_be_asked_for_later(executor, tmp_path):
    few = {"methods": ["nesterov"], "points": 1, "seeds": 3, "executor": executor}
    measure(TINY, tmp_path, **few)
    started = []
    more = measure(
        TINY, tmp_path, **{**few, "points": 2, "seeds": 4},
        observe=lambda event: started.append(event["trial"]) if event["event"] == "start" else None,
    )  # fmt: skip
    assert len(more.curves) == 4
    assert len(more.searched) == 2
    reference = [t for t in started if t["submission_name"] == "nadamw"]
    assert [t["study"] for t in reference] == [3]
    assert len(measure(TINY, tmp_path, **few).curves) == 3


def test_time_that_is_up_leaves_a_measurement_to_go_on_with(executor, tmp_path):
    found = measure(TINY, tmp_path, executor=executor, budget_seconds=0, **SMALL)
    assert (found.complete, found.curves, found.chosen) == (False, [], None)
    assert not list(Path(tmp_path).rglob("trial.json"))


def test_a_target_pasted_later_does_not_make_the_trials_void(executor, tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "import tiny\nfrom dataclasses import replace\nfrom algoperf_lite import Target\n"
        "workload = replace(tiny.workload, name='mine', target=Target('loss', 0.5, 'minimize'))\n"
    )
    found = measure(str(mine), tmp_path / "r", executor=executor, methods=(), points=0, seeds=3)
    mine.write_text(mine.read_text().replace("0.5", "0.4"))
    again = measure(
        str(mine), tmp_path / "r", executor=executor, methods=(), points=0, seeds=3,
        observe=lambda event: pytest.fail("ran again") if event["event"] == "start" else None,
    )  # fmt: skip
    assert again == found


def test_too_few_seeds_are_refused(executor, tmp_path):
    with pytest.raises(UsageError, match="at least 3, not 2"):
        measure(TINY, tmp_path, executor=executor, seeds=2)
