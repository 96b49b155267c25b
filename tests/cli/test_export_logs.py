import json

import pytest

from tests.scoring.made_logs import declared, hit, trial_dir, write_trial


@pytest.fixture
def made(tmp_path):
    """Two submissions on one workload, over two studies; of one a trial broke the rules."""
    root = tmp_path / "r"
    root.mkdir()
    rulesets = {"adam[b1=0.8]": {"ruleset": "self"}, "sgd": {"ruleset": "self"}}
    (root / "suite.json").write_text(json.dumps(declared(("a",), studies=2, submissions=rulesets)))
    for study in range(2):
        record = {"status": "target_reached", "target": {"metric": "loss", "value": 1.0}}
        write_trial(root, "adam[b1=0.8]", "a", hit(2.0), study, record=record)
    write_trial(root, "sgd", "a", hit(3.0), record={"status": "invalid"})
    return root


def test_it_says_where_and_what_was_changed_and_what_to_expect(cli, made, tmp_path):
    code, out, err = cli("export-logs", made)
    assert (code, err) == (0, "")
    dest = tmp_path / "r-algoperf"
    assert f"wrote 3 trials of 2 submissions on 1 workload to {dest}" in out
    for note in (
        "adam[b1=0.8] is adam_b1_0.8 there",
        "1 trial never counts here: 1 invalid",
        "1 evaluation met the target and does not count here",
        "1 study without a trial",
        "its --strict asks for 3 studies of 5 trials",
        "either should say: adam_b1_0.8 1.0000, sgd 0.0000",
        f"--submission_directory {dest}/logs --workload_targets {dest}/workload_targets.json",
        "--compute_performance_profiles --self_tuning_ruleset",
    ):
        assert note in out
    score = cli("score", dest / "logs", "--suite", dest / "workload_targets.json", "--json")[1]
    rows = json.loads(score)["submissions"]
    assert [(row["name"], row["score"]) for row in rows] == [("adam_b1_0.8", 1.0), ("sgd", 0.0)]


def test_json_holds_names_and_scores(cli, made, tmp_path):
    code, out, _ = cli("export-logs", made, "-o", tmp_path / "x", "-w", "a", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["scores"] == {"adam_b1_0.8": 1.0, "sgd": 0.0}
    assert said == json.loads((tmp_path / "x" / "export.json").read_text())


def test_errors_exit_with_2_and_write_nothing(cli, made, tmp_path):
    assert cli("export-logs", made)[0] == 0
    code, _, err = cli("export-logs", made)
    assert (code, "is there already" in err) == (2, True)
    code, _, err = cli("export-logs", made, "-o", tmp_path / "x", "-w", "b")
    assert (code, "unknown workload 'b'" in err) == (2, True)
    code, _, err = cli("export-logs", tmp_path / "nowhere")
    assert (code, "no such results directory" in err) == (2, True)
    code, _, err = cli("export-logs", made, "-o", trial_dir(made, "sgd", "a") / "trial.json" / "x")
    assert code == 2
    (tmp_path / "file").touch()
    code, _, err = cli("export-logs", made, "-o", tmp_path / "file" / "x")
    assert (code, "is a file" in err) == (2, True)
    assert not (tmp_path / "x").exists()
