import json


def test_json_has_the_documented_shape(cli, results):
    code, out, _ = cli("score", results, "--json")
    board = json.loads(out, parse_constant=lambda c: None)
    assert code == 0
    assert board["suite"] == ["tiny"]
    first, second = board["submissions"]
    assert first["score"] >= second["score"]
    assert set(first["times"]) == {"tiny"}
    assert isinstance(first["times"]["tiny"], float)


def test_the_table_shows_scores_and_times(cli, results):
    code, out, _ = cli("score", results)
    assert code == 0
    assert "nesterov" in out


def test_the_figure_is_written_where_asked(cli, results, tmp_path):
    code, out, _ = cli("score", results, "--figure", tmp_path / "p")
    assert code == 0
    assert str(tmp_path / "p.png") in out
    assert (tmp_path / "p.svg").exists()


def test_a_directory_without_records_exits_2_with_the_mend(cli, tmp_path):
    code, _, err = cli("score", tmp_path / "nothing")
    assert code == 2
    assert "nothing" in err
    assert "--results" in err


def test_an_unknown_workload_exits_2(cli, results):
    code, _, err = cli("score", results, "-w", "tny")
    assert code == 2
    assert "did you mean 'tiny'" in err
