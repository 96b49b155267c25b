import json

from algoperf_lite import registry


def test_list_names_everything(cli):
    code, out, _ = cli("list")
    assert code == 0
    for kind in ("workload", "submission"):
        assert all(name in out for name in registry.known_names(kind))


def test_json_holds_all_that_the_tables_show(cli):
    found = json.loads(cli("list", "--json")[1])
    names = [w["name"] for w in found["workloads"] if w["base"] is None]
    assert names == registry.known_names("workload")
    first = found["workloads"][0]
    assert {"tier", "target", "step_hint", "batch_size", "about"} <= set(first)
    assert {"name", "ruleset", "default", "about"} <= set(found["submissions"][0])


def test_one_kind_only(cli):
    assert "submissions" not in json.loads(cli("list", "workloads", "--json")[1])
