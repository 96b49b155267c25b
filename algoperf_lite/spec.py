"""What one trial is to do, as plain data that travels to a worker process. Imports no JAX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from algoperf_lite.records import trial_directory

BUDGET_FACTOR = {"external": 1.0, "self": 1.5}
"""Of a workload's budget that a trial has, by ruleset."""
_PRIVATE = ("results", "submission", "workload", "stop_hopeless", "timed", "checkpoint")


@dataclass(frozen=True)
class TrialSpec:
    """One cell of a plan: a submission at a hyperparameter point on a workload.

    Attributes:
        results: results directory.
        submission: selector of the submission.
        submission_name: its name in records.
        submission_fingerprint: of its code and fixed hyperparameters.
        workload: selector of the workload.
        workload_name: its name in records.
        workload_fingerprint: see `Workload.fingerprint`.
        ruleset: ``"external"`` or ``"self"``.
        study: from 0.
        trial: from 1.
        hyperparameters: the full point.
        seed: of initialisation, batch order and every random draw.
        budget_seconds: on-clock budget, or None; untimed, all it does is to be in the `Task`.
        max_steps: most steps, or None.
        stop_hopeless: end it when a forecast says that it will miss its target; an exploration's.
        timed: whether the clock runs; without, trials may share a device and have no seconds.
        checkpoint: whether evaluations leave a checkpoint, from which the trial goes on later.
    """

    results: str
    submission: str
    submission_name: str
    submission_fingerprint: str
    workload: str
    workload_name: str
    workload_fingerprint: str
    ruleset: str
    study: int
    trial: int
    hyperparameters: Mapping[str, Any]
    seed: int
    budget_seconds: float | None = None
    max_steps: int | None = None
    stop_hopeless: bool = False
    timed: bool = True
    checkpoint: bool = False

    @property
    def directory(self) -> Path:
        """Where its record goes."""
        return trial_directory(
            Path(self.results), self.submission_name, self.study, self.workload_name, self.trial
        )

    def identity(self) -> dict[str, Any]:
        """What trial.json says of which trial this is."""
        fields = asdict(self)
        for private in _PRIVATE:
            fields.pop(private)
        fields["submission"] = fields.pop("submission_name")
        fields["workload"] = fields.pop("workload_name")
        return fields
