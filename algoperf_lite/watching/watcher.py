"""Looks at a results directory again and again, reading what has changed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from algoperf_lite.errors import UsageError
from algoperf_lite.records import (
    EVALUATIONS_FILE,
    HYPERPARAMETERS_FILE,
    SUITE_FILE,
    TRIAL_FILE,
    trial_directory,
)
from algoperf_lite.watching.reading import (
    Files,
    Stamp,
    clock_of,
    judge_all,
    last_row,
    read_ended,
    stamp,
    stat,
)
from algoperf_lite.watching.situation import Ended, Running, Situation, seconds_left
from scoring.clocks import STEP_COLUMN, TIME_COLUMN
from scoring.evaluations import MalformedError
from scoring.live import Identity, Standings, standings
from scoring.reader import each_once
from scoring.suite import Suite, WorkloadTarget, load_suite
from scoring.walk import Problem, TrialPath


class Watcher:
    """Tells what is going on in a results directory.

    Trials are those that the directory's suite.json declares; nothing else in it is looked at.

    Args:
        results: the directory; it need not exist yet.

    Example:
        >>> Watcher("nowhere").look().state
        'absent'
    """

    def __init__(self, results: str | Path):
        self.results = Path(results)
        self._suite: Suite | None = None
        self._suite_stamp: Stamp | None = None
        self._trials: list[tuple[TrialPath, WorkloadTarget, str]] = []
        self._stamps: dict[Identity, Stamp] = {}
        self._files: dict[Identity, Files] = {}
        self._unreadable: dict[str, str] = {}
        self._ended: tuple[Ended, ...] | None = None  # until they are judged
        self._problems: list[Problem] = []
        self._clock = "time"
        self._latest: tuple[str, Stamp | None, dict[str, float]] = ("", None, {})
        self._standings: Standings | None = None

    def look(self, now: float | None = None) -> Situation:
        """What is going on now.

        Args:
            now: seconds since 1970; by default the clock's.
        """
        root = stat(self.results)
        if root is None:
            return Situation(self.results, "absent")
        self._read_suite()
        if self._suite is None:
            return Situation(self.results, "undeclared", problems=self._told(),
                             sign_of_life=root.st_mtime)  # fmt: skip
        todo = self._read_records(self._suite)
        running = self._running(self._suite, todo)
        ended = self._ended
        signs = [root.st_mtime, *(e.at for e in ended[:1]), *([running.at] if running else [])]
        return Situation(
            results=self.results,
            state="running" if running else "idle" if todo else "complete",
            suite=self._suite,
            ended=ended,
            declared=len(self._trials),
            running=running,
            standings=self._standings,
            seconds_left=seconds_left(
                ended, [t for t, _ in todo], running, time.time() if now is None else now
            ),
            problems=self._told(),
            sign_of_life=max(signs),
            clock=self._clock,
        )

    def _told(self) -> tuple[str, ...]:
        unreadable = (Problem(path, what) for path, what in self._unreadable.items())
        return tuple(map(str, each_once((*unreadable, *self._problems))))

    def _read_suite(self) -> None:
        path = self.results / SUITE_FILE
        now = stamp(stat(path))
        if now == self._suite_stamp:
            return
        self._suite_stamp = now
        self._suite, self._standings, self._trials = None, None, []
        self._ended, self._problems = None, []
        for cache in (self._stamps, self._files, self._unreadable):
            cache.clear()
        if now is None:
            return
        try:
            self._suite = _declared(path)
        except UsageError as error:  # perhaps half-written: the next look may find it whole
            self._unreadable[str(path)] = str(error).removeprefix(f"{path}: ")
            return
        self._trials = list(_trials(self.results, self._suite))

    def _read_records(self, suite: Suite) -> list[tuple[TrialPath, WorkloadTarget]]:
        """Read the records that are new or have changed; returns the trials still to do."""
        todo, changed = [], self._ended is None
        for trial, target, path in self._trials:
            status, key = stat(path), trial.identity
            now = stamp(status)
            if now != self._stamps.get(key):
                changed = True
                self._stamps.pop(key, None)
                self._files.pop(key, None)
                self._unreadable.pop(path, None)
                if now is not None:
                    self._stamps[key] = now
                    self._read_files(trial, target, path, status.st_mtime)
            if key not in self._files:
                todo.append((trial, target))
        if changed:
            self._judge(suite)
        return todo

    def _read_files(self, trial: TrialPath, target: WorkloadTarget, path: str, at: float) -> None:
        try:
            files = read_ended(trial, target, at)
        except MalformedError as error:
            self._unreadable[path] = str(error)
            return
        if files is not None:
            self._files[trial.identity] = files

    def _judge(self, suite: Suite) -> None:
        self._clock = clock_of(self._files.values(), suite)
        ended, self._problems = judge_all(self._files.values(), suite, self._clock)
        self._ended = tuple(sorted(ended, key=lambda e: (-e.at, e.trial.identity)))
        if suite.declared.get("points") != "given":  # points of an exploration
            self._standings = standings({e.trial.identity: e.time for e in ended}, suite)

    def _running(
        self, suite: Suite, todo: Iterable[tuple[TrialPath, WorkloadTarget]]
    ) -> Running | None:
        """The trial without a record whose directory was written to last."""
        begun = [
            (found.st_mtime, trial, target)
            for trial, target in todo
            if trial.identity not in self._stamps and (found := stat(trial.path))
        ]
        if not begun:
            return None
        at, trial, target = max(begun, key=lambda item: item[0])
        first = stat(os.path.join(trial.path, HYPERPARAMETERS_FILE))
        path = os.path.join(trial.path, EVALUATIONS_FILE)
        growing = stat(path)
        if self._latest[:2] != (path, stamp(growing)):
            self._latest = path, stamp(growing), last_row(path)
        latest, alike = self._latest[2], self._alike(suite, trial)
        return Running(
            trial=trial,
            target=target,
            began=first.st_mtime if first else at,
            at=max(at, growing.st_mtime) if growing else at,
            step=int(latest[STEP_COLUMN]) if STEP_COLUMN in latest else None,
            seconds=latest.get(TIME_COLUMN),
            value=latest.get(target.column),
            budget=alike and alike.budget,
            max_steps=suite.declared.get("max_steps") or (alike and alike.max_steps),
        )

    def _alike(self, suite: Suite, running: TrialPath) -> Ended | None:
        """A trial that has ended, on the same workload under the same ruleset: of equal limits."""
        ruleset = suite.ruleset_of(running.submission)
        alike = (
            ended
            for ended in self._ended
            if ended.trial.workload == running.workload
            and suite.ruleset_of(ended.trial.submission) == ruleset
        )
        return next(alike, None)


def _declared(path: Path) -> Suite:
    suite = load_suite(path)
    if not (suite.submissions and suite.studies and suite.trials):
        raise UsageError(
            "declares no submissions, studies or trials, so what is still to come is unknown:"
            " `algoperf-lite run` writes one that does"
        )
    return suite


def _trials(results: Path, suite: Suite) -> Iterable[tuple[TrialPath, WorkloadTarget, str]]:
    """Each declared trial, its workload's target, and the path of its trial.json."""
    for study in range(suite.studies):
        for number in range(1, suite.trials + 1):
            for target in suite.workloads:
                for name in suite.submissions:
                    if number <= suite.trials_of(name):
                        path = str(trial_directory(results, name, study, target.name, number))
                        trial = TrialPath(name, study, target.name, number, path)
                        yield trial, target, os.path.join(path, TRIAL_FILE)
