"""The declared suite: which workloads count, their targets, and how many trials there should be.

The suite is declared and never inferred from the directories found, so that a stray or missing
directory cannot change anyone else's score. One parser reads both this project's `suite.json` and
AlgoPerf's `workload_targets*.json` (Dahl et al. 2023, arXiv 2306.07179), a subset of it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.records import SCHEMA
from scoring.numbers import is_number

MINIMISED = frozenset(["ce_loss", "error_rate", "ctc_loss", "wer", "l1_loss", "loss", "ppl"])
MAXIMISED = frozenset(["mean_average_precision", "ssim", "accuracy", "bleu"])
RULESETS = ("external", "self")
DIRECTIONS = ("minimize", "maximize")
# Every study is a row of each table that a bootstrap draws.
MOST_STUDIES = 1000
_MAY_HOLD = ("step_hint", "tier", "fingerprint")  # an entry of `workloads`, besides its target


@dataclass(frozen=True)
class WorkloadTarget:
    """What counts as success on one workload.

    Attributes:
        name: the workload.
        metric: logged as the column `validation/<metric>`.
        value: the target, in the metric's unit.
        direction: "minimize" (reached when metric <= value) or "maximize" (>=).
        base: of a held-out variant, the base workload it is derived from; None of a base.
        step_hint: the step budget of the reference, if declared.
        tier: "lite", "catalog", or None where it is not declared.
        fingerprint: of the workload, or None.
    """

    name: str
    metric: str
    value: float
    direction: str
    base: str | None = None
    step_hint: int | None = None
    tier: str | None = None
    fingerprint: str | None = None

    @property
    def column(self) -> str:
        """The csv column that holds the metric."""
        return f"validation/{self.metric}"


@dataclass(frozen=True)
class Suite:
    """A declared suite.

    Attributes:
        base: the workloads that a score is the mean over.
        held_out: variants that can disqualify their base (rules 1 to 3 of `scoring.profiles`).
        submissions: ruleset ("external", "self") by declared submission, or None: those found.
        studies: how many studies each submission owes, or None: the most that any has.
        trials: trials of a study under external tuning, or None: the most that any has.
        ruleset: the ruleset of submissions that declare none.
        where: the file it was read from, for messages.
        declared: the whole object of the file, for what scoring has no use for.
    """

    base: tuple[WorkloadTarget, ...]
    held_out: tuple[WorkloadTarget, ...] = ()
    submissions: Mapping[str, str | None] | None = None
    studies: int | None = None
    trials: int | None = None
    ruleset: str | None = None
    where: str = "suite"
    declared: Mapping[str, Any] = field(default_factory=dict)

    @property
    def workloads(self) -> tuple[WorkloadTarget, ...]:
        """Base workloads, then held-out variants."""
        return self.base + self.held_out

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in the same order."""
        return tuple(target.name for target in self.workloads)

    def ruleset_of(self, submission: str) -> str | None:
        """The ruleset a submission is held to, None where nothing declares one."""
        return (self.submissions or {}).get(submission) or self.ruleset

    def trials_of(self, submission: str) -> int | None:
        """Trials per (workload, study) that a submission owes; None where it is not declared."""
        return 1 if self.ruleset_of(submission) == "self" else self.trials

    def with_submissions(self, names: Iterable[str]) -> "Suite":
        """The same suite for these submissions alone."""
        return replace(self, submissions={name: self.ruleset_of(name) for name in names})

    def select(self, names: Iterable[str]) -> "Suite":
        """The part of the suite with these workloads, in the suite's order.

        Raises:
            UsageError: a name the suite lacks, no base workload, a variant without its base.
        """
        names = list(names)
        for name in names:
            if name not in self.names:
                raise unknown_name("workload", name, self.names, self.where)
        base = tuple(target for target in self.base if target.name in names)
        held_out = tuple(target for target in self.held_out if target.name in names)
        if not base:
            raise UsageError(f"{self.where}: no base workload is selected: name at least one.")
        for target in held_out:
            if target.base not in {b.name for b in base}:
                raise UsageError(
                    f"{self.where}: {target.name!r} is selected without its base workload "
                    f"{target.base!r}: select both or neither."
                )
        return replace(self, base=base, held_out=held_out)


def load_suite(path: str | Path) -> Suite:
    """Reads a suite from a JSON file.

    Raises:
        UsageError: the file is missing, is no JSON or declares something impossible; the message
            names the file, the key and the mend.
    """
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot read the suite ({error.strerror}).") from None
    try:
        declared = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not a JSON file ({error}).") from None
    return parse_suite(declared, where=str(path))


def parse_suite(declared: Any, where: str = "suite") -> Suite:
    """Builds a suite from the object that a suite file holds.

    Args:
        declared: keys `base_workloads`, `workloads` and, optionally, `held_out_workloads`,
            `submissions`, `studies`, `trials`, `ruleset`, `schema`.
        where: named in messages.

    Raises:
        UsageError: see `load_suite`.

    Example:
        >>> target = {"target_metric_name": "loss", "validation_target_value": 4.2}
        >>> suite = parse_suite({"base_workloads": ["a"], "workloads": {"a": target}})
        >>> suite.base[0].direction
        'minimize'
    """
    if not isinstance(declared, dict):
        _bad(where, "the file", "must hold a JSON object")
    schema = declared.get("schema", SCHEMA)
    if schema != SCHEMA:
        newer = isinstance(schema, int) and schema > SCHEMA
        mend = ": it is newer, upgrade algoperf_lite" if newer else ""
        _bad(where, "schema", f"is {schema!r}, this version reads {SCHEMA}{mend}")
    base_names = _names(where, declared, "base_workloads")
    held_out_names = _names(where, declared, "held_out_workloads")
    if not base_names:
        _bad(where, "base_workloads", "must name at least one workload")
    if both := set(base_names) & set(held_out_names):
        _bad(where, "held_out_workloads", f"names base workloads too: {', '.join(sorted(both))}")
    table = declared.get("workloads")
    if not isinstance(table, dict):
        _bad(where, "workloads", "must map each workload to its target")
    base = tuple(_target(where, table, name, None) for name in base_names)
    held_out = tuple(_target(where, table, name, base_names) for name in held_out_names)
    studies = _count(where, declared, "studies")
    if studies is not None and studies > MOST_STUDIES:
        _bad(where, "studies", f"must be at most {MOST_STUDIES}, not {studies}")
    return Suite(
        base=base,
        held_out=held_out,
        submissions=_submissions(where, declared.get("submissions")),
        studies=studies,
        trials=_count(where, declared, "trials"),
        ruleset=_ruleset(where, "ruleset", declared.get("ruleset")),
        where=where,
        declared=declared,
    )


def base_of(name: str, base_names: Iterable[str]) -> str | None:
    """The base workload that a variant's name starts with, at an underscore; the longest wins.

    Example:
        >>> base_of("imagenet_resnet_silu", ["imagenet", "imagenet_resnet", "resnet"])
        'imagenet_resnet'
    """
    return max((b for b in base_names if name.startswith(f"{b}_")), key=len, default=None)


def _target(where: str, table: dict, name: str, base_names: list[str] | None) -> WorkloadTarget:
    """One entry of `workloads`; `base_names` is None for a base workload."""
    key = f"workloads.{name}"
    entry = table.get(name)
    if not isinstance(entry, dict):
        _bad(where, key, "is missing: every base and held-out workload needs its target")
    metric = entry.get("target_metric_name")
    if not isinstance(metric, str) or not metric or not metric.isprintable():
        _bad(where, f"{key}.target_metric_name", "must name the target metric")
    value = entry.get("validation_target_value")
    if not is_number(value):
        _bad(where, f"{key}.validation_target_value", f"must be a finite number, not {value!r}")
    base = entry.get("base")
    if base_names is None:
        base = None
    else:
        base = base or base_of(name, base_names)
        if base not in base_names:
            _bad(where, f"{key}.base", "must name one of base_workloads")
    direction = _direction(where, key, entry, metric)
    optional = {name: entry.get(name) for name in _MAY_HOLD}
    for optional_name, found in optional.items():
        fits = is_number(found) if optional_name == "step_hint" else isinstance(found, str)
        if found is not None and not fits:
            _bad(where, f"{key}.{optional_name}", f"is of the wrong type: {found!r}")
    return WorkloadTarget(name, metric, float(value), direction, base, **optional)


def _direction(where: str, key: str, entry: dict, metric: str) -> str:
    # AlgoPerf's files have said it under a name of their own since its metrics have a goal.
    direction = entry.get("direction", entry.get("target_metric_goal"))
    if direction is None and metric in MINIMISED | MAXIMISED:
        return "minimize" if metric in MINIMISED else "maximize"
    if direction not in DIRECTIONS:
        _bad(
            where,
            f"{key}.direction",
            f"is {direction!r}: add 'minimize' or 'maximize' for the metric {metric!r}",
        )
    return direction


def _names(where: str, declared: dict, key: str) -> list[str]:
    names = declared.get(key) or []
    if not isinstance(names, list) or not all(map(_is_name, names)):
        _bad(where, key, "must be a list of workload names")
    if len(set(names)) < len(names):
        _bad(where, key, "names a workload twice")
    return names


def _count(where: str, declared: dict, key: str) -> int | None:
    count = declared.get(key)
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        _bad(where, key, f"must be a whole number of at least 1, not {count!r}")
    return count


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isprintable()


def _submissions(where: str, declared: Any) -> dict[str, str | None] | None:
    if declared is None:
        return None
    if not isinstance(declared, dict) or not all(isinstance(v, dict) for v in declared.values()):
        _bad(where, "submissions", 'must map each submission to {"ruleset": ...}')
    if not all(map(_is_name, declared)):
        _bad(where, "submissions", "has a name that cannot be printed")
    return {
        name: _ruleset(where, f"submissions.{name}.ruleset", entry.get("ruleset"))
        for name, entry in declared.items()
    }


def _ruleset(where: str, key: str, ruleset: Any) -> str | None:
    if ruleset is not None and ruleset not in RULESETS:
        _bad(where, key, f"must be 'external' or 'self', not {ruleset!r}")
    return ruleset


def _bad(where: str, key: str, what: str) -> NoReturn:
    raise UsageError(f"{where}: {key} {what}.")
