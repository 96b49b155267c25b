"""Time training algorithms to a validation target on small, fixed JAX/Flax workloads.

The public names, imported when first used, so that importing this package imports no JAX:

* `prepare` downloads, prepares and checks the data of a workload;
* `run` times submissions on workloads; `score` reads the records back as a leaderboard; `verify`
  trains a sample of them again;
* `Workload`, `Dataset`, `Metric`, `Target` make a workload;
* `Submission`, `OptaxSubmission`, `Task`, `TrainState`, `Evaluation`, `Finished` make a submission.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from algoperf_lite.preparation import prepare as prepare
    from algoperf_lite.study import run as run
    from algoperf_lite.submission import (
        Evaluation as Evaluation,
    )
    from algoperf_lite.submission import (
        Finished as Finished,
    )
    from algoperf_lite.submission import (
        OptaxSubmission as OptaxSubmission,
    )
    from algoperf_lite.submission import (
        Submission as Submission,
    )
    from algoperf_lite.submission import (
        Task as Task,
    )
    from algoperf_lite.submission import (
        TrainState as TrainState,
    )
    from algoperf_lite.verifying import verify as verify
    from algoperf_lite.workload import (
        Dataset as Dataset,
    )
    from algoperf_lite.workload import (
        Metric as Metric,
    )
    from algoperf_lite.workload import (
        Target as Target,
    )
    from algoperf_lite.workload import (
        Workload as Workload,
    )
    from scoring import score as score

_HOME = {
    "prepare": "algoperf_lite.preparation",
    "run": "algoperf_lite.study",
    "score": "scoring",
    "verify": "algoperf_lite.verifying",
    **dict.fromkeys(("Dataset", "Metric", "Target", "Workload"), "algoperf_lite.workload"),
    **dict.fromkeys(
        ("Evaluation", "Finished", "OptaxSubmission", "Submission", "Task", "TrainState"),
        "algoperf_lite.submission",
    ),
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
