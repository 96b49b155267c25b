import os
import sys

import pytest

from algoperf_lite.cli import invoke, output
from tests.scoring.made_logs import hit, write_trial


@pytest.fixture
def standard_output(monkeypatch):
    """Puts a descriptor in place of standard output."""
    opened = []

    def place(descriptor):
        opened.append(os.fdopen(descriptor, "w"))
        monkeypatch.setattr(sys, "stdout", opened[-1])

    yield place
    for file in opened:
        file.close()  # raises if anything is left that cannot be written


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("trials", [1, 300])
def test_a_full_disk_is_a_problem_of_the_machine(tmp_path, standard_output, capsys, form, trials):
    for study in range(trials):  # so many that they are written before the end, too
        write_trial(tmp_path, "x", "a", hit(2), study, record={"status": "target_reached"})
    standard_output(os.open("/dev/full", os.O_WRONLY))
    assert invoke(["show", str(tmp_path), *form]) == 3
    err = capsys.readouterr().err
    assert err.startswith("error: cannot write to standard output: No space left on device")
    assert err.count("\n") == 1


def test_a_reader_that_stopped_is_no_error(tmp_path, standard_output, capsys):
    write_trial(tmp_path, "x", "a", hit(2), record={"status": "target_reached"})
    readable, writable = os.pipe()
    os.close(readable)
    standard_output(writable)
    assert invoke(["show", str(tmp_path), "--json"]) == 0
    assert capsys.readouterr().err == ""


def test_only_blanks_at_the_ends_of_lines_are_left_out(capsys):
    output.stdout().print("a  b  \n  c ")
    assert capsys.readouterr().out == "a  b\n  c\n"
