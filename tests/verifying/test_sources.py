"""The code of recorded trials, as it is now."""

import json

import pytest
import tiny

from algoperf_lite.errors import UsageError
from tests.verifying.tampering import FIRST, SECOND, TEXT, only


def test_code_that_is_not_there_or_has_changed_is_never_taken_for_reproduced(
    recorded, verify, tmp_path, folder
):
    changed = tmp_path / "second.py"
    changed.write_text(TEXT.format("sgd"))
    files = {"tiny": tiny.__file__, "second": str(changed)}
    found = verify(recorded, elsewhere=files)
    assert {v.outcome for v in found.verdicts} == {"unverifiable"}
    assert "have changed since" in only(found).reason
    assert "no file " in only(found, FIRST).reason
    assert only(found, FIRST).reason.endswith("say where: -S first=PATH.py")
    assert not found.ok
    other = {**files, "second": f"{folder}/second.py", "tiny": f"{tiny.__file__}[batch_size=10]"}
    assert only(verify(recorded, elsewhere=other)).reason == "the workload has changed since"
    with pytest.raises(UsageError, match="-S: unknown submission or workload 'thrid'"):
        verify(recorded, elsewhere={"thrid": "third.py"})


def test_a_path_in_a_suite_is_not_followed(results, verify, tmp_path):
    trap = tmp_path / "away" / "second.py"
    trap.parent.mkdir()
    trap.write_text("raise SystemExit('followed')")
    suite = json.loads((results / "suite.json").read_text())
    suite["submissions"][SECOND]["selector"] = str(trap)
    (results / "suite.json").write_text(json.dumps(suite))
    found = verify(results, submissions=[SECOND], elsewhere={"tiny": tiny.__file__})
    assert "no file " in only(found).reason
