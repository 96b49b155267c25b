import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from algoperf_lite.errors import AlgoperfLiteError, UsageError
from scoring.figures import write_figures
from tests.scoring.figures.made_figures import logs
from tests.scoring.made_logs import declared, hit, write_trial

NAMES = ("profiles", "ratios", "curves", "scores", "clock")
PROGRAM = """
import sys
from scoring.figures import write_figures
write_figures(sys.argv[1], sys.argv[2], formats=["pdf", "svg"])
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return logs(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    return write_figures(results, tmp_path_factory.mktemp("figures") / "new")


def test_each_figure_is_written_in_each_format(written):
    assert [path.name for path in written] == [
        f"{name}.{form}" for name in NAMES for form in ("pdf", "svg", "png")
    ]
    starts = {".pdf": b"%PDF", ".svg": b"<?xml", ".png": b"\x89PNG"}
    for path in written:
        assert path.read_bytes().startswith(starts[path.suffix])


def test_another_process_writes_the_same_bytes(results, written, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    root = Path(__file__).resolve().parents[3]
    subprocess.run([sys.executable, "-c", PROGRAM, results, tmp_path], check=True, cwd=root)
    for path in written:
        if path.suffix != ".png":
            again = (tmp_path / path.name).read_bytes()
            assert sha256(again).digest() == sha256(path.read_bytes()).digest(), path.name


def test_files_bear_no_date(written):
    for path in written:
        assert not re.search(rb"CreationDate|<dc:date>|\b20\d\d-\d\d-\d\d", path.read_bytes())


def test_type_is_embedded_as_text(written):
    for path in written:
        if path.suffix == ".pdf":
            assert b"/FontFile2" in path.read_bytes()
            assert b"/Type3" not in path.read_bytes()


def test_only_what_is_asked_for(results, tmp_path):
    paths = write_figures(results, tmp_path, clock="steps", workloads=["a"], formats=["svg"])
    assert [path.name for path in paths] == [f"{name}.svg" for name in NAMES]


def test_trials_that_were_not_timed_have_no_clock_to_draw(tmp_path):
    (tmp_path / "suite.json").write_text(json.dumps(declared(("a",), studies=1)))
    record = {"status": "target_reached", "timed": False}
    write_trial(tmp_path, "x", "a", hit(3.0), record=record)
    paths = write_figures(tmp_path, tmp_path / "f", clock="steps", formats=["svg"])
    assert [path.stem for path in paths] == ["profiles", "ratios", "curves", "scores"]


def test_an_unknown_format_is_named(results, tmp_path):
    with pytest.raises(UsageError, match="unknown format 'pgn': did you mean 'png'"):
        write_figures(results, tmp_path / "f", formats=["pgn"])
    assert not (tmp_path / "f").exists()


def test_where_nothing_can_be_written_is_named(results, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AlgoperfLiteError, match="file"):
        write_figures(results, tmp_path / "file", formats=["svg"])
