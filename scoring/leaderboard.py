"""From a results directory to a leaderboard."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.records import SUITE_FILE
from scoring import profiles
from scoring.board import Cell, Leaderboard, Row
from scoring.reader import Records, each_once, read_records
from scoring.speedup import speedups
from scoring.suite import RULESETS, Suite, load_suite
from scoring.times import TimeTable, time_table
from scoring.trial import Trial
from scoring.uncertainty import Intervals, bootstrap, ranks
from scoring.walk import Problem, require_directory, require_results


def score(
    results_dir: str | Path,
    suite: str | Path | Suite | None = None,
    workloads: Iterable[str] | None = None,
    integration: str = "exact",
    *,
    clock: str = "time",
    ruleset: str | None = None,
    baseline: str | None = None,
) -> Leaderboard:
    """Scores a results directory, of this project or of AlgoPerf.

    Args:
        results_dir: holds <submission>/study_<i>/<workload>_jax/trial_<k>/.
        suite: a suite, or the path of a suite file; by default the `suite.json` in the directory.
        workloads: only these workloads of the suite.
        integration: "exact", or "algoperf" for AlgoPerf's 100-point trapezoid.
        clock: what to count time by, see `scoring.clocks.CLOCKS`.
        ruleset: only submissions that are declared "external" or "self", ranked among themselves.
        baseline: a submission that speedups are taken over.

    Raises:
        UsageError: no such directory, nothing in it, no suite; an unknown workload, integration,
            clock, ruleset or baseline.

    Example:
        >>> board = score("results/demo")  # doctest: +SKIP
        >>> [(row.name, row.score) for row in board.rows]  # doctest: +SKIP
    """
    declared = find_suite(results_dir, suite)
    chosen = declared if workloads is None else declared.select(workloads)
    records = read_records(results_dir, chosen, known=declared.names, clock=clock)
    return from_records(
        records, chosen, integration=integration, ruleset=ruleset, baseline=baseline
    )


def find_suite(results_dir: str | Path, suite: str | Path | Suite | None = None) -> Suite:
    """The suite that a results directory is scored over: the one given, or the one it declares.

    Raises:
        UsageError: no such directory, or it declares none and none is given.
    """
    return suite if isinstance(suite, Suite) else load_suite(_suite_path(results_dir, suite))


def from_records(
    records: Records,
    suite: Suite,
    *,
    integration: str = "exact",
    ruleset: str | None = None,
    baseline: str | None = None,
) -> Leaderboard:
    """Scores trials that are read already; several leaderboards can come of one reading.

    Args:
        records: from `scoring.reader.read_records`; workloads that the suite lacks are left out.
        suite: the workloads to score over.
        integration: see `score`.
        ruleset: see `score`.
        baseline: see `score`.

    Raises:
        UsageError: an unknown integration, ruleset or baseline.
    """
    wanted = set(suite.names)
    trials = [trial for trial in records.trials if trial.workload in wanted]
    names = [*records.submissions, *(suite.submissions or ())]
    if ruleset is not None:
        names = _of_ruleset(names, suite, ruleset)
        if baseline is not None and suite.ruleset_of(baseline) not in (None, ruleset):
            raise UsageError(
                f"baseline {baseline!r} is of the ruleset {suite.ruleset_of(baseline)!r}, and only"
                f" those of {ruleset!r} are ranked: leave --ruleset out, or take another baseline"
            )
        trials = [trial for trial in trials if trial.submission in names]
        suite = suite.with_submissions(names)
    table = time_table(trials, suite, names)
    problems = each_once((*records.problems, *table.problems))
    return from_times(table, suite, integration, problems, records.clock, ruleset, baseline)


def from_times(
    table: TimeTable,
    suite: Suite,
    integration: str = "exact",
    problems: Iterable[Problem] = (),
    clock: str = "time",
    ruleset: str | None = None,
    baseline: str | None = None,
) -> Leaderboard:
    """Applies rules and score to a table of times; see `score`."""
    median, n_base = table.median, len(suite.base)
    base_names = [target.name for target in suite.base]
    base_index = [base_names.index(target.base) for target in suite.held_out]

    def scores_of(times: np.ndarray, slack: np.ndarray | None = None) -> np.ndarray:
        relative = profiles.relative_to_best(times, n_base, base_index, slack)
        return profiles.integrate(relative[..., :n_base], integration)

    faster = None
    if baseline is not None:
        if baseline not in table.submissions:
            raise unknown_name("baseline", baseline, table.submissions)
        faster = speedups(table, baseline, n_base)
    rows = _rows(
        table,
        suite,
        (profiles.relative_to_best(median, n_base, base_index), scores_of(median), faster),
        _states(median, n_base, base_index),
        bootstrap(table.of_study, scores_of),
    )
    return Leaderboard(
        base_workloads=tuple(base_names),
        held_out_workloads=tuple(target.name for target in suite.held_out),
        rows=tuple(sorted(rows, key=lambda row: (row.rank, row.name))),
        problems=tuple(problems),
        studies=table.studies,
        trials_found=table.found,
        trials_declared=table.declared,
        trials_noisy=sum(t.noisy for trials in table.trials.values() for t in trials),
        trials_on_host_loop=sum(t.host_loop for trials in table.trials.values() for t in trials),
        integration=integration,
        clock=clock,
        baseline=baseline,
        ruleset=ruleset,
    )


def _rows(
    table: TimeTable,
    suite: Suite,
    numbers: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    states: list[list[str]],
    intervals: Intervals | None,
) -> list[Row]:
    """A row per submission, from ratios [S, W], scores [S], speedups [S] or None, and the rest."""
    relative, scores, faster = numbers
    reached = np.isfinite(table.median[:, : len(suite.base)]).sum(axis=1)
    order = ranks(scores)
    rows = []
    for s, name in enumerate(table.submissions):
        cells = {
            workload: _cell(
                table, s, w, float(relative[s, w]), states[s][w],
                _pair(intervals.time[s, w]) if intervals else None,
                suite.trials_of(name) or 1,
            )
            for w, workload in enumerate(table.workloads)
        }  # fmt: skip
        row = Row(
            name=name,
            score=float(scores[s]),
            ruleset=suite.ruleset_of(name),
            cells=cells,
            targets_reached=int(reached[s]),
            rank=int(order[s]),
            score_interval=_pair(intervals.score[s]) if intervals else None,
            rank_interval=_pair(intervals.rank[s]) if intervals else None,
            speedup=None if faster is None else float(faster[s]),
        )
        rows.append(row)
    return rows


def _pair(ends: np.ndarray) -> tuple:
    return tuple(ends.tolist())


def _of_ruleset(names: Iterable[str], suite: Suite, ruleset: str) -> list[str]:
    if ruleset not in RULESETS:
        raise unknown_name("ruleset", ruleset, RULESETS)
    chosen = [name for name in names if suite.ruleset_of(name) == ruleset]
    if not chosen:
        raise UsageError(
            f"{suite.where}: declares no submission of the ruleset {ruleset!r}: leave --ruleset"
            ' out, or add "submissions": {NAME: {"ruleset": ...}} or one "ruleset" for all'
        )
    return chosen


def _states(median: np.ndarray, n_base: int, base_index: Sequence[int]) -> list[list[str]]:
    """For each [S, W], "reached", "missed" or the rule that took the time away."""
    after = profiles.after_each_rule(median[:, :n_base], median[:, n_base:], base_index)
    stages = [median, *(np.concatenate(times, axis=1) for times in after)]
    names = ("missed", "base_missed", "too_slow", "variant_missed")
    states = np.full(median.shape, "reached", dtype=object)
    for state, times in reversed(list(zip(names, stages, strict=True))):
        states[~np.isfinite(times)] = state  # the earliest reason stands
    return states.tolist()


def _cell(
    table: TimeTable,
    s: int,
    w: int,
    ratio: float,
    state: str,
    interval: tuple[float, float] | None,
    owed: int,
) -> Cell:
    trials = table.trials.get((table.submissions[s], table.workloads[w]), [])
    if not trials:
        state = "missing"
    of_study = table.of_study[:, s, w]
    reached = int(np.isfinite(of_study).sum())
    return Cell(
        time=float(table.median[s, w]),
        ratio=ratio,
        state=state,
        detail=_how_most_ended(trials) if state == "missed" else "",
        studies_reached=reached,
        studies_open=len(of_study) - reached - _missed_for_good(trials, owed),
        trials=len(trials),
        studies=tuple(of_study.tolist()),
        interval=interval,
    )


def _missed_for_good(trials: Sequence[Trial], owed: int) -> int:
    """Studies that have all the trials they owe, and none that reached the target."""
    met = {trial.study for trial in trials if trial.reached}
    tried = Counter(t.study for t in trials if t.status != "interrupted" and t.study not in met)
    return sum(count >= owed for count in tried.values())


def _how_most_ended(trials: Sequence[Trial]) -> str:
    """The commonest end of the trials that missed, if it was not merely the end of the budget."""
    ends = Counter(trial.status for trial in trials if not trial.reached)
    commonest = min(ends, key=lambda status: (-ends[status], status), default="")
    plain = {"budget_exhausted", "target_reached", "missed"}
    return "" if commonest in plain else commonest


def _suite_path(results_dir: str | Path, suite: str | Path | None) -> Path:
    if suite is not None:
        require_directory(results_dir)
        return Path(suite)
    require_results(results_dir)
    path = Path(results_dir) / SUITE_FILE
    if not path.exists():
        raise UsageError(
            f"{results_dir}: holds no {SUITE_FILE}: say which workloads and targets count with "
            "--suite FILE (this project's form or AlgoPerf's workload_targets JSON)."
        )
    return path
