"""Honest submissions are not accused, whatever they import, start, cache or count."""

import pytest
import tiny

import algoperf_lite
from algoperf_lite.executors.inline import InlineExecutor
from algoperf_lite.records import read_json, write_json
from scoring import score

HONEST = (
    "schedule_free_adamw",
    "on_plateau[patience=1]",
    "cyclical_curriculum",
    "optax:adabelief[learning_rate=0.01]",
)
COUNTS = """
import functools, logging, random, warnings
from dataclasses import dataclass
from toys import PlainSgd
seen = 0

@functools.lru_cache
def cached(n):
    return n

@dataclass(frozen=True, kw_only=True)
class Counting(PlainSgd):
    def on_eval(self, history, hp, task):
        global seen
        seen += cached(len(history))
        random.random()
        logging.getLogger("mine").setLevel("ERROR")
        import optax.contrib
        return {"learning_rate": hp["learning_rate"] * 0.9}

submission = Counting(default={"learning_rate": 0.05})
"""


@pytest.mark.parametrize("submission", HONEST)
def test_submissions_of_every_kind_are_let_be(executor, tmp_path, submission):
    run = algoperf_lite.run([tiny.__file__], [submission], tmp_path, quick=True, max_steps=20,
                            executor=executor)  # fmt: skip
    assert run.trials[0]["status"] in ("budget_exhausted", "target_reached"), run.trials[0][
        "reason"
    ]


def test_state_of_its_own_and_imports_are_no_offence_with_streams_and_checkpoints(
    tmp_path, monkeypatch
):
    """Grain's threads and Orbax's come and go while it trains."""
    monkeypatch.setenv("ALGOPERF_LITE_DEVICE_DATA_BYTES", "0")
    path = tmp_path / "counting.py"
    path.write_text(COUNTS)
    run = algoperf_lite.run([tiny.__file__], [str(path)], tmp_path / "r", quick=True, max_steps=40,
                            checkpoint=True, executor=InlineExecutor(devices=1))  # fmt: skip
    assert run.trials[0]["streamed"] is True
    assert run.trials[0]["status"] == "budget_exhausted", run.trials[0]["reason"]


SHAPES = """
import jax
from dataclasses import dataclass
from toys import PlainSgd

@dataclass(frozen=True, kw_only=True)
class Knows(PlainSgd):
    def update(self, state, batch, loss_fn, hp, task, key):
        known = (4, 8) in {s.shape for s in jax.tree.leaves(task.param_shapes)}
        rate = hp["learning_rate"] if known else 0.0
        return super().update(state, batch, loss_fn, {"learning_rate": rate}, task, key)

submission = Knows(default={"learning_rate": 0.3})
"""
FAIR = "import toys\nsubmission = toys.sgd.fix({'learning_rate': 0.3})\n"
WIDER = """
import tiny
workload = tiny.workload.with_variant("wider", model=tiny.Net(width=12))
"""


def test_who_knows_a_workload_by_its_shapes_loses_it_by_the_held_out_variant(executor, tmp_path):
    for name, text in {"knows": SHAPES, "wider": WIDER}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "fair.py").write_text(FAIR)
    run = algoperf_lite.run(
        [tiny.__file__, str(tmp_path / "wider.py")],
        [str(tmp_path / "knows.py"), str(tmp_path / "fair.py")],
        tmp_path / "r", quick=True, max_steps=100, executor=executor,
    )  # fmt: skip
    reached = {
        (t["submission"], t["workload"]): t["status"] == "target_reached" for t in run.trials
    }
    assert reached == {
        ("knows", "tiny"): True, ("knows", "tiny_wider"): False,
        ("fair", "tiny"): True, ("fair", "tiny_wider"): True,
    }  # fmt: skip
    suite = read_json(tmp_path / "r" / "suite.json")
    suite |= {"base_workloads": ["tiny"], "held_out_workloads": ["tiny_wider"]}
    write_json(tmp_path / "r" / "suite.json", suite)
    board = score(tmp_path / "r", clock="steps").to_json()
    scores = {s["name"]: s["score"] for s in board["submissions"]}
    assert scores["knows"] == 0 < scores["fair"]
