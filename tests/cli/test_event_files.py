"""Event files are read back with TensorBoard's own reader."""

import json
import sys
from types import ModuleType

import pytest
import tiny

from algoperf_lite.errors import MachineError
from algoperf_lite.event_files import EventFiles
from algoperf_lite.records import EVALUATIONS_FILE, read_evaluations, trial_directory
from algoperf_lite.targets import NEVER
from tests.scoring import made_logs

NAME = "nadamw[learning_rate=0.05]"


@pytest.fixture
def read(monkeypatch):
    """A function giving what TensorBoard finds in a directory, and in no directory below it."""
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("notf"))  # no TensorFlow
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def accumulated(directory):
        found = EventAccumulator(str(directory))
        found.Reload()
        return found

    return accumulated


def points(found, tag):
    return [(event.step, pytest.approx(event.value)) for event in found.Scalars(tag)]


def spec(submission="s", **changes):
    return {"submission_name": submission, "workload_name": "w", "study": 0, "trial": 1,
            "ruleset": "external", "hyperparameters": {"lr": 0.1, "nesterov": True, "on": None},
            "budget_seconds": 10.0, "max_steps": None} | changes  # fmt: skip


def plan(files, value=4.2):
    target = {"metric": "bleu", "value": value, "direction": "maximize"}
    workload = {"name": "w", "target": target, "step_hint": 500}
    files.observe({"event": "plan", "trials": [], "todo": 1, "workloads": [workload]})


def run(files, rows, record, **changes):
    trial = spec(**changes)
    files.observe({"event": "start", "trial": trial})
    files.observe({"event": "progress", "trial": trial, "doing": "compiling"})
    for step, seconds, value in rows:
        files.observe({"event": "progress", "trial": trial, "step": step, "seconds": seconds,
                       "value": value, "train_loss": 1.0})  # fmt: skip
    if record:
        files.observe({"event": "done", "trial": trial, "record": record})
    return files.directory / trial["submission_name"] / "w" / "study_0_trial_1"


def test_a_run_is_read_back_as_it_was_recorded_and_a_resumed_one_repeats_nothing(
    results, tmp_path, cli, read
):
    again = ("run", "-w", tiny.__file__, "-s", NAME, "--quick", "--max-steps", "100",
             "--executor", "inline", "--devices", "1", "--tensorboard")  # fmt: skip
    assert cli(*again, "--results", tmp_path)[0] == 0
    place = tmp_path / "tensorboard" / NAME / "tiny" / "study_0_trial_1"
    found = read(place)
    rows = read_evaluations(trial_directory(tmp_path, NAME, 0, "tiny", 1) / EVALUATIONS_FILE)
    curve = found.Scalars("validation/loss")
    assert [(e.step, e.value) for e in curve] == [
        (row["global_step"], pytest.approx(row["validation/loss"])) for row in rows
    ]
    seconds = [row["accumulated_submission_time"] for row in rows]
    assert [e.wall_time - curve[0].wall_time for e in curve] == pytest.approx(
        [s - seconds[0] for s in seconds], abs=1e-5
    )
    assert len(found.Scalars("train/loss")) == len(rows)

    code, _, _ = cli(*again, "--results", results)  # all recorded before, without event files
    assert code == 0
    assert not (results / "tensorboard").exists()


def test_scores_know_the_directory(tmp_path, cli):
    made_logs.write_trial(tmp_path, "s", "a", made_logs.hit(2.0))
    (tmp_path / "suite.json").write_text(json.dumps(made_logs.declared(("a",))))
    (tmp_path / "tensorboard" / "s").mkdir(parents=True)
    code, out, _ = cli("score", tmp_path)
    assert code == 0
    assert "tensorboard" not in out


def test_a_trial_that_reached_the_target_has_a_time_and_one_that_did_not_has_none(tmp_path, read):
    with EventFiles(tmp_path) as files:
        plan(files)
        hit = run(files, [(10, 1.0, 3.0), (20, 2.5, 4.5)],
                  {"status": "target_reached", "steps": 20, "seconds": 2.5})  # fmt: skip
        miss = run(files, [(10, 1.0, float("nan"))],
                   {"status": "diverged", "reason": "nan", "steps": 10, "seconds": 1.0},
                   submission="t")  # fmt: skip
    assert points(read(hit), "validation/bleu") == [(10, 3.0), (20, 4.5)]
    assert points(read(hit), "time_to_target") == [(20, 2.5)]
    assert "time_to_target" not in read(miss).Tags()["scalars"]
    (status,) = read(miss).Tensors("status/text_summary")
    assert status.tensor_proto.string_val[0] == b"diverged: nan"


def test_hyperparameters_and_how_it_ended_are_there_for_the_hparams_page(tmp_path, read):
    from tensorboard.plugins.hparams import plugin_data_pb2

    with EventFiles(tmp_path) as files:
        plan(files)
        place = run(files, [], {"status": "error", "reason": "x"})
    found = read(place)

    def content(tag):
        data = found.SummaryMetadata(f"_hparams_/{tag}").plugin_data
        assert data.plugin_name == "hparams"
        return plugin_data_pb2.HParamsPluginData.FromString(data.content)

    start = content("session_start_info").session_start_info.hparams
    assert start["lr"].number_value == 0.1
    assert start["nesterov"].bool_value is True
    assert start["on"].string_value == "None"
    assert (start["submission"].string_value, start["workload"].string_value) == ("s", "w")
    assert content("session_end_info").session_end_info.status == 2  # STATUS_FAILURE


def test_the_target_is_a_level_line_as_long_as_a_trial_may_be(tmp_path, read):
    with EventFiles(tmp_path) as files:
        plan(files)
        run(files, [], None)
        line = read(files.directory / "target" / "w").Scalars("validation/bleu")
        run(files, [], None, submission="t", budget_seconds=15.0)
        longer = read(files.directory / "target" / "w").Scalars("validation/bleu")
    assert [(e.step, e.value) for e in line] == [(0, pytest.approx(4.2)), (500, pytest.approx(4.2))]
    assert line[1].wall_time - line[0].wall_time == pytest.approx(10.0)
    assert longer[1].wall_time - longer[0].wall_time == pytest.approx(15.0)


def test_a_target_that_is_never_met_is_not_drawn(tmp_path):
    with EventFiles(tmp_path) as files:
        plan(files, NEVER)
        run(files, [], None)
    assert not (files.directory / "target").exists()


def test_a_trial_that_is_run_again_replaces_what_it_wrote(tmp_path, read):
    with EventFiles(tmp_path) as files:
        plan(files)
        place = run(files, [(10, 1.0, 3.0), (20, 2.0, 3.5)], None)  # and then Ctrl-C
    assert points(read(place), "validation/bleu") == [(10, 3.0), (20, 3.5)]
    with EventFiles(tmp_path) as files:
        plan(files)
        run(files, [(10, 1.0, 3.0)], None)
    assert points(read(place), "validation/bleu") == [(10, 3.0)]
    assert len(list(place.iterdir())) == 1


def test_a_submission_may_be_called_target(tmp_path, read):
    with EventFiles(tmp_path) as files:
        plan(files)
        place = run(files, [(10, 1.0, 3.0)], None, submission="target")
        run(files, [], None, submission="t", budget_seconds=15.0)
    assert points(read(place), "validation/bleu") == [(10, 3.0)]


def test_untimed_evaluations_have_a_step(tmp_path, read):
    with EventFiles(tmp_path) as files:
        plan(files)
        place = run(files, [(10, None, 3.0)], {"status": "stopped", "steps": 10, "seconds": None})
    assert points(read(place), "validation/bleu") == [(10, 3.0)]


def test_what_cannot_be_written_is_this_machines_fault(tmp_path):
    (tmp_path / "tensorboard").write_text("")
    with EventFiles(tmp_path) as files:
        plan(files)
        with pytest.raises(MachineError, match="cannot write"):
            run(files, [], None)


def test_without_the_extra_nothing_is_run(tmp_path, cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    code, _, err = cli("run", "-w", tiny.__file__, "-s", "nadamw", "--quick", "--tensorboard",
                       "--results", tmp_path / "r")  # fmt: skip
    assert code == 3
    assert "pip install 'algoperf_lite[tensorboard]'" in err
    assert not (tmp_path / "r").exists()
