"""Records that are exported score the same, and have the form of AlgoPerf's logs."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

import scoring
from algoperf_lite.algoperf.logs import export_logs
from algoperf_lite.errors import UsageError
from algoperf_lite.records import evaluation_columns
from tests.algoperf.made_algoperf_logs import read_csv, times
from tests.scoring.made_logs import MISS, declared, hit, scores, trial_dir, write_trial

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL_LOGS = DATA / "algoperf_v05_self_tuning"
REAL_TARGETS = DATA / "algoperf_v05_self_tuning_expected" / "workload_targets_v05.json"
real = pytest.mark.skipif(
    not (REAL_LOGS.is_dir() and REAL_TARGETS.is_file()),
    reason="the AlgoPerf v0.5 logs are not in ../shared/data beside the repository",
)

RULESETS = {
    "adam[b1=0.8]": {"ruleset": "external"},
    "sgd": {"ruleset": "external"},
    "optax:lion": {"ruleset": "self"},
}
TARGET = {"metric": "loss", "value": 1.0, "direction": "minimize"}


def ended(status, **more):
    return {"status": status, "target": TARGET, **more}


def write_records(root, **more):
    """Three submissions on two base workloads and a variant, over three studies of two trials."""
    made = declared(("a", "b"), ("a_v",), studies=3, trials=2, submissions=RULESETS, **more)
    root.mkdir(exist_ok=True)
    (root / "suite.json").write_text(json.dumps(made))
    for s, name in enumerate(RULESETS):
        for w, workload in enumerate(("a", "b", "a_v")):
            for study in range(3):
                seconds = 4.0 + s + w + study / 4
                write_trial(
                    root, name, workload, hit(seconds), study, record=ended("target_reached")
                )
    return root


@pytest.fixture
def records(tmp_path):
    return write_records(tmp_path / "records")


def written(export):
    targets = json.loads((export.dest / "workload_targets.json").read_text())
    return export.dest / "logs", targets


def assert_same_scores(root, export):
    """Ours of the records, ours of the export, and times as AlgoPerf takes them, all agree."""
    logs, targets = written(export)
    board = scoring.score(root, integration="algoperf")
    named = {export.submissions[row.name]: row for row in board.rows}
    again = scoring.score(logs, export.dest / "workload_targets.json", integration="algoperf")
    assert scores(again) == {name: row.score for name, row in named.items()} == export.scores
    theirs = {
        name: {export.workloads[workload]: time for workload, time in row.times.items()}
        for name, row in named.items()
    }
    assert times(logs, targets) == theirs
    return board


def test_hits_and_misses_of_both_rulesets_score_the_same(records, tmp_path):
    for study in range(2):
        write_trial(records, "sgd", "b", hit(2.0 + study), study, 2, record=ended("target_reached"))
    export = export_logs(records, tmp_path / "out")
    board = assert_same_scores(records, export)
    assert len(set(scores(board).values())) == 3
    assert (export.trials, export.emptied, export.moved, export.standing_in) == (29, 0, 2, 0)
    assert export.per_study == {1, 2}


@pytest.mark.parametrize("status", ["invalid", "error", "interrupted", "stopped"])
def test_hits_of_trials_that_never_count_are_emptied(records, tmp_path, status):
    for study in range(2):
        (trial_dir(records, "sgd", "a", study) / "trial.json").write_text(
            json.dumps({"schema": 1, "reason": "x", **ended(status)})
        )
    export = export_logs(records, tmp_path / "out")
    board = assert_same_scores(records, export)
    assert math.isinf(board.row("sgd").times["a"])
    assert (export.void, export.emptied) == ({status: 2}, 2)


def test_hits_after_the_budget_and_without_a_time_are_emptied(tmp_path):
    root = tmp_path / "records"
    root.mkdir()
    (root / "suite.json").write_text(json.dumps(declared(("a",))))
    write_trial(
        root,
        "late",
        "a",
        [(40.0, 2.0), (60.0, 0.5)],
        record=ended("budget_exhausted", budget_seconds=50.0),
    )
    rows = [("", 0.5), (3.0, "-inf"), (5.0, 2.0), (7.0, 0.5)]
    write_trial(root, "odd", "a", rows, record=ended("target_reached"))
    export = export_logs(root)
    assert export.dest == root.with_name("records-algoperf")
    assert assert_same_scores(root, export).row("odd").times == {"a": 7.0}
    assert export.emptied == 3
    metric = read_csv(trial_dir(export.dest / "logs", "odd", "a") / "eval_measurements.csv")
    assert np.isnan(metric["validation/loss"]).tolist() == [True, True, False, False]


def test_the_fastest_trial_is_the_first_by_row(tmp_path):
    """One that takes longer steps meets the target after fewer evaluations, and later."""
    root = tmp_path / "records"
    root.mkdir()
    (root / "suite.json").write_text(json.dumps(declared(("a",), trials=3)))
    write_trial(
        root,
        "x",
        "a",
        [(1.0, 5.0), (2.0, 5.0), (3.0, 0.9)],
        trial=1,
        record=ended("target_reached"),
    )
    write_trial(root, "x", "a", [(9.0, 0.9)], trial=2, record=ended("target_reached"))
    write_trial(root, "x", "a", [(4.0, 5.0), (8.0, 0.9)], trial=3, record=ended("target_reached"))
    export = export_logs(root, tmp_path / "out")
    assert assert_same_scores(root, export).row("x").times == {"a": 3.0}
    assert export.moved == 2


def test_failed_trials_and_studies_without_any_are_missed(records, tmp_path):
    """AlgoPerf's scorer stumbles over tables without rows, and leaves out missing studies."""
    for study in (0, 1):
        shutil.rmtree(trial_dir(records, "sgd", "a", study).parent)
    (trial_dir(records, "optax:lion", "b") / "eval_measurements.csv").unlink()
    (trial_dir(records, "optax:lion", "b", 1) / "eval_measurements.csv").write_text("")
    for name in RULESETS:
        for study in range(3):
            shutil.rmtree(trial_dir(records, name, "a_v", study).parent)
    export = export_logs(records, tmp_path / "out")
    board = assert_same_scores(records, export)
    assert all(math.isinf(row.times["a_v"]) for row in board.rows)
    assert export.standing_in == 11
    assert export.void == {"unreadable": 2}


def test_tables_of_a_workload_have_the_same_columns(records, tmp_path):
    """AlgoPerf's scorer takes a column that a trial lacks from the trial that it read before."""
    path = trial_dir(records, "sgd", "a") / "eval_measurements.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{header},test/loss", *(f"{row},0.5" for row in rows)]) + "\n")
    logs, _ = written(export_logs(records, tmp_path / "out"))
    headers = {
        p.read_text().splitlines()[0] for p in logs.glob("*/*/a_jax/*/eval_measurements.csv")
    }
    assert len(headers) == 1
    assert headers.pop().split(",") == sorted(
        {*evaluation_columns(["loss"])} - {"train/loss"},
    )


def test_names_that_algoperf_takes_for_patterns_are_changed(records, tmp_path):
    export = export_logs(records, tmp_path / "out")
    assert export.submissions == {
        "adam[b1=0.8]": "adam_b1_0.8", "optax:lion": "optax_lion", "sgd": "sgd",
    }  # fmt: skip
    said = json.loads((export.dest / "export.json").read_text())
    assert said["submissions"] == export.submissions


def test_no_two_submissions_get_one_name_nor_that_of_another_with_a_time(tmp_path):
    root = tmp_path / "records"
    root.mkdir()
    (root / "suite.json").write_text(json.dumps(declared(("a",))))
    names = ["s", "s-2026-01-02-03-04-05", "s[1]", "s(1)", "s_1"]
    for i, name in enumerate(names):
        write_trial(root, name, "a", hit(2.0 + i), record=ended("target_reached"))
    export = export_logs(root, tmp_path / "out")
    assert_same_scores(root, export)
    assert sorted(export.submissions.values()) == [
        "s", "s_1", "s_1_2", "s_1_3", "s_2026_01_02_03_04_05",
    ]  # fmt: skip


def write_one(root, workloads, metric="loss", **more):
    root.mkdir()
    held_out = [name for name, base in workloads.items() if base]
    made = declared([n for n in workloads if n not in held_out], held_out, metric, **more)
    for name in held_out:
        made["workloads"][name]["base"] = workloads[name]
    (root / "suite.json").write_text(json.dumps(made))
    for name in workloads:
        write_trial(root, "x", name, hit(3.0), record=ended("target_reached"))
        write_trial(root, "y", name, MISS if name in held_out[:1] else hit(4.0))
    return root


def test_variants_lead_to_their_base_by_name(tmp_path):
    root = write_one(
        tmp_path / "r", {"mt": None, "mt_big": None, "mt_big_v": "mt_big", "wide": "mt"}
    )
    export = export_logs(root, tmp_path / "out")
    assert_same_scores(root, export)
    assert export.workloads["wide"] == "mt_wide"
    targets = written(export)[1]
    assert targets["base_workloads"] == ["mt_big", "mt"]
    assert targets["held_out_workloads"] == ["mt_big_v", "mt_wide"]


def test_a_variant_without_a_name_that_leads_to_its_base_is_refused(tmp_path):
    root = write_one(tmp_path / "r", {"mt": None, "mt_big": None, "mt_big_v": "mt"})
    with pytest.raises(UsageError, match=r"neither 'mt_big_v' nor 'mt_mt_big_v' leads to 'mt'"):
        export_logs(root, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))
    export = export_logs(root, tmp_path / "out", workloads=["mt", "mt_big"])
    assert list(export.workloads) == ["mt", "mt_big"]


def test_token_error_rate_is_wer_there(tmp_path):
    root = tmp_path / "records"
    root.mkdir()
    target = {"target_metric_name": "token_error_rate", "validation_target_value": 0.1,
              "direction": "minimize", "step_hint": 70}  # fmt: skip
    (root / "suite.json").write_text(
        json.dumps({"base_workloads": ["a"], "workloads": {"a": target}})
    )
    record = {"status": "target_reached", "target": {"metric": "token_error_rate", "value": 0.1}}
    rows = [(1.0, 0.5), (2.0, 0.1)]
    write_trial(root, "x", "a", rows, metric="token_error_rate", record=record)
    export = export_logs(root, tmp_path / "out")
    assert assert_same_scores(root, export).row("x").times == {"a": 2.0}
    logs, targets = written(export)
    assert targets["workloads"]["a"] == {
        "target_metric_name": "wer", "target_metric_goal": "minimize",
        "validation_target_value": 0.1, "step_hint": 70,
    }  # fmt: skip
    columns = list(read_csv(trial_dir(logs, "x", "a") / "eval_measurements.csv"))
    assert "validation/wer" in columns
    assert columns == sorted(columns)


def test_a_ruleset_is_exported_alone(records, tmp_path):
    export = export_logs(records, tmp_path / "out", ruleset="self")
    assert export.scores == {"optax_lion": 1.0}
    assert [p.name for p in (export.dest / "logs").iterdir()] == ["optax_lion"]


def test_nothing_is_overwritten_and_records_are_left_alone(records, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    inside = "lie in each other"
    refused = {tmp_path / "out": "there already", records / "x": inside, tmp_path: inside,
               tmp_path / "x[1]": r"reads \[ \] in a path"}  # fmt: skip
    for dest, why in refused.items():
        with pytest.raises(UsageError, match=why):
            export_logs(records, dest)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine"]


def test_trials_that_were_not_timed_are_refused(tmp_path):
    root = tmp_path / "records"
    root.mkdir()
    (root / "suite.json").write_text(json.dumps(declared(("a",))))
    write_trial(root, "x", "a", [("", 0.5)], record=ended("target_reached", timed=False))
    with pytest.raises(UsageError, match="not timed"):
        export_logs(root, tmp_path / "out")


def test_a_trial_has_the_files_of_algoperfs(records, tmp_path):
    place = trial_dir(records, "sgd", "a")
    (place / "hparams.json").write_text('{"learning_rate": 0.1}')
    (place / "measurements.csv").write_text("global_step\n10\n")
    (place / "meta_data_0.json").write_text('{"device_kind": "cpu"}')
    logs, _ = written(export_logs(records, tmp_path / "out"))
    there = trial_dir(logs, "sgd", "a")
    assert sorted(path.name for path in there.iterdir()) == [
        "eval_measurements.csv", "hparams.json", "measurements.csv", "meta_data_0.json",
    ]  # fmt: skip
    assert json.loads((there / "hparams.json").read_text()) == {"learning_rate": 0.1}
    meta = json.loads((there / "meta_data_0.json").read_text())
    assert meta["algoperf_lite.environment.device_kind"] == "cpu"
    assert meta["workload.validation_target_value"] == 1.0
    # AlgoPerf's reader lists what is in these directories.
    assert {p.name for p in logs.iterdir()} == {"adam_b1_0.8", "optax_lion", "sgd"}
    assert {p.name for p in (logs / "sgd").iterdir()} == {"study_0", "study_1", "study_2"}


@real
def test_columns_are_those_of_algoperfs_logs(records, tmp_path):
    """Of each workload: the same names in the same order, for the metrics that it has."""
    places = sorted((REAL_LOGS / "baseline" / "study_0").iterdir())
    for place in places:
        header = (place / "trial_1" / "eval_measurements.csv").read_text().partition("\n")[0]
        columns = header.split(",")
        metrics = [c.removeprefix("train/") for c in columns if c.startswith("train/")]
        assert evaluation_columns(metrics) == columns
        for line in (place / "trial_1" / "eval_measurements.csv").read_text().splitlines()[1:]:
            cells = dict(zip(columns, line.split(","), strict=True))
            assert cells["score"] == cells["accumulated_submission_time"]
            assert all(cells[name].isdigit() for name in ("global_step", "preemption_count"))
    assert len(places) == 14


@real
def test_real_logs_go_through_unchanged(tmp_path):
    """What AlgoPerf logged is, exported, cell by cell what it was."""
    root = tmp_path / "records"
    root.mkdir()
    suite = json.loads(REAL_TARGETS.read_text())
    suite |= {"base_workloads": ["ogbg", "librispeech_deepspeech"], "held_out_workloads": []}
    (root / "suite.json").write_text(json.dumps(suite))
    for name in ("baseline", "sinv6"):
        for workload in suite["base_workloads"]:
            place = trial_dir(root, name, workload)
            place.parent.mkdir(parents=True)
            place.symlink_to(trial_dir(REAL_LOGS, name, workload))
    export = export_logs(root, tmp_path / "out")
    assert_same_scores(root, export)
    assert (export.emptied, export.moved, export.standing_in) == (0, 0, 0)
    for before in REAL_LOGS.glob("*/study_0/*/trial_1/eval_measurements.csv"):
        after = export.dest / "logs" / before.relative_to(REAL_LOGS)
        if after.exists():
            old, new = (path.read_text().splitlines() for path in (before, after))
            assert new[0] == old[0]
            assert [[float(c) for c in line.split(",")] for line in new[1:]] == [
                [float(c) for c in line.split(",")] for line in old[1:]
            ]
            whole = new[0].split(",").index("validation/num_examples")
            assert new[1].split(",")[whole] == old[1].split(",")[whole]
