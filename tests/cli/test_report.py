import json

import pytest

from tests.scoring.report.made_report import make_results


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("made"))


def test_the_page_is_written_where_asked_and_named(cli, made, tmp_path):
    code, out, err = cli("report", made, "-o", tmp_path / "page.html", "--title", "Spring")
    assert code == 0
    assert "! not everything could be counted (1 problems)" in err
    assert str(tmp_path / "page.html") in out
    assert "27 trials" in out
    assert "<title>Spring</title>" in (tmp_path / "page.html").read_text()


def test_json_says_what_was_written(cli, made, tmp_path):
    path = tmp_path / "page.html"
    code, out, _ = cli("report", made, "-o", path, "--clock", "steps", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["path"] == str(path)
    assert found["bytes"] == path.stat().st_size > found["plotly_bytes"]
    assert found["seconds"] > 0
    assert found["figures"] == []


def test_figures_are_drawn_on_request(cli, made, tmp_path, monkeypatch):
    asked = []

    def draw(results, directory, suite, clock, *, integration):
        asked.append((results, directory, suite, clock, integration))
        return [directory / "profiles.pdf"]

    monkeypatch.setattr("scoring.figures.write_figures", draw)
    code, out, _ = cli("report", made, "-o", tmp_path / "page.html", "--figures", tmp_path / "f",
                       "--integration", "algoperf")  # fmt: skip
    assert code == 0
    assert asked == [(made, tmp_path / "f", None, "time", "algoperf")]
    assert str(tmp_path / "f") in out


def test_an_unknown_baseline_exits_2_and_writes_nothing(cli, made, tmp_path):
    code, _, err = cli("report", made, "-o", tmp_path / "page.html", "--baseline", "fats")
    assert code == 2
    assert "did you mean 'fast'" in err
    assert not list(tmp_path.iterdir())


def test_a_page_below_a_file_exits_2(cli, made, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = cli("report", made, "-o", tmp_path / "file" / "page.html")
    assert code == 2
    assert "cannot write" in err


def test_no_records_exits_2(cli, tmp_path):
    code, _, err = cli("report", tmp_path / "nothing")
    assert code == 2
    assert "nothing" in err
