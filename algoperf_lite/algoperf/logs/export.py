"""Writes a results directory as logs that AlgoPerf's own scorer scores as ours does.

    <dest>/logs/<submission>/study_<i>/<workload>_jax/trial_<k>/
        eval_measurements.csv  measurements.csv  hparams.json  meta_data_0.json
    <dest>/workload_targets.json
    <dest>/export.json              what became of names, and what was left out

AlgoPerf's scorer (mlcommons/submissions_algorithms, scoring/score_submissions.py) takes whatever
lies beside the submissions for a submission, so the targets lie above them. They are of the form
that its `scoring/config.py` reads since metrics have a `target_metric_goal`; the form before knew
no such key, refused it, and guessed the direction from the name.
"""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import Any

from algoperf_lite.algoperf.logs import rows as tables
from algoperf_lite.algoperf.logs.beside import VERSION, meta_data, targets_json
from algoperf_lite.algoperf.logs.names import directory_names, metric_name, workload_names
from algoperf_lite.algoperf.logs.rows import Rows
from algoperf_lite.errors import UsageError, unwritable_output
from algoperf_lite.records import (
    ENVIRONMENT_FILE,
    EVALUATIONS_FILE,
    HYPERPARAMETERS_FILE,
    MEASUREMENTS_FILE,
    finite,
    trial_directory,
)
from scoring.board import Leaderboard
from scoring.leaderboard import find_suite, from_records
from scoring.reader import read_records
from scoring.record import VOID_STATUSES
from scoring.suite import Suite
from scoring.times import TimeTable, time_table
from scoring.trial import Trial

_PATTERN = re.compile(r"[][*?(){}+|^$\\]")
LOGS = "logs"
TARGETS_FILE = "workload_targets.json"
EXPORT_FILE = "export.json"


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        source: the results directory.
        dest: where to.
        submissions: the directory of each submission.
        workloads: AlgoPerf's name of each workload.
        metrics: AlgoPerf's name of each target's metric.
        trials: how many were written.
        void: of those, how many never count, by status.
        standing_in: studies without a trial, for which a trial without an evaluation was written.
        emptied: evaluations that met their target and do not count: that cell was left empty.
        moved: trials that rows without an evaluation were put before.
        per_study: numbers of trials that studies have.
        board: what AlgoPerf's scorer should come to.
    """

    source: Path
    dest: Path
    submissions: Mapping[str, str]
    workloads: Mapping[str, str]
    metrics: Mapping[str, str]
    board: Leaderboard
    trials: int = 0
    void: Mapping[str, int] = field(default_factory=dict)
    standing_in: int = 0
    emptied: int = 0
    moved: int = 0
    per_study: frozenset[int] = frozenset()

    @property
    def scores(self) -> dict[str, float]:
        """The score of each submission, by the name that AlgoPerf's scorer prints, best first."""
        return {self.submissions[row.name]: row.score for row in self.board.rows}

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON-ready values."""
        names = ("submissions", "workloads", "metrics", "trials", "void", "standing_in", "emptied")
        said = {name: getattr(self, name) for name in (*names, "moved", "scores")}
        return {"source": str(self.source), "dest": str(self.dest), **said}


@dataclass(frozen=True)
class _Written:
    """One trial to write, of so many; `trial` is None of one that stands for a study of none."""

    place: Path
    rows: Rows
    trial: Trial | None = None
    of: int = 0


def export_logs(
    results_dir: str | Path,
    dest: str | Path | None = None,
    suite: str | Path | Suite | None = None,
    workloads: Iterable[str] | None = None,
    ruleset: str | None = None,
) -> Export:
    """Writes the trials of a results directory as AlgoPerf's logs.

    AlgoPerf's scorer, given the directory `logs` and `workload_targets.json`, then comes to the
    scores of `scoring.score(results_dir, ..., integration="algoperf")`. See `Export` for what is
    changed to that end, and `Export.board` for the scores.

    Args:
        results_dir: where the records are.
        dest: a new directory; by default `<results_dir>-algoperf`, beside it.
        suite: see `scoring.score`.
        workloads: only these of the suite.
        ruleset: only submissions of this ruleset.

    Raises:
        UsageError: what `scoring.score` raises, trials that were not timed among it; `dest` is
            there already, lies in the records, or is a pattern to AlgoPerf's scorer; no name of a
            variant leads to its base.
        MachineError: it cannot be written.

    Example:
        >>> export_logs("results/demo").scores  # doctest: +SKIP
        {'schedule_free_adamw': 0.9989, 'nadamw': 0.9738, 'nesterov': 0.6005}
    """
    source = Path(results_dir)
    declared = find_suite(source, suite)
    chosen = declared if workloads is None else declared.select(workloads)
    dest = _free(source, dest)
    records = read_records(source, chosen, known=declared.names)
    board = from_records(records, chosen, integration="algoperf", ruleset=ruleset)
    names = sorted(row.name for row in board.rows)
    table = time_table([t for t in records.trials if t.submission in names], chosen, names)
    bases, renamed = workload_names(chosen)
    made = Export(
        source=source,
        dest=dest,
        submissions=directory_names(names),
        workloads=renamed,
        metrics={target.metric: metric_name(target.metric) for target in chosen.workloads},
        board=board,
    )
    stage = dest.with_name(f".{dest.name}.{os.getpid()}")
    try:
        stage.mkdir(parents=True)
        made = _write_trials(made, stage / LOGS, table, chosen)
        _write_json(stage / TARGETS_FILE, targets_json(chosen, bases, renamed))
        _write_json(stage / EXPORT_FILE, made.to_json())
        stage.rename(dest)
    except OSError as error:
        raise unwritable_output(dest, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return made


def _free(source: Path, dest: str | Path | None) -> Path:
    """Where to write; nothing is overwritten, nor put among the records."""
    resolved = source.resolve()
    named = source if source.name not in ("", "..") else resolved
    dest = named.with_name(f"{named.name}-algoperf") if dest is None else Path(dest)
    if odd := sorted(set(_PATTERN.findall(str(dest)))):
        raise UsageError(
            f"{dest}: AlgoPerf's scorer reads {' '.join(odd)} in a path as a pattern, and finds"
            " nothing there: choose another place with -o"
        )
    where = dest.resolve()
    if where == resolved or where in resolved.parents or resolved in where.parents:
        raise UsageError(f"{dest} and {source} lie in each other: choose another place with -o")
    if dest.exists() and (not dest.is_dir() or any(dest.iterdir())):
        raise UsageError(
            f"{dest} is there already, and nothing is overwritten: remove it, or choose another"
            " place with -o"
        )
    return dest


def _write_trials(made: Export, logs: Path, table: TimeTable, suite: Suite) -> Export:
    """Writes all trials, one workload after the other; the same export with what came of it."""
    void: Counter[str] = Counter()
    per_study: set[int] = set()
    trials = standing_in = emptied = moved = 0
    for target in suite.workloads:
        metric = metric_name(target.metric)
        to_write = [
            written
            for name, directory in made.submissions.items()
            for study, of_study in _studies(table, suite, name, target.name).items()
            for written in _study(
                [logs, directory, study, made.workloads[target.name]], of_study, suite
            )
        ]
        columns = tables.columns_of((written.rows for written in to_write), metric)
        meta = meta_data([written.trial for written in to_write if written.trial], suite)
        for written in to_write:
            _write_trial(written, columns, meta)
            emptied += written.rows.emptied
            if written.trial is None:
                standing_in += 1
                continue
            trials += 1
            moved += written.rows.moved > 0 and written.rows.hit is not None
            per_study.add(written.of)
            if written.trial.status in VOID_STATUSES:
                void[written.trial.status] += 1
    return replace(
        made,
        trials=trials,
        void=dict(sorted(void.items())),
        standing_in=standing_in,
        emptied=emptied,
        moved=moved,
        per_study=frozenset(per_study),
    )


def _studies(table: TimeTable, suite: Suite, name: str, workload: str) -> dict[int, list[Trial]]:
    """A submission's trials on a workload by study; none for a study that counts as a miss.

    AlgoPerf's scorer takes the median over the studies that are there.
    """
    seen = {t.study for w in table.workloads for t in table.trials.get((name, w), ())}
    unused = (i for i in count() if i not in seen)
    numbers = range(table.studies) if suite.studies else seen
    numbers = [*numbers, *islice(unused, table.studies - len(numbers))]
    studies: dict[int, list[Trial]] = {number: [] for number in sorted(numbers)}
    for trial in table.trials.get((name, workload), ()):
        studies[trial.study].append(trial)
    return studies


def _study(place: Sequence[Any], trials: Sequence[Trial], suite: Suite) -> Iterator[_Written]:
    """The trials to write of one study; place is where its logs are, as `trial_directory` asks."""
    if not trials:
        yield _Written(trial_directory(*place, 1), tables.moved(Rows({}), 1))
        return
    targets = {target.name: target for target in suite.workloads}
    read = [
        tables.read_rows(Path(t.path, EVALUATIONS_FILE), targets[t.workload], t.hit) for t in trials
    ]
    times = [trial.time for trial in trials]
    for trial, rows in zip(
        trials, tables.in_order(list(zip(times, read, strict=True))), strict=True
    ):
        yield _Written(trial_directory(*place, trial.number), rows, trial, len(trials))


def _write_trial(written: _Written, columns: Sequence[str], meta: Mapping[int, dict]) -> None:
    place, trial = written.place, written.trial
    place.mkdir(parents=True)
    (place / EVALUATIONS_FILE).write_text(tables.as_csv(written.rows, columns))
    if trial is None:
        _write_json(place / ENVIRONMENT_FILE, {f"{VERSION}.status": "missing"})
        return
    for name in (MEASUREMENTS_FILE, HYPERPARAMETERS_FILE):
        if (path := Path(trial.path, name)).is_file():
            shutil.copyfile(path, place / name)
    _write_json(place / ENVIRONMENT_FILE, meta[id(trial)])


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(finite(content), indent=2, allow_nan=False) + "\n")
