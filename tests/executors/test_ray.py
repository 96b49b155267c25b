import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import ray_study
import tiny
from lasting import curve, lasting

import algoperf_lite
from algoperf_lite.errors import MachineError, UsageError
from algoperf_lite.executors import make_executor, ray_node
from algoperf_lite.executors.ray_slot import close_duplicates, specs, the_same, write_trials
from algoperf_lite.records import read_json
from algoperf_lite.spec import TrialSpec

SECONDS = 240  # for the whole program, which takes half a minute
EXITS = """import os, optax
from algoperf_lite import OptaxSubmission

def f(hp, task):
    os._exit(3)

submission = OptaxSubmission(f, default={'lr': 0.05})
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Studies of a cluster of two nodes, one of which is killed; and the same ones here."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: pip install 'algoperf_lite[ray]'")
    root = tmp_path_factory.mktemp("ray")
    (root / "exits.py").write_text(EXITS)
    submissions = ["nesterov", "nesterov[learning_rate=0.02]", str(root / "exits.py")]
    program = [sys.executable, "-W", "error", ray_study.__file__, str(root), *submissions]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               cwd=Path(tiny.__file__).parent, start_new_session=True)  # fmt: skip
    try:
        out, err = process.communicate(timeout=SECONDS)
    finally:
        if process.poll() is None:  # all of Ray's processes end with the one that started them
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, err
    settings = {**ray_study.SETTINGS, "executor": "inline", "devices": 1}
    local = algoperf_lite.run([tiny.__file__], submissions[:2], root / "local", timed=False,
                              **settings)  # fmt: skip
    events = json.loads((root / "events.json").read_text())
    return SimpleNamespace(root=root, out=out, err=err, local=local.trials, events=events)


def record(root, submission):
    return read_json(root / submission / "study_0" / "tiny_jax" / "trial_1" / "trial.json")


def test_no_trial_is_lost_with_its_node(cluster):
    lost = cluster.root / "lost"
    for here in cluster.local:
        there = record(lost, here["submission"])
        assert lasting(there) == lasting(here)
        assert curve(lost, there) == curve(cluster.root / "local", here) != []
    started = [e["trial"]["submission_name"] for e in cluster.events if e["event"] == "start"]
    ended = [e["trial"]["submission_name"] for e in cluster.events if e["event"] == "done"]
    assert len(started) == 4 and sorted(set(started)) == sorted(ended)  # one began twice


def test_a_worker_that_is_lost_is_recorded_as_on_this_machine(cluster):
    exits = record(cluster.root / "lost", "exits")
    assert exits["status"] == "error"
    assert "the worker process was lost: exited with code 3" in exits["reason"]
    directory = cluster.root / "lost" / "exits" / "study_0" / "tiny_jax" / "trial_1"
    assert read_json(directory / "hparams.json") == {"lr": 0.05}


def test_a_timed_trial_has_the_curve_of_one_on_this_machine(cluster):
    timed = record(cluster.root / "timed", "nesterov")
    assert timed["status"] == "target_reached" and timed["seconds"] > 0
    assert "timed" not in timed
    rows, here = curve(cluster.root / "timed", timed), cluster.local[0]
    assert rows == curve(cluster.root / "local", here) != []


def test_ray_says_nothing(cluster):
    assert "raylet" not in (cluster.out + cluster.err).lower()
    assert cluster.out.lstrip().startswith("#  submission")


def test_without_ray_the_error_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MachineError, match=r"needs Ray .*pip install 'algoperf_lite\[ray\]'"):
        make_executor("ray")


@pytest.mark.parametrize("name", ["process", "inline"])
def test_a_cluster_is_for_ray_alone(name):
    with pytest.raises(UsageError, match=f"--ray-address is for --executor ray, not {name}"):
        make_executor(name, ray_address="localhost:6379")


def test_jobs_are_for_this_machine():
    with pytest.raises(UsageError, match="--jobs 2 is for --executor process, not ray"):
        make_executor("ray", jobs=2)


class Slot:
    def __init__(self, machine, *devices):
        self.machine, self.devices, self.is_open = machine, devices, True

    def call(self, method, arguments):
        assert method == "device_names"
        return list(self.devices)

    def close(self):
        self.is_open = False


def test_of_slots_on_one_device_one_times():
    slots = [Slot("a", "cpu"), Slot("a", "cpu"), Slot("b", "cpu"), Slot("b", "gpu-0")]
    close_duplicates(slots)
    assert [slot.is_open for slot in slots] == [True, False, True, True]


def test_a_difference_between_machines_names_both_and_itself():
    a = {"workloads": [{"name": "w", "fingerprint": "1"}], "environment": {"host_threads": 2}}
    b = {"workloads": [{"name": "w", "fingerprint": "2"}], "environment": {"host_threads": 4}}
    the_same([("a", a), ("b", dict(a))], ("workloads", "environment"), "mend")
    with pytest.raises(UsageError, match="a and b differ in workloads: w, fingerprint: '1' and"):
        the_same([("a", a), ("b", b)], ("workloads",), "mend")
    with pytest.raises(UsageError, match="differ in environment: host_threads: 2 and 4; mend"):
        the_same([("a", a), ("b", b)], ("environment",), "mend")


def spec(results, trial):
    return TrialSpec(str(results), "s", "s", "f", "w", "w", "f", "external", 0, trial, {}, 0)


def test_records_replace_what_is_there_and_trial_json_is_the_last(tmp_path, monkeypatch):
    asked = spec(tmp_path, 1)
    trial = asked.directory
    trial.mkdir(parents=True)
    (trial / "old.csv").write_text("old")
    written, replace = [], Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: written.append(b.name) or replace(a, b))
    place = trial.relative_to(tmp_path).as_posix()
    files = {f"{place}/{n}": n.encode() for n in ("trial.json", "z.csv", "a.csv")}
    write_trials(files, [asked])
    assert written == ["z.csv", "a.csv", "trial.json"]
    assert {file.name: file.read_text() for file in trial.iterdir()} == {n: n for n in written}


def test_a_machine_that_cannot_write_records_says_so(tmp_path):
    (tmp_path / "s").write_text("in the way")
    with pytest.raises(MachineError, match="cannot write"):
        write_trials({"s/study_0/w_jax/trial_1/trial.json": b"{}"}, [spec(tmp_path, 1)])


@pytest.mark.parametrize("complete", [True, False])
def test_a_machine_writes_no_records_but_those_it_was_asked_for(tmp_path, complete):
    results = tmp_path / "r"
    kept = ["suite.json", "s/study_0/w_jax/trial_1/trial.json", "s/study_0/w_jax/trial_3/a.csv"]
    for name in kept:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("ours")
    place = "s/study_0/w_jax/trial_2"
    sent = ["suite.json", "note.txt", "../out", "s/study_0/w_jax/trial_1/trial.json", place,
            f"{place}/../trial_1/b", f"{place}/../../../../../out", f"{tmp_path}/out",
            f"{place}/a.csv", "s/study_0/w_jax/trial_22/a.csv"]  # fmt: skip
    sent += [f"{place}/trial.json"] * complete
    write_trials(dict.fromkeys(sent, b"theirs"), [spec(results, 2), spec(results, 3)])
    found = {f.relative_to(results).as_posix(): f.read_text()
             for f in results.rglob("*") if f.is_file()}  # fmt: skip
    new = [f"{place}/a.csv"] + [f"{place}/trial.json"] * complete
    assert found == dict.fromkeys(kept, "ours") | dict.fromkeys(new, "theirs")
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_what_a_call_may_write_are_its_trials():
    trials = [spec("r", 1), spec("r", 2)]
    assert specs("trial", asdict(trials[0])) == trials[:1]
    assert specs("vectorized", {"trials": [asdict(trial) for trial in trials]}) == trials
    assert specs("describe", {"workloads": []}) == []


def test_trials_are_written_apart_and_leave_no_checkpoints(tmp_path):
    moved = ray_node._moved("trial", {"results": "r", "checkpoint": True, "seed": 1}, tmp_path)
    assert moved == {"results": str(tmp_path), "checkpoint": False, "seed": 1}
    many = ray_node._moved("vectorized", {"trials": [{"results": "r"}] * 2}, tmp_path)
    assert [trial["results"] for trial in many["trials"]] == [str(tmp_path)] * 2
    assert ray_node._moved("describe", {"workloads": []}, tmp_path) == {"workloads": []}
