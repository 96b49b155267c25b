"""Damages records at random and scores them: nothing may crash, and no miss may become a hit.

    python -m benchmarks.fuzz_records [--mutations 20000] [--draw-every 500] [--seed 0] [--json]

Small results directories are made with the writer of real records, and with logs as AlgoPerf writes
them beside those. Each trial changes one file (csv, trial.json or suite.json) in one to three
places: bits flipped, bytes overwritten, deleted, inserted, doubled or swapped, the end cut off, a
number or name made another value. Then the directory is scored, and read whole for a report; now
and then it is drawn, and compared with the whole one, as well. What must hold, whatever the damage:

  * nothing but a UsageError is raised;
  * no file is reported twice;
  * a csv of ours that changed at all is reported, and its trial does not count;
  * a trial.json is reported, or still is a JSON object;
  * of our trials none is a hit that was none, and hits keep their time.

Logs without a trial.json have no digest, so a changed digit in them, or in the target of a suite
that they are scored by, cannot be noticed: of those only the first two hold.
"""

import json
import random
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from algoperf_lite.errors import UsageError
from algoperf_lite.records import (
    EVALUATIONS_FILE,
    SUITE_FILE,
    TRIAL_FILE,
    TrialRecorder,
    trial_directory,
    write_json,
)
from scoring.comparing.compare import compare
from scoring.figures import write_figures
from scoring.leaderboard import find_suite, from_records
from scoring.reader import read_records
from scoring.report.payload import payload

KINDS = ("flip", "overwrite", "delete", "insert", "double", "swap", "truncate", "value")
# What a number or a name becomes: values of all the types that JSON has, and of none.
VALUES = (b"null", b"true", b"-1", b"0", b"NaN", b"1e999", b"1e300", b'"x"', b"[]", b"{}", b"")
_TOKEN = re.compile(rb'"[^"\n]*"|[-+.\w]+')
TARGET = {"metric": "loss", "value": 1.0, "direction": "minimize"}
# By workload: how our trial ends, and its (seconds, loss) at each evaluation; the budget is 25 s.
TRIALS = {
    "reached": ("target_reached", [(9.5, 3.25), (20.5, 0.875)]),
    "late": ("budget_exhausted", [(10.5, 2.5), (20.25, 1.125), (30.75, 0.75)]),
    "missed": ("budget_exhausted", [(11.25, 4.5), (26.125, 1.0625)]),
    "failed": ("error", [(7.25, 0.5)]),
}


def tokens(data: bytes) -> list[tuple[int, int]]:
    """Where the numbers, names and texts of a file begin and end."""
    return [found.span() for found in _TOKEN.finditer(data)]


@dataclass(frozen=True)
class Mutation:
    """A change of bytes.

    Attributes:
        kind: one of `KINDS`.
        at: where, modulo the length of the file; of a value which, modulo how many there are.
        length: of the block that is deleted, doubled or swapped, at most; of a value which of
            `VALUES` it becomes, modulo their number.
        fill: what is inserted or written over.
    """

    kind: str
    at: int
    length: int
    fill: bytes

    def apply(self, data: bytes) -> bytes:
        """The changed bytes; possibly the same, as where equal blocks are swapped."""
        if self.kind == "value":
            return self._with_another_value(data)
        at = self.at % max(len(data), 1)
        end = at + self.length
        before, block, after = data[:at], data[at:end], data[end:]
        changed = {
            "flip": bytes(byte ^ 1 << self.length % 8 for byte in data[at : at + 1])
            + data[at + 1 :],
            "overwrite": self.fill + data[at + len(self.fill) :],
            "delete": after,
            "insert": self.fill + data[at:],
            "double": block + block + after,
            "swap": after[: self.length] + block + after[self.length :],
            "truncate": b"",
        }
        return before + changed[self.kind]

    def _with_another_value(self, data: bytes) -> bytes:
        places = tokens(data)
        if not places:
            return data
        start, end = places[self.at % len(places)]
        return data[:start] + VALUES[self.length % len(VALUES)] + data[end:]


@dataclass(frozen=True)
class World:
    """A results directory as it was made: its files' bytes, and the times of what was a hit."""

    root: Path
    clock: str
    files: dict[Path, bytes]
    times: dict[tuple, float]

    @classmethod
    def make(cls, root: Path, clock: str = "time", foreign: bool = True) -> "World":
        """Writes a directory with trials of ours and, if `foreign`, some without a trial.json."""
        for workload, (status, rows) in TRIALS.items():
            _write_ours(root, workload, status, rows)
            if foreign:
                _write_foreign(root, workload, rows)
        target = {"target_metric_name": "loss", "validation_target_value": TARGET["value"]}
        declared = {
            "schema": 1,
            "base_workloads": list(TRIALS),
            "workloads": {name: {**target, "step_hint": 30, "tier": "lite"} for name in TRIALS},
            "studies": 1,
            "trials": 1,
            "submissions": {"ours": {"ruleset": "self"}, "foreign": {"ruleset": "self"}},
        }
        write_json(root / SUITE_FILE, declared)
        files = {
            path: path.read_bytes()
            for pattern in (EVALUATIONS_FILE, TRIAL_FILE, SUITE_FILE)
            for path in sorted(root.rglob(pattern))
        }
        return cls(root, clock, files, _hits(read_records(root, find_suite(root), clock=clock)))

    def check(self, path: Path, mutations: Iterable[Mutation], draw: bool = False) -> str:
        """Damages a file, scores, and mends it again.

        Args:
            path: the file.
            mutations: what happens to it, one after another.
            draw: draw the figures, and compare with the whole directory, too.

        Returns:
            "unchanged", "refused" (a UsageError), "reported" or "unnoticed".

        Raises:
            AssertionError: something above does not hold.
        """
        data = self.files[path]
        for mutation in mutations:
            data = mutation.apply(data)
        if data == self.files[path]:
            return "unchanged"
        path.write_bytes(data)
        try:
            suite = find_suite(self.root)
            records = read_records(self.root, suite, clock=self.clock)
            board = from_records(records, suite)
            json.dumps(board.to_json(), allow_nan=False)
            # A baseline that damage has renamed would be refused there: none is given.
            json.dumps(payload(self.root, clock=self.clock), allow_nan=False)
            if draw:
                self._draw()
        except UsageError:
            return "refused"
        finally:
            path.write_bytes(self.files[path])
        reported = [problem.path for problem in board.problems]
        assert len(set(reported)) == len(reported), reported
        self._check_hits(path, _hits(records))
        if self._is_ours(path):
            self._check_reported(path, data, records, reported)
        return "reported" if reported else "unnoticed"

    def _draw(self) -> None:
        """Draws the damaged directory, and compares it with a whole one."""
        with tempfile.TemporaryDirectory() as directory:
            write_figures(self.root, directory, clock=self.clock, formats=("svg",))
            whole = Path(directory, "whole")
            for path, data in self.files.items():
                copy = whole / path.relative_to(self.root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(data)
            json.dumps(compare(whole, self.root, clock=self.clock).to_json(), allow_nan=False)

    def _check_hits(self, path: Path, hits: dict[tuple, float]) -> None:
        for identity, time in hits.items():
            if identity[0] == "ours":
                assert identity in self.times, f"{identity} became a hit"
                if self.clock in ("time", "steps"):
                    assert time == self.times[identity], f"{identity} changed its time"
            elif path.name != SUITE_FILE and "foreign" not in path.parts:
                assert self.times[identity] == time

    def _check_reported(self, path: Path, data: bytes, records, reported: list[str]) -> None:
        if path.name == EVALUATIONS_FILE:
            assert str(path) in reported, "a changed csv was not reported"
            (trial,) = (t for t in records.trials if t.path == str(path.parent))
            assert not trial.reached
        elif str(path) not in reported:
            assert isinstance(json.loads(data), dict), "a broken trial.json was not reported"

    def _is_ours(self, path: Path) -> bool:
        return "ours" in path.parts


def _hits(records) -> dict[tuple, float]:
    return {
        (t.submission, t.workload, t.study, t.number): t.time for t in records.trials if t.reached
    }


def _write_ours(root: Path, workload: str, status: str, rows: list[tuple]) -> None:
    directory = trial_directory(root, "ours", 0, workload, 1)
    versions = {"python": "3.11.7", "versions": {"jax": "0.10.2"}}
    recorder = TrialRecorder(directory, ["loss"], {"learning_rate": 0.014}, versions)
    for i, (seconds, loss) in enumerate(rows, 1):
        row = {"accumulated_submission_time": seconds, "score": seconds, "validation/loss": loss}
        common = {"accumulated_eval_time": 0.5 * i, "global_step": 10 * i, "preemption_count": 0}
        recorder.evaluation({**row, **common, "validation/num_examples": 128})
    seconds = rows[-1][0]
    recorder.finish(
        {
            "submission": "ours",
            "workload": workload,
            "study": 0,
            "trial": 1,
            "seed": 7,
            "hyperparameters": {"learning_rate": 0.014},
            "budget_seconds": 25.0,
            "target": TARGET,
            "environment": versions,
            "status": status,
            "reason": None if status == "target_reached" else "because",
            "steps": 10 * len(rows),
            "seconds": seconds,
            "robust_seconds": seconds,
            "noisy": False,
            "drifted": True,
            "clock": {"data": 0.25, "update": seconds - 1, "eval_params": 0.5, "on_eval": 0.25},
            "compiles_on_clock": {"count": 0, "seconds": 0.0},
            "off_clock": {"compile": 3.5, "evaluation": 0.5},
            "window_seconds_per_step": [1.0 for _ in rows],
            "calibration_kernel_seconds": [0.011, 0.013],
            "flops_per_step": 1e6,
            "peak_memory_bytes": 2**30,
        }
    )


def _write_foreign(root: Path, workload: str, rows: list[tuple]) -> None:
    path = trial_directory(root, "foreign", 0, workload, 1) / EVALUATIONS_FILE
    path.parent.mkdir(parents=True)
    names = "accumulated_submission_time,global_step,validation/loss,validation/num_examples"
    lines = [f"{seconds},{10 * i},{loss},128" for i, (seconds, loss) in enumerate(rows, 1)]
    path.write_text("\n".join([names, *lines]) + "\n")


def make_worlds(root: Path) -> list[World]:
    """Directories of both kinds of logs, and of ours alone for the clocks that need records."""
    clocks = {"time": True, "steps": True, "robust": False, "time+compile": False}
    return [World.make(root / clock, clock, foreign) for clock, foreign in clocks.items()]


def run(mutations: int, seed: int, draw_every: int = 500) -> dict[str, dict[str, int]]:
    """Tries so many damages; counts by file name of what became of them."""
    rng = random.Random(seed)
    root = Path(tempfile.mkdtemp(prefix="fuzz_"))
    found: dict[str, Counter] = {}
    try:
        worlds = make_worlds(root)
        for i in range(mutations):
            world = rng.choice(worlds)
            path = rng.choice(list(world.files))
            changes = [_random_mutation(rng) for _ in range(rng.randint(1, 3))]
            try:
                outcome = world.check(path, changes, draw=i % draw_every == draw_every - 1)
            except Exception as error:
                error.add_note(f"{path.relative_to(root)} changed by {changes}")
                raise
            whose = " of ours" if "ours" in path.parts else " of others"
            name = path.name + ("" if path.name == SUITE_FILE else whose)
            found.setdefault(name, Counter())[outcome] += 1
    finally:
        shutil.rmtree(root)
    return {name: dict(counts) for name, counts in sorted(found.items())}


def _random_mutation(rng: random.Random) -> Mutation:
    # Digits and punctuation keep a file readable more often than bytes at large.
    plausible = rng.choices(b'0123456789.,-e"{}[]:\n', k=rng.randint(1, 4))
    fill = bytes(plausible) if rng.random() < 0.7 else rng.randbytes(rng.randint(1, 8))
    return Mutation(rng.choice(KINDS), rng.randrange(1 << 20), rng.randint(1, 64), fill)


@click.command()
@click.option("--mutations", default=20000, show_default=True, help="Damages to try.")
@click.option("--draw-every", default=500, show_default=True, help="Draw one of so many.")
@click.option("--seed", default=0, show_default=True, help="Of the damages.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(mutations, draw_every, seed, as_json):
    """Damage records at random and score them."""
    found = run(mutations, seed, draw_every)
    if as_json:
        click.echo(json.dumps({"mutations": mutations, "seed": seed, "outcomes": found}, indent=1))
        return
    for name, counts in found.items():
        shown = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        click.echo(f"{name}: {shown}")
    click.echo(f"{mutations} damages tried: no crash, no miss became a hit")


if __name__ == "__main__":
    main()
