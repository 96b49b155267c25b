import json

import pytest

from algoperf_lite.errors import UsageError
from scoring.suite import base_of, load_suite, parse_suite
from tests.scoring.made_logs import declared, suite


def test_parses_our_form(tmp_path):
    made = declared(("a", "b"), ("a_tanh",), studies=3, trials=5, schema=1, ruleset=None)
    made["workloads"]["a"] |= {"direction": "maximize", "step_hint": 800, "base": None}
    made["submissions"] = {"x": {"ruleset": "external"}, "y": {"ruleset": "self"}}
    (tmp_path / "suite.json").write_text(json.dumps(made))
    parsed = load_suite(tmp_path / "suite.json")
    assert parsed.names == ("a", "b", "a_tanh")
    assert [t.direction for t in parsed.workloads] == ["maximize", "minimize", "minimize"]
    assert parsed.held_out[0].base == "a"
    assert (parsed.studies, parsed.trials_of("x"), parsed.trials_of("y")) == (3, 5, 1)


def test_parses_algoperfs_form_with_more_workloads_than_it_scores():
    made = declared(("ogbg",), ("ogbg_gelu",), metric="accuracy", benchmark_version="0.6")
    made["workloads"]["cifar"] = "whatever"
    parsed = parse_suite(made)
    assert parsed.base[0].direction == "maximize"
    assert (parsed.studies, parsed.trials, parsed.submissions) == (None, None, None)


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        (m, "minimize")
        for m in (["ce_loss", "error_rate", "ctc_loss", "wer", "l1_loss", "loss", "ppl"])
    ]
    + [(m, "maximize") for m in ["mean_average_precision", "ssim", "accuracy", "bleu"]],
)
def test_direction_follows_from_the_metric(metric, direction):
    made = declared(("a",))
    made["workloads"]["a"]["target_metric_name"] = metric
    assert parse_suite(made).base[0].direction == direction


def test_direction_may_be_said_as_algoperf_says_it():
    made = declared(("a",))
    made["workloads"]["a"] |= {"target_metric_name": "recall", "target_metric_goal": "maximize"}
    assert parse_suite(made).base[0].direction == "maximize"
    made["workloads"]["a"]["target_metric_goal"] = "sideways"
    with pytest.raises(UsageError, match=r"workloads\.a\.direction is 'sideways': add 'minimize'"):
        parse_suite(made)


def test_bases_are_matched_at_an_underscore_and_the_longest_wins():
    names = ["imagenet", "imagenet_resnet", "resnet", "image"]
    assert base_of("imagenet_resnet_large_bn_init", names) == "imagenet_resnet"
    assert base_of("imagenets_silu", names) is None
    assert base_of("imagenet", names) is None


def broken(**changes):
    return declared() | changes


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([], "the file must hold a JSON object"),
        ({}, "base_workloads must name at least one"),
        (broken(schema=2), "schema is 2, this version reads 1: it is newer, upgrade algoperf_lite"),
        (broken(schema="1"), "schema is '1', this version reads 1."),
        (broken(studies=1001), "studies must be at most 1000, not 1001"),
        (broken(base_workloads="a"), "base_workloads must be a list"),
        (broken(base_workloads=["a", "a"]), "names a workload twice"),
        (broken(held_out_workloads=["a"]), "held_out_workloads names base workloads too: a"),
        (broken(base_workloads=["c"]), "workloads.c is missing"),
        (broken(workloads=None), "workloads must map"),
        (broken(workloads={"a": {}, "b": {}}), "workloads.a.target_metric_name must name"),
        (broken(studies=0), "studies must be a whole number of at least 1, not 0"),
        (broken(trials=True), "trials must be a whole number"),
        (broken(ruleset="both"), "ruleset must be 'external' or 'self', not 'both'"),
        (broken(submissions={"x": {"ruleset": 1}}), "submissions.x.ruleset must be"),
        (broken(submissions=["x"]), "submissions must map"),
        (declared(("a",), ("b_tanh",)), "workloads.b_tanh.base must name one of base_workloads"),
    ],
)
def test_a_bad_suite_names_file_key_and_mend(made, message):
    with pytest.raises(UsageError) as error:
        parse_suite(made, where="some.json")
    assert str(error.value).startswith("some.json: ")
    assert message in str(error.value)


@pytest.mark.parametrize("value", [None, "4", float("nan"), True])
def test_a_target_is_a_finite_number(value):
    made = declared(("a",))
    made["workloads"]["a"]["validation_target_value"] = value
    with pytest.raises(UsageError, match=r"workloads\.a\.validation_target_value must be a finite"):
        parse_suite(made)


def test_an_unknown_metric_needs_a_direction():
    made = declared(("a",))
    made["workloads"]["a"]["target_metric_name"] = "regret"
    with pytest.raises(UsageError, match=r"workloads\.a\.direction .* 'minimize' or 'maximize'"):
        parse_suite(made)
    made["workloads"]["a"]["direction"] = "minimize"
    assert parse_suite(made).base[0].column == "validation/regret"


def test_a_file_that_is_no_json_or_absent(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(UsageError, match="not a JSON file"):
        load_suite(tmp_path / "bad.json")
    with pytest.raises(UsageError, match=r"gone\.json: cannot read the suite"):
        load_suite(tmp_path / "gone.json")


def test_select():
    whole = suite(("a", "b"), ("a_tanh",))
    assert whole.select(["b"]).names == ("b",)
    assert whole.select(["a_tanh", "a"]).names == ("a", "a_tanh")
    with pytest.raises(UsageError, match="unknown workload 'aa'"):
        whole.select(["aa"])
    with pytest.raises(UsageError, match="no base workload"):
        whole.select(["a_tanh"])
    with pytest.raises(UsageError, match="selected without its base workload 'a'"):
        whole.select(["a_tanh", "b"])
