"""A comparison as a value: what it lists, and its JSON."""

import json
import math

from scoring.comparing.compare import compare
from tests.scoring import made_logs
from tests.scoring.comparing.made_comparisons import TIMES, slower, write


def test_what_could_be_worse_unseen_is_listed(tmp_path):
    times = dict.fromkeys("abcde", TIMES)
    old = write(tmp_path / "old", times | {"d": (None,) * 4})
    write(tmp_path / "old", times, "two")
    none = ("",) * 4
    made = {"a": none, "b": (*TIMES[:2], "", ""), "c": (*TIMES[:3], ""), "d": (None,) * 4}
    new = write(tmp_path / "new", made, declared=made_logs.declared("abcd", studies=4, trials=1))
    assert compare(old, new).untested == [
        "one on a: not tested: not run by B",
        "one on b: not tested: too few studies: 2, 3 are needed; B lacks 2 of 4 trials: left out",
        "one on c: tested in part: B lacks 1 of 4 trials: left out",
        "only in A, not compared: two",
        "declared by A alone, not compared: e",
    ]


def test_the_json_is_strict_and_whole(tmp_path):
    old = write(tmp_path / "old", {"a": TIMES, "b": (None,) * 4})
    new = write(tmp_path / "new", {"a": slower(1.3), "b": (None,) * 4})
    shown = json.loads(json.dumps(compare(old, new).to_json(), allow_nan=False))
    (found,) = shown["comparisons"]
    assert [row["mark"] for row in found["workloads"]] == ["+", "."]
    assert found["workloads"][1]["a"]["median"] is None
    assert found["a"]["submission"] == "one"
    assert len(shown["regressions"]) == 1
    assert not math.isnan(found["workloads"][0]["p"])
