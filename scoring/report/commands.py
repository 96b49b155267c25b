"""The commands that a report names for its numbers, each safe to paste into a shell."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from scoring.suite import Suite


def score_command(
    source: str,
    suite: str | Path | Suite | None = None,
    *,
    integration: str = "exact",
    clock: str = "time",
    baseline: str | None = None,
    ruleset: str | None = None,
    workloads: Iterable[str] = (),
) -> str:
    """What prints a leaderboard; options at their defaults are left out.

    Args:
        source: the results directory.
        suite: the path of a suite file, if one was given.
        integration: see `scoring.score`.
        clock: see `scoring.score`.
        baseline: see `scoring.score`.
        ruleset: see `scoring.score`.
        workloads: see `scoring.score`; none means all.

    Example:
        >>> score_command("my results", clock="steps", workloads=["zipf_lm"])
        "algoperf-lite score 'my results' --clock steps -w zipf_lm"
    """
    words = ["algoperf-lite", "score", source]
    if isinstance(suite, str | Path):
        words += ["--suite", str(suite)]
    for name, value, usual in (
        ("integration", integration, "exact"),
        ("clock", clock, "time"),
        ("baseline", baseline, None),
        ("ruleset", ruleset, None),
    ):
        if value != usual:
            words += [f"--{name}", value]
    for workload in workloads:
        words += ["-w", workload]
    return shlex.join(words)


def run_command(suite: Suite, name: str) -> str | None:
    """What trains a submission again as the suite declares, `{workload}` to be filled in.

    None of foreign logs, and of points that an exploration chose, which `tune` names.
    """
    declared = suite.declared
    points = declared.get("points")
    if points not in ("default", "search_space"):
        return None
    entry = (declared.get("submissions") or {}).get(name) or {}
    selector = shlex.quote(str(entry.get("selector", name)))
    words = ["algoperf-lite run", f"-s {selector}", "-w {workload}"]
    settings = {
        "studies": suite.studies,
        "trials": suite.trials if points == "search_space" else None,
        "seed": declared.get("seed") or None,
        "max-steps": declared.get("max_steps"),
    }
    # A suite is text from somebody: only whole numbers go unquoted into a command.
    words += [f"--{key} {value}" for key, value in settings.items() if isinstance(value, int)]
    words += ["--quick"] if points == "default" else []
    return " ".join([*words, "--results results/again"])
