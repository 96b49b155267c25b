from dataclasses import replace

import pytest

from algoperf_lite.executors import WorkerLostError
from algoperf_lite.records import TRIAL_FILE, read_json, write_json
from algoperf_lite.running import batches, run_batch, run_trial
from algoperf_lite.spec import TrialSpec

DESCRIBED = {"workloads": [{"selector": "w", "target": {"metric": "loss"}}], "environment": {}}


def spec(trial, **point):
    return TrialSpec("r", "sgd", "sgd", "f", "w", "w", "f", "external", 0, trial, point, 7,
                     max_steps=10)  # fmt: skip


def numbers(found):
    return [[s.trial for s in batch] for batch in found]


@pytest.mark.parametrize(
    ("count", "most", "sizes"), [(8, 4, [4, 4]), (9, 4, [3, 3, 3]), (5, 4, [2, 3]), (1, 4, [1])]
)
def test_batches_are_of_about_one_size(count, most, sizes):
    found = batches([spec(k, lr=k / 10) for k in range(count)], most, {"sgd": ()})
    assert [len(batch) for batch in found] == sizes
    assert [trial for batch in numbers(found) for trial in batch] == list(range(count))


def test_points_are_grouped_by_what_is_not_traced():
    specs = [
        spec(1, lr=0.1, schedule="cosine", layers=2),
        spec(2, lr=0.2, schedule="rex", layers=2),
        spec(3, lr=0.3, schedule="cosine", layers=2),
        spec(4, lr=0.4, schedule="cosine", layers=3),
        spec(5, lr=0.5, schedule="rex", layers=2, floor=0.1),
    ]
    assert numbers(batches(specs, 4, {"sgd": ("layers",)})) == [[1, 3], [2], [4], [5]]
    assert numbers(batches(specs, 4, {"sgd": ()})) == [[1, 3, 4], [2], [5]]


class Losing:
    """An executor whose worker is lost after it did something, with what it left running."""

    def __init__(self, do, left=()):
        self._do, self._left = do, list(left)

    def call(self, method, arguments, on_event):
        self._do()
        if self._left:
            on_event({"left_running": self._left})
        raise WorkerLostError("lost")


def lost_trial(tmp_path, content=None, left=(), before=None):
    """The record of a trial whose worker is lost after it wrote `content` as trial.json."""
    trial = replace(spec(1, lr=0.1), results=str(tmp_path))
    file = trial.directory / TRIAL_FILE
    if before is not None:
        write_json(file, trial.identity() | before)
    mine = None if content is None else trial.identity() | content

    def do():
        if mine is not None:
            write_json(file, mine)

    record = run_trial(trial, DESCRIBED, Losing(do, left), lambda event: None)
    assert read_json(file) == record
    return record


DONE = {"status": "target_reached", "reason": None, "evaluations_sha256": "d"}


def test_a_record_that_was_complete_when_the_worker_was_lost_stands(tmp_path):
    found = lost_trial(tmp_path, DONE)
    assert (found["status"], found["reason"]) == ("target_reached", None)


def test_what_a_lost_worker_left_running_voids_its_complete_record(tmp_path):
    found = lost_trial(tmp_path, DONE, left=["sleep 60"])
    assert found["status"] == "invalid"
    assert found["reason"] == "left 1 process running after it ended: sleep 60; killed"


@pytest.mark.parametrize(
    ("content", "before"),
    [
        (None, None),
        (None, DONE),  # of another attempt
        (DONE | {"status": "interrupted"}, None),
        (DONE | {"seed": 8}, None),  # of another trial
        (DONE | {"status": "fine"}, None),
        ({"status": "target_reached"}, None),
        (DONE | {"schema": 99}, None),  # as it cannot be read
    ],
)
def test_a_lost_worker_left_no_record_that_counts(tmp_path, content, before):
    found = lost_trial(tmp_path, content, ["sleep 60"], before)
    assert (found["status"], found["reason"], found["seed"]) == ("error", "lost", 7)


def test_of_trials_in_one_program_the_complete_ones_stand(tmp_path):
    trials = [replace(spec(k, lr=0.1), results=str(tmp_path)) for k in (1, 2)]
    executor = Losing(lambda: write_json(trials[0].directory / TRIAL_FILE,
                                         trials[0].identity() | DONE))  # fmt: skip
    found = run_batch(trials, DESCRIBED, executor, lambda event: None)
    assert [record["status"] for record in found] == ["target_reached", "error"]
