import json

import pytest

from algoperf_lite import preparation, registry


@pytest.fixture
def prepared(monkeypatch):
    """Names that `prepare` is asked for; the data of the catalog's workloads cannot be had."""
    names = []

    def prepare(name):
        names.append(name)
        workload = registry.find_workload(name)
        if workload.tier == "catalog":
            raise preparation.MachineError("no network")
        rows = {"train": 1200, "validation": 30, "test": 40}
        return preparation.Prepared(
            name, workload.dataset.name, "there", rows, 2_500_000, 1.25, "0123456789abcdef", True
        )

    monkeypatch.setattr(preparation, "prepare", prepare)
    return names


def test_a_dataset_that_several_share_is_prepared_once(cli, prepared):
    code, out, _ = cli("prepare", "digits_resnet", "digits_resnet_silu", "zipf_lm", "--json")
    assert code == 0
    assert prepared == ["digits_resnet", "zipf_lm"]
    assert [row["dataset"] for row in json.loads(out)] == ["digits", "zipf"]


def test_the_table_shows_rows_size_and_fingerprint(cli, prepared):
    code, out, _ = cli("prepare", "zipf_lm")
    assert code == 0
    for shown in ("1,200 / 30 / 40", "2.5", "1.2", "0123456789ab as stated"):
        assert shown in out


def test_a_tier_is_all_its_workloads(cli, prepared):
    assert cli("prepare", "--tier", "lite")[0] == 0
    assert {"zipf_lm", "clicks_dlrm"} <= set(prepared)
    assert "shakespeare_gpt" not in prepared


def test_what_was_prepared_before_an_error_is_shown(cli, prepared):
    code, out, err = cli("prepare", "zipf_lm", "cifar10_resnet")
    assert code == 3
    assert "zipf_lm" in out
    assert "no network" in err


def test_nothing_named_and_unknown_names_are_usage_errors(cli, prepared):
    assert cli("prepare")[0] == 2
    code, _, err = cli("prepare", "zipf_lm", "cifar10_resnt")
    assert code == 2
    assert "did you mean" in err
    assert not prepared


def test_list_marks_provisional_targets_and_data_that_is_not_there(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("ALGOPERF_LITE_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    _, out, _ = cli("list", "workloads")
    assert "accuracy >= 0.85 (provisional)" in out
    assert "provisional: cifar10_resnet: not measured here; AlgoPerf's" in out
    assert out.count("Not prepared.") == 4
    (tmp_path / "data" / "cifar10" / "3.0.2").mkdir(parents=True)
    (tmp_path / "data" / "cifar10" / "3.0.2" / "dataset_info.json").touch()
    found = {w["name"]: w for w in json.loads(cli("list", "workloads", "--json")[1])["workloads"]}
    assert found["cifar10_vit"]["prepared"]
    assert not found["shakespeare_gpt"]["prepared"]
    assert "AlgoPerf" in found["cifar10_resnet"]["target"]["provisional"]
    assert "provisional" not in found["zipf_lm"]["target"]
    assert "prepared" not in found["zipf_lm"]
