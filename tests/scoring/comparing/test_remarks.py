"""What a reader must know beside the marks."""

import hashlib
import json

from scoring.comparing.compare import compare
from tests.scoring import made_logs
from tests.scoring.comparing.made_comparisons import TIMES, record, write


def test_other_seeds_are_noted(tmp_path):
    old, new = write(tmp_path / "old", {"a": TIMES}), write(tmp_path / "new", {"a": TIMES}, seed=7)
    (found,) = compare(old, new).comparisons
    assert found.notes == ("trials that are paired have different seeds: pairing gains little",)


def test_trials_that_were_timed_badly_are_counted(tmp_path):
    old, new = write(tmp_path / "old", {"a": TIMES}), write(tmp_path / "new", {"a": TIMES})
    path = made_logs.trial_dir(new, "one", "a", 2) / "trial.json"
    path.write_text(json.dumps({"schema": 1, **record(2, drifted=True, noisy=True)}))
    (found,) = compare(old, new).comparisons
    assert found.notes == (
        "timed while the machine's speed changed (noisy or drifted):"
        " 0 of 4 trials of A, 1 of 4 of B",
    )


def test_trials_on_a_host_loop_are_counted(tmp_path):
    old, new = write(tmp_path / "old", {"a": TIMES}), write(tmp_path / "new", {"a": TIMES})
    for study in (1, 2):
        path = made_logs.trial_dir(new, "one", "a", study) / "trial.json"
        path.write_text(json.dumps({"schema": 1, **record(study, host_loop=True)}))
    (found,) = compare(old, new).comparisons
    assert found.notes == (
        "called from Python once per step, as AlgoPerf does (host-loop):"
        " 0 of 4 trials of A, 2 of 4 of B",
    )


def test_copies_of_a_run_are_noted(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES})
    new = write(tmp_path / "new", {"a": (TIMES[0], 10.5, *TIMES[2:])})
    for root, study in ((old, 1), (old, 2), (new, 1), (new, 2)):
        path = made_logs.trial_dir(root, "one", "a", study)
        digest = hashlib.sha256((path / "eval_measurements.csv").read_bytes()).hexdigest()
        more = record(study, evaluations_sha256=digest)
        (path / "trial.json").write_text(json.dumps({"schema": 1, **more}))
    (found,) = compare(old, new).comparisons
    assert found.notes == ("trials that are the same run in A and in B, no repetition: 1",)
