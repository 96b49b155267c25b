"""Time training algorithms to a validation target on small, fixed JAX/Flax workloads.

The public names, imported when first used, so that importing this package imports no JAX:

* `run` times submissions on workloads; `score` reads the records back as a leaderboard;
* `Workload`, `Dataset`, `Metric`, `Target` make a workload;
* `Submission`, `OptaxSubmission`, `Task`, `TrainState`, `Evaluation`, `Finished` make a submission.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algoperf_lite.study import run as run
    from algoperf_lite.submission import (
        Evaluation as Evaluation,
        Finished as Finished,
        OptaxSubmission as OptaxSubmission,
        Submission as Submission,
        Task as Task,
        TrainState as TrainState,
    )
    from algoperf_lite.workload import (
        Dataset as Dataset,
        Metric as Metric,
        Target as Target,
        Workload as Workload,
    )
    from scoring import score as score

_HOME = {
    "run": "algoperf_lite.study",
    "score": "scoring",
    **dict.fromkeys(("Dataset", "Metric", "Target", "Workload"), "algoperf_lite.workload"),
    **dict.fromkeys(
        ("Evaluation", "Finished", "OptaxSubmission", "Submission", "Task", "TrainState"),
        "algoperf_lite.submission",
    ),
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
