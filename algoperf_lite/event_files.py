"""TensorBoard event files of a run, written from the events that `study.run` gives.

    <results>/tensorboard/<submission>/<workload>/study_<i>_trial_<k>/
        validation/<metric>, train/loss   a scalar per evaluation
        time_to_target                    on-clock seconds, if the target was reached
        status                            text: how the trial ended, and why
        hyperparameters                   for the HParams page, with submission, workload and so on
    <results>/tensorboard/target/<workload>/
        validation/<metric>               the target, a level line

A scalar's step is the training step; its time is that of the trial's begin plus the on-clock
seconds, so that TensorBoard's relative axis leaves out what the clock leaves out. Nothing of this
happens in the worker that is timed.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from algoperf_lite.errors import MachineError, unwritable
from algoperf_lite.targets import NEVER

if TYPE_CHECKING:
    from tensorboardX.proto.summary_pb2 import Summary

DIRECTORY = "tensorboard"
PREFIX = "events.out.tfevents."  # TensorBoard knows its files by it
FLUSH_SECONDS = 5.0
"""Between two writes to disk, each of which waits for the disk."""
_SUCCESS, _FAILURE = 1, 2  # of the HParams page's Status


class EventFiles:
    """Writes event files; `observe` is for `study.run`. A context manager, which closes them.

    A trial that is already recorded is not run, and so nothing is written of it; one that is run
    again replaces what its first run wrote.

    Args:
        results: the results directory of the run.

    Raises:
        MachineError: the package that writes event files is not installed.

    Example:
        >>> import algoperf_lite
        >>> with EventFiles("results/mine") as files:  # doctest: +SKIP
        ...     algoperf_lite.run(["zipf_lm"], ["nadamw"], "results/mine", observe=files.observe)
    """

    def __init__(self, results: str | Path):
        try:
            import tensorboardX  # noqa: F401, PLC0415
        except ImportError as error:
            raise MachineError(
                f"event files need a package that is not installed ({error}):"
                " pip install 'algoperf_lite[tensorboard]', or leave out --tensorboard"
            ) from error
        self.directory = Path(results).absolute() / DIRECTORY
        self._workloads: dict[str, dict[str, Any]] = {}
        self._open: dict[Path, _EventFile] = {}
        self._drawn: dict[str, tuple] = {}

    def __enter__(self) -> EventFiles:
        return self

    def __exit__(self, *exc: object) -> None:
        for file in self._open.values():
            file.close()
        self._open.clear()

    def observe(self, event: dict[str, Any]) -> None:
        """Take in one event of `study.run`.

        Raises:
            MachineError: a file cannot be written.
        """
        kind = event["event"]
        if kind == "plan":
            self._workloads |= {w["name"]: w for w in event["workloads"]}
        elif kind == "start":
            self._start(event["trial"])
        elif kind == "progress" and "step" in event:
            self._evaluated(event)
        elif kind == "done":
            self._done(event["trial"], event["record"])

    def _start(self, trial: dict[str, Any]) -> None:
        self._draw_target(trial)
        file = self._open[self._place(trial)] = _EventFile(self._place(trial))
        from tensorboardX.summary import hparams  # noqa: PLC0415

        file.add(hparams(_hyperparameters(trial), {})[1])

    def _evaluated(self, event: dict[str, Any]) -> None:
        trial, file = event["trial"], self._open[self._place(event["trial"])]
        metric = self._workloads[trial["workload_name"]]["target"]["metric"]
        values = {f"validation/{metric}": event["value"], "train/loss": event["train_loss"]}
        file.scalars(values, event["step"], event["seconds"])

    def _done(self, trial: dict[str, Any], record: dict[str, Any]) -> None:
        from tensorboardX.summary import text  # noqa: PLC0415

        status, reason = record["status"], record.get("reason")
        file = self._open.pop(self._place(trial))
        step, seconds = record.get("steps"), record.get("seconds")
        if status == "target_reached" and seconds is not None:
            file.scalars({"time_to_target": seconds}, step, seconds)
        file.add(text("status", f"{status}: {reason}" if reason else status), step, seconds)
        failed = status not in ("target_reached", "budget_exhausted")
        file.add(_session_end(_FAILURE if failed else _SUCCESS), step, seconds)
        file.close()

    def _draw_target(self, trial: dict[str, Any]) -> None:
        """A level line, as long as the longest trial of its workload may be."""
        workload = self._workloads[trial["workload_name"]]
        name, target = workload["name"], workload["target"]
        ends = trial["max_steps"] or workload["step_hint"], trial["budget_seconds"] or 0.0
        if abs(target["value"]) >= NEVER or ends <= self._drawn.get(name, (0, 0.0)):
            return
        self._drawn[name] = ends
        with _EventFile(self.directory / "target" / name) as file:
            for step, seconds in ((0, 0.0), ends):
                file.scalars({f"validation/{target['metric']}": target["value"]}, step, seconds)

    def _place(self, trial: dict[str, Any]) -> Path:
        of_workload = self.directory / trial["submission_name"] / trial["workload_name"]
        return of_workload / f"study_{trial['study']}_trial_{trial['trial']}"


class _EventFile:
    """The one event file of a directory; one that was there before is deleted.

    Args:
        directory: TensorBoard names a run after it.

    Raises:
        MachineError: it cannot be written.
    """

    def __init__(self, directory: Path):
        from tensorboardX import RecordWriter  # noqa: PLC0415
        from tensorboardX.proto.event_pb2 import SessionLog  # noqa: PLC0415

        self._began = time.time()
        self._flushed = self._began
        self._path = directory / f"{PREFIX}{self._began:.6f}.{socket.gethostname()}"
        try:
            for earlier in directory.glob(f"{PREFIX}*"):
                earlier.unlink()
            directory.mkdir(parents=True, exist_ok=True)
            self._writer = RecordWriter(str(self._path))
        except OSError as error:
            raise unwritable(self._path, error) from error
        self._write(file_version="brain.Event:2", wall_time=self._began)
        # A TensorBoard that is open forgets what it has read of an earlier run of the trial.
        self._write(session_log=SessionLog(status=SessionLog.START), wall_time=self._began)

    def __enter__(self) -> _EventFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def add(self, summary: Summary, step: int | None = 0, seconds: float | None = 0.0) -> None:
        """Add a summary at a step and at so many seconds from the trial's begin."""
        self._write(summary=summary, step=step or 0, wall_time=self._began + (seconds or 0.0))

    def scalars(self, values: dict[str, float], step: int | None, seconds: float | None) -> None:
        """Add scalars."""
        from tensorboardX.proto.summary_pb2 import Summary  # noqa: PLC0415

        made = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self.add(Summary(value=made), step, seconds)

    def close(self) -> None:
        """Close the file."""
        self._on_disk(self._writer.close)

    def _write(self, **event: Any) -> None:
        from tensorboardX.proto.event_pb2 import Event  # noqa: PLC0415

        self._on_disk(self._writer.write, Event(**event).SerializeToString())
        if time.time() - self._flushed > FLUSH_SECONDS:
            self._on_disk(self._writer.flush)
            self._flushed = time.time()

    def _on_disk(self, write: Any, *arguments: Any) -> None:
        try:
            write(*arguments)
        except OSError as error:
            raise unwritable(self._path, error) from error


def _hyperparameters(trial: dict[str, Any]) -> dict[str, Any]:
    """The point, and what tells the trial from others, as numbers, texts and truth values."""
    named = {key: trial[key] for key in ("study", "trial", "ruleset")}
    names = {"submission": trial["submission_name"], "workload": trial["workload_name"]}
    return {
        name: value if isinstance(value, bool | int | float | str) else str(value)
        for name, value in {**trial["hyperparameters"], **names, **named}.items()
    }


def _session_end(status: int) -> Summary:
    """How a trial ended, for the HParams page."""
    from tensorboardX.proto.plugin_hparams_pb2 import (  # noqa: PLC0415
        HParamsPluginData,
        SessionEndInfo,
    )
    from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata  # noqa: PLC0415

    content = HParamsPluginData(version=0, session_end_info=SessionEndInfo(status=status))
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=content.SerializeToString())
    value = Summary.Value(
        tag="_hparams_/session_end_info", metadata=SummaryMetadata(plugin_data=plugin)
    )
    return Summary(value=[value])
