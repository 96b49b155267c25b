"""Kills a study at random moments, goes on with it, and looks at what is left each time.

    python -m benchmarks.kill_points [--kills 100] [--seed 0] [--json]

A process that has imported all there is to import, but not touched a device, forks one that runs a
small study, and sends it SIGKILL after a random amount of processor time; the next one goes on in
the same directory. A study that gets to its end is compared, file by file and bit by bit, with one
that was never interrupted, and another is begun. Every other study leaves checkpoints. After each
kill the directory is scored: only trials that have ended may count.
"""

import contextlib
import csv
import gc
import io
import json
import mmap
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from importlib import import_module
from pathlib import Path

import click

HERE = Path(__file__).parent
WORKLOAD, SUBMISSION = str(HERE / "killed/points.py"), str(HERE / "killed/decaying.py")
STUDY = {"studies": 1, "trials": 6, "max_steps": 20}
IMPORTED = ("algoperf_lite.study", "algoperf_lite.executors.inline", "scoring.leaderboard",
            "orbax.checkpoint", "scipy.stats", "tensorflow_datasets", "tree",
            "tensorflow_datasets.core.data_sources.array_record", "jaxlib.mlir.dialects.mhlo",
            "array_record.python.array_record_data_source")  # fmt: skip
TIMED_COLUMNS = {"accumulated_eval_time", "accumulated_logging_time", "total_duration", "score",
                 "accumulated_submission_time", "preemption_count"}  # fmt: skip
TIMED_FIELDS = {"seconds", "robust_seconds", "interpolated_seconds", "clock", "off_clock", "noisy",
                "drifted", "contention", "window_seconds_per_step", "calibration_kernel_seconds",
                "resumed_at", "peak_memory_bytes", "evaluations_sha256"}  # fmt: skip
PHASES = ("starting", "reading data", "beginning a record", "compiling", "warming up",
          "going on from a checkpoint", "training", "evaluating", "writing rows",
          "saving a checkpoint", "ending a record", "removing a checkpoint", "next")  # fmt: skip
EARLY = 0.15  # share of the kills that fall before the first evaluation of a study begun anew
REACH = 0.35  # the others fall within so much of the time that is left then


class Child:
    """A forked process that runs the study, and says in shared memory what it is doing."""

    def __init__(self):
        self._phase = mmap.mmap(-1, 1)
        self._first = None

    def mark(self):
        """Have the parts of a trial say that they run; before the first fork."""
        from algoperf_lite.checkpoints import Checkpoints  # noqa: PLC0415
        from algoperf_lite.executors.worker import Worker  # noqa: PLC0415
        from algoperf_lite.records import TrialRecorder  # noqa: PLC0415
        from algoperf_lite.trial import Trial  # noqa: PLC0415

        for owner, name, during, after in (
            (Worker, "trial", "reading data", "next"),
            (TrialRecorder, "__init__", "beginning a record", None),
            (Worker, "_program", "compiling", None),
            (Trial, "_train", "training", None),
            (Trial, "_warmed_up", "warming up", None),
            (Checkpoints, "restore", "going on from a checkpoint", None),
            (Trial, "assess", "evaluating", None),
            (TrialRecorder, "evaluation", "writing rows", None),
            (TrialRecorder, "measurement", "writing rows", None),
            (Checkpoints, "save", "saving a checkpoint", None),
            (TrialRecorder, "finish", "ending a record", None),
            (Checkpoints, "remove", "removing a checkpoint", None),
        ):
            setattr(owner, name, self._marked(getattr(owner, name), during, after))

    def _marked(self, function, during, after):
        def marked(*args, **kwargs):
            before, self._phase[0] = self._phase[0], PHASES.index(during)
            try:
                return function(*args, **kwargs)
            finally:
                self._phase[0] = PHASES.index(after) if after else before

        return marked

    def run(self, results, checkpoint, kill_after=None):
        """Run the study in a new process.

        Returns:
            Where it was when it was killed, after so many seconds of processor time; None if it
            came to its end before.
        """
        self._phase[0] = 0
        pid = os.fork()
        if not pid:
            _study(results, checkpoint)
        clock = (~pid << 3) | 2  # processor time of a process, see clock_getcpuclockid(3)
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended and status:
                raise click.ClickException(f"the study in {results} failed with status {status}")
            if ended:
                return None
            left = 1.0 if kill_after is None else kill_after - time.clock_gettime(clock)
            if left <= 0:
                break
            time.sleep(min(max(left / 4, 5e-4), 0.01))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        return PHASES[self._phase[0]] if os.WIFSIGNALED(status) else None


def _study(results, checkpoint):
    """In the child: run, then end without Python's tidying up."""
    import algoperf_lite  # noqa: PLC0415

    code = 1
    seconds = {}

    def observe(event):
        if "step" in event:
            seconds.setdefault("first", time.process_time())

    try:
        algoperf_lite.run([WORKLOAD], [SUBMISSION], results, executor="inline", devices=1,
                          checkpoint=checkpoint, observe=observe, **STUDY)  # fmt: skip
        seconds["last"] = time.process_time()
        (results.parent / f"{results.name}.seconds").write_text(json.dumps(seconds))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def content(results):
    """What a study leaves, without what times it: file to value. Checkpoints are no record."""
    found = {}
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results).as_posix()
        if path.is_dir() or "/checkpoint/" in name or name == ".lock":
            continue
        if path.suffix == ".csv":
            rows = csv.DictReader(io.StringIO(path.read_text()))
            found[name] = [{k: v for k, v in r.items() if k not in TIMED_COLUMNS} for r in rows]
        else:
            record = json.loads(path.read_text())
            record = {k: v for k, v in record.items() if k not in TIMED_FIELDS}
            if "compiles_on_clock" in record:
                record["compiles_on_clock"] = record["compiles_on_clock"]["count"]
            found[name] = record
    return found


def check_score(results):
    """Score what a killed study left. Returns how many trials have ended.

    Raises:
        AssertionError: a trial without its end counts.
    """
    from algoperf_lite.errors import UsageError  # noqa: PLC0415
    from scoring import score  # noqa: PLC0415

    if not results.exists():
        return 0  # killed before it had written anything
    ended = [json.loads(path.read_text()) for path in results.rglob("trial.json")]
    times = [trial["seconds"] for trial in ended if trial["status"] == "target_reached"]
    try:
        counted = [row["times"] for row in score(results).to_json()["submissions"]]
    except UsageError as error:  # it says so where there is no trial yet
        assert not ended and "holds no trials" in str(error), error
        return 0
    assert counted == [{"points": min(times, default=None)}], (counted, times)
    return len(ended)


def campaign(kills, seed, directory):
    """Kill studies in `directory` until so many kills were made.

    Returns:
        JSON-ready: kills by phase and by trials ended, studies and trials compared, those that
        differ, trials that went on from a checkpoint, what is left of checkpoints.
    """
    child, draws = Child(), random.Random(seed)
    child.mark()
    whole, seconds = {}, {}
    child.run(directory / "cold", checkpoint=False)  # fills the cache of compiled programs
    for checkpoint in (False, True):
        results = directory / f"whole_{checkpoint}"
        child.run(results, checkpoint)
        whole[checkpoint] = content(results)
        seconds[checkpoint] = json.loads((directory / f"{results.name}.seconds").read_text())
    told = {"kills": 0, "phases": Counter(), "trials_ended": Counter(), "studies": 0, "trials": 0,
            "differing": [] if whole[False] == whole[True] else ["with checkpoints, uninterrupted"],
            "resumed": 0, "checkpoints_left": 0}  # fmt: skip
    while told["kills"] < kills:
        results = directory / str(told["studies"])
        checkpoint = told["studies"] % 2 == 0
        _kill_until_whole(child, results, checkpoint, seconds[checkpoint], draws, kills, told)
        told["studies"] += 1
        found = content(results)
        trials = [json.loads(path.read_text()) for path in results.rglob("trial.json")]
        told["trials"] += len(trials)
        told["resumed"] += sum("resumed_at" in trial for trial in trials)
        told["checkpoints_left"] += sum(1 for path in results.rglob("checkpoint"))
        if found != whole[checkpoint]:
            told["differing"] += [f"{results.name}/{name}" for name in {*found, *whole[checkpoint]}
                                  if found.get(name) != whole[checkpoint].get(name)]  # fmt: skip
    return told


def _kill_until_whole(child, results, checkpoint, seconds, draws, kills, told):
    """Run one study to its end, with all the interruptions that are due."""
    while True:
        first, last = seconds["first"], seconds["last"]
        early = draws.random() < EARLY
        span = (0, first) if early else (first, first + REACH * (last - first))
        moment = draws.uniform(*span) if told["kills"] < kills else None
        killed = child.run(results, checkpoint, moment)
        ended = check_score(results)
        if killed is None:
            return
        told["kills"] += 1
        told["phases"][killed] += 1
        told["trials_ended"][ended] += 1


@contextlib.contextmanager
def prepared():
    """A scratch directory; what children need is imported, and made small, but no device used."""
    with tempfile.TemporaryDirectory() as scratch:
        os.environ |= {"ALGOPERF_LITE_HOME": f"{scratch}/home", "JAX_PLATFORMS": "cpu",
                       "ALGOPERF_LITE_LOCKS": f"{scratch}/locks"}  # fmt: skip
        for module in IMPORTED:
            import_module(module)
        from algoperf_lite import environment, registry  # noqa: PLC0415

        environment.time_calibration_kernel = lambda: 1.0  # what is timed is not looked at
        registry.find_workload(WORKLOAD)
        registry.find_submission(SUBMISSION)
        gc.collect()
        gc.freeze()
        gc.disable()  # children live for less than a second
        yield Path(scratch)


@click.command()
@click.option("--kills", default=100, show_default=True, help="How many.")
@click.option("--seed", default=0, show_default=True, help="Of the moments.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(kills, seed, as_json):
    """Kill a study at random moments, and compare what it comes to."""
    with prepared() as scratch:
        told = campaign(kills, seed, scratch)
    if as_json:
        click.echo(json.dumps(told, indent=1))
    else:
        for name, value in told.items():
            click.echo(f"{name}: {value}")
    sys.exit(bool(told["differing"]))


if __name__ == "__main__":
    main()
