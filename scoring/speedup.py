"""Geometric-mean speedup over a named baseline."""

import numpy as np

from scoring.times import TimeTable


def speedups(table: TimeTable, baseline: str, base_workloads: int) -> np.ndarray:
    """How many times faster than the baseline each submission reaches the targets.

    The geometric mean over base workloads of t_baseline / t, before the rules of the score. A miss
    is counted at the budget: of the submission on that workload or, where none is recorded, when
    the last trial of that workload ended, whosever it was.

    Args:
        table: of all submissions, `baseline` among them.
        baseline: its name.
        base_workloads: how many of the table's workloads are base workloads; they come first.

    Returns:
        [S]; NaN where a workload was run by nobody.

    Example:
        >>> table = TimeTable(("a", "b"), ("w",), np.array([[[6.0], [np.inf]]]), {}, limits=
        ...                   np.array([[9.0], [9.0]]))
        >>> speedups(table, "a", 1).round(3).tolist()
        [1.0, 0.667]
    """
    times = np.where(np.isfinite(table.median), table.median, table.limits)[:, :base_workloads]
    reached = np.isfinite(table.median[:, :base_workloads])
    # A target met by the untrained model takes 0 s, and log(0) is no number.
    times = np.where(reached, np.maximum(times, np.finfo(float).tiny), times)
    times = np.where(times > 0, times, np.nan)
    logs = np.log(times)
    return np.exp((logs[table.submissions.index(baseline)] - logs).mean(axis=1))
