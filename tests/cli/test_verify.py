import json
import re
import shutil

import pytest
import tiny

INLINE = ("--executor", "inline", "-S", f"tiny={tiny.__file__}")


def test_what_reproduces_exits_0_with_a_line_for_each(cli, results):
    code, out, err = cli("verify", results, *INLINE, "--sample", "2", "--seed", "4")
    assert code == 0, err
    assert "drawn: 2 of 2 trials, --seed 4" in err
    assert "tiny nesterov study 0 trial 1: target_reached" in err
    for name in ("nesterov", r"nadamw\[learning_rate=0.05\]"):
        assert re.search(rf"^tiny +{name} +0/1 +\d+ +reproduces, bit-equal at \d+ eval", out, re.M)
    assert "2 trials: 2 reproduce.\n" in out
    assert "Times are not verified. The same draw: --seed 4, of 2 trials." in out


def test_a_forged_number_exits_1(cli, results, tmp_path):
    copy = shutil.copytree(results, tmp_path / "r")
    file = copy / "nesterov" / "study_0" / "tiny_jax" / "trial_1" / "measurements.csv"
    file.write_text(file.read_text()[:-9] + "\n")  # fewer digits
    code, out, _ = cli("verify", copy, *INLINE, "--all", "--json")
    found = json.loads(out)
    assert code == 1
    assert not found["ok"]
    assert {v["submission"]: v["outcome"] for v in found["verdicts"]} == {
        "nesterov": "differs", "nadamw[learning_rate=0.05]": "equal"}  # fmt: skip
    assert found["verdicts"][0]["path"].startswith(str(copy))


def test_what_cannot_be_verified_exits_1_with_the_reason(cli, results):
    code, out, _ = cli("verify", results, *INLINE[:2], "-s", "nesterov")
    assert code == 1
    assert "cannot be verified: unknown workload 'tiny'; if its file lies elsewhere" in out
    assert "1 trial: 1 cannot be verified. None was verified." in out


def test_a_tampered_record_is_named_without_a_rerun(cli, results, tmp_path):
    copy = shutil.copytree(results, tmp_path / "r")
    for file in copy.rglob("eval_measurements.csv"):
        file.write_text(file.read_text() + "\n")
    code, out, err = cli("verify", copy, *INLINE)
    assert code == 1
    assert out.count("altered: eval_measurements.csv has changed since the trial ended") == 2
    assert "drawn: 0 of 0 trials" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "nowhere: no such results directory"),
        (("-S", "tiny"), "-S tiny: write NAME=PATH.py"),
        (("--sample", "0"), "--sample must be at least 1"),
        (("-s", "nesterof"), "unknown submission 'nesterof': did you mean 'nesterov'"),
        (("--devices", "99"), "--devices 99, but there are 4"),
    ],
)
def test_bad_requests_exit_2_with_the_mend(cli, results, arguments, message):
    where = () if arguments[0] == "nowhere" else (results,)
    code, _, err = cli("verify", *where, *arguments, "--executor", "inline")
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_names_with_brackets_are_told_from_their_paths():
    from algoperf_lite.cli.verify import _elsewhere

    assert _elsewhere("sgd[lr=0.1]=a/b.py[lr=0.1]") == ("sgd[lr=0.1]", "a/b.py[lr=0.1]")
    assert _elsewhere("sgd=a=b.py") == ("sgd", "a=b.py")
