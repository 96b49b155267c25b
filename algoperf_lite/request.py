"""What a run may be asked for; a request that contradicts itself is refused before anything runs.

Imports no JAX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from algoperf_lite.errors import UsageError, check_divides
from algoperf_lite.plan import STUDIES, TRIALS, Protocol


def check_names(
    workloads: Sequence[str],
    submissions: Sequence[str],
    suite: str | None,
    held_out_seed: int | None,
) -> None:
    """Refuse a request that names nothing to run, or names it in the wrong way.

    Raises:
        UsageError: as of all functions here.
    """
    if isinstance(workloads, str) or isinstance(submissions, str):
        raise UsageError("workloads and submissions are lists of selectors, as in ['zipf_lm']")
    if held_out_seed is not None and suite is None:
        raise UsageError("held-out variants are drawn for a suite: give --suite NAME too")
    if not (workloads or suite) or not submissions:
        raise UsageError(
            "name at least one workload (-w NAME) or a suite (--suite NAME), and one submission"
            " (-s NAME)"
        )


def check_ways(
    points: Mapping[int, Mapping[str, Any]] | None,
    max_steps: int | None,
    vectorize: int | None,
    stop_hopeless: bool,
    timed: bool,
    jobs: int,
) -> None:
    """Refuse ways of running that do not go together."""
    if vectorize is not None and (points is None or max_steps is None or vectorize < 2):
        raise UsageError("vectorize takes points, max_steps, and at least 2 points a program")
    if stop_hopeless and points is None:
        raise UsageError("stop_hopeless is for points that are explored, never for scored runs")
    if jobs < 1:
        raise UsageError(f"--jobs must be at least 1, not {jobs}")
    if jobs > 1 and timed:
        raise UsageError(
            f"--jobs {jobs} runs trials side by side, which spoils their times: give --untimed too"
        )


def make_protocol(
    quick: bool,
    studies: int | None,
    trials: int | None,
    points: Mapping[int, Mapping[str, Any]] | None,
    seed: int,
    max_steps: int | None,
    timed: bool,
) -> Protocol:
    """The protocol that these settings of `study.run` amount to."""
    if points is not None:
        if quick or studies is not None or trials is not None:
            raise UsageError("points that are given run once each: no quick, studies or trials")
        return Protocol(1, max(points, default=0), "given", seed, max_steps, timed, points)
    if quick and trials is not None:
        raise UsageError("--quick is one trial per study, at the default point; leave out --trials")
    return Protocol(
        studies=studies if studies is not None else 1 if quick else STUDIES,
        trials=trials if trials is not None else 1 if quick else TRIALS,
        points="default" if quick else "search_space",
        seed=seed,
        max_steps=max_steps,
        timed=timed,
    )


def refuse_duplicates(described: dict[str, Any]) -> None:
    """Refuse two workloads, or two submissions, of one name."""
    for kind in ("workloads", "submissions"):
        names = [item["name"] for item in described[kind]]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UsageError(f"{kind} named twice: {', '.join(twice)}; records need distinct names")


def refuse_undivided(described: dict[str, Any]) -> None:
    """Refuse batches that the devices cannot share evenly, before anything is recorded."""
    devices = described["environment"]["device_count"]
    own = all(submission["own_batch_size"] for submission in described["submissions"])
    for w in described["workloads"]:
        for what in ("eval_batch_size", *(() if own else ("batch_size",))):
            check_divides(f"{w['name']}: {what}", w[what], devices)


def refuse_on_host_loop(
    described: dict[str, Any], vectorize: int | None, checkpoint: bool | None
) -> None:
    """Refuse what only compiled steps can do, where submissions are called from Python."""
    on_host = [s["name"] for s in described["submissions"] if s["host_loop"]]
    asked = {"--vectorize": vectorize is not None, "--checkpoint": checkpoint is True}
    for option, is_asked in asked.items():
        if on_host and is_asked:
            raise UsageError(
                f"{', '.join(on_host)}: {option} is not for submissions written for AlgoPerf, which"
                " run on a host loop and may keep anything in Python; leave it out"
            )
