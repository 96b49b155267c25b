from pathlib import Path

import pytest

from algoperf_lite.errors import UsageError
from algoperf_lite.plan import Protocol, declare_suite, plan, trial_seed
from algoperf_lite.records import trial_directory, write_json

SPACE = {"lr": {"min": 1e-3, "max": 1e-1, "scaling": "log"}}


def described(fingerprint="f", kind="H100", **submissions):
    def workload(name):
        target = {"metric": "loss", "value": 1.0, "direction": "minimize"}
        return {"selector": name, "name": name, "base": None, "tier": "lite", "target": target,
                "step_hint": 10, "fingerprint": fingerprint}  # fmt: skip

    def submission(name, ruleset):
        return {"selector": name, "name": name, "ruleset": ruleset, "default": {"lr": 0.1},
                "search_space": SPACE, "fingerprint": "f"}  # fmt: skip

    return {
        "environment": {"platform": "gpu", "device_kind": kind, "device_count": 1},
        "workloads": [workload("w1"), workload("w2")],
        "submissions": [submission(n, r) for n, r in (submissions or {"a": "external"}).items()],
    }


def specs(protocol=None, **submissions):
    return plan(Path("r"), protocol or Protocol(), described(**submissions))


def test_the_full_ruleset_is_three_studies_of_five_trials():
    cells = [(s.study, s.trial, s.workload_name) for s in specs()]
    assert cells == [(i, k, w) for i in range(3) for k in range(1, 6) for w in ("w1", "w2")]


def test_self_tuning_has_one_trial_per_study_at_the_default_point():
    found = specs(a="self")
    assert [(s.study, s.trial) for s in found] == [(i, 1) for i in range(3) for _ in range(2)]
    assert all(s.hyperparameters == {"lr": 0.1} for s in found)


def test_submissions_take_turns_on_each_workload():
    order = [(s.workload_name, s.submission_name) for s in specs(a="external", b="external")[:4]]
    assert order == [("w1", "a"), ("w1", "b"), ("w2", "a"), ("w2", "b")]


def test_points_are_shared_by_workloads_and_differ_between_studies_and_submissions():
    found = specs(a="external", b="external")
    points = {}
    for s in found:
        points.setdefault((s.submission_name, s.study, s.trial), set()).add(s.hyperparameters["lr"])
    assert all(len(values) == 1 for values in points.values())
    assert len(set.union(*points.values())) == len(points) == 2 * 3 * 5


def test_seeds_are_shared_by_submissions_and_workloads_and_differ_between_trials():
    seeds = {}
    for s in specs(a="external", b="external"):
        seeds.setdefault((s.study, s.trial), set()).add(s.seed)
    assert all(len(values) == 1 for values in seeds.values())
    assert len(set.union(*seeds.values())) == 15


def test_seed_zero_is_a_seed_and_seeds_are_fixed_for_all_time():
    assert [trial_seed(0, 0, 1), trial_seed(1, 0, 1), trial_seed(0, 2, 5)] == [
        1915600865,
        750514629,
        1804115683,
    ]


def test_quick_points_are_the_defaults():
    found = specs(Protocol(studies=1, trials=1, points="default"))
    assert [s.hyperparameters for s in found] == [{"lr": 0.1}] * 2


@pytest.mark.parametrize("field", ["studies", "trials", "max_steps"])
def test_counts_below_one_are_refused(field):
    with pytest.raises(UsageError, match=f"--{field.replace('_', '-')} must be at least 1, not 0"):
        Protocol(**{field: 0})


def record(results, workload="w1"):
    """Leave a record, as a finished trial would."""
    write_json(trial_directory(results, "a", 0, workload, 1) / "trial.json", {"status": "error"})


def declare(results, protocol=None, **changes):
    """Declare a suite and write it, as `run` does."""
    suite = declare_suite(results, protocol or Protocol(), described(**changes))
    write_json(results / "suite.json", suite)
    return suite


def test_the_suite_declares_targets_submissions_and_counts(tmp_path):
    suite = declare(tmp_path, a="external", b="self")
    assert suite["base_workloads"] == ["w1", "w2"]
    assert suite["workloads"]["w1"] == {
        "target_metric_name": "loss", "validation_target_value": 1.0, "direction": "minimize",
        "step_hint": 10, "base": None, "tier": "lite", "fingerprint": "f",
    }  # fmt: skip
    assert suite["submissions"] == {
        "a": {"ruleset": "external", "selector": "a"}, "b": {"ruleset": "self", "selector": "b"},
    }  # fmt: skip
    assert (suite["studies"], suite["trials"], suite["seed"]) == (3, 5, 0)
    assert suite["device"] == "1 x H100"


def test_a_second_run_adds_to_the_suite(tmp_path):
    declare(tmp_path, a="external")
    record(tmp_path)
    suite = declare(tmp_path, b="external")
    assert set(suite["submissions"]) == {"a", "b"}
    assert suite["base_workloads"] == ["w1", "w2"]


QUICK = Protocol(studies=1, trials=1, points="default")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": QUICK}, "was run with studies=3, now studies=1"),
        ({"kind": "H200"}, "run with device=1 x H100, now device=1 x H200"),
        ({"fingerprint": "g"}, "another version of workload w1: fingerprint f, now g"),
    ],
)
def test_times_that_cannot_be_compared_do_not_share_a_directory(tmp_path, changes, message):
    declare(tmp_path)
    record(tmp_path)
    with pytest.raises(UsageError, match=message):
        declare(tmp_path, **changes)


@pytest.mark.parametrize("changes", [{"protocol": QUICK}, {"kind": "H200"}, {"fingerprint": "g"}])
def test_a_directory_without_records_binds_nobody(tmp_path, changes):
    declare(tmp_path)
    assert declare(tmp_path, **changes)["base_workloads"] == ["w1", "w2"]


def test_a_workload_without_records_may_change(tmp_path):
    declare(tmp_path)
    record(tmp_path, workload="w2")
    with pytest.raises(UsageError, match="another version of workload w2"):
        declare(tmp_path, fingerprint="g")


def test_a_file_in_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file; give a directory"):
        declare_suite(tmp_path / "file", Protocol(), described())


def test_external_tuning_needs_something_to_tune():
    nothing = described()
    nothing["submissions"][0]["search_space"] = None
    with pytest.raises(UsageError, match="submission a has nothing to tune"):
        plan(Path("r"), Protocol(), nothing)
    assert len(plan(Path("r"), QUICK, nothing)) == 2


def test_a_negative_seed_is_refused():
    with pytest.raises(UsageError, match="--seed must be at least 0, not -1"):
        Protocol(seed=-1)


def test_held_out_variants_are_declared_apart_and_stay_so(tmp_path):
    suite = declare_suite(tmp_path, Protocol(), described(), held_out=["w2"])
    assert (suite["base_workloads"], suite["held_out_workloads"]) == (["w1"], ["w2"])
    directory = trial_directory(tmp_path, "a", 0, "w2", 1)
    write_json(directory / "trial.json", {"status": "interrupted"})
    write_json(tmp_path / "suite.json", suite)
    again = declare_suite(tmp_path, Protocol(), described(), held_out=["w2"])
    assert again["held_out_workloads"] == ["w2"]
    with pytest.raises(UsageError, match="w2 among its held_out_workloads"):
        declare_suite(tmp_path, Protocol(), described())
