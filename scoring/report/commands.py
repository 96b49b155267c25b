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
    if "points" not in declared:
        return None
    entry = (declared.get("submissions") or {}).get(name) or {}
    selector = shlex.quote(entry.get("selector", name))
    words = [f"algoperf-lite run -s {selector} -w {{workload}} --studies {declared['studies']}"]
    if declared["points"] == "default":
        words.append("--quick")
    elif declared["points"] == "search_space":
        words.append(f"--trials {declared['trials']}")
    else:
        return None
    if declared.get("seed"):
        words.append(f"--seed {declared['seed']}")
    if declared.get("max_steps") is not None:
        words.append(f"--max-steps {declared['max_steps']}")
    return " ".join([*words, "--results results/again"])
