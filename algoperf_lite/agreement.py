"""Whether results directories fit together: what must agree, and every way in which it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from algoperf_lite.errors import UsageError
from algoperf_lite.plan import DECLARED
from algoperf_lite.records import SCHEMA

SETTINGS = (*DECLARED, "device", "ruleset")
"""Keys of suite.json that all trials of one results directory share."""
_TARGET = ("target_metric_name", "validation_target_value", "direction", "base")
_SHOWN = 10


class Reasons:
    """Collects why directories may not be merged, and tells all of it at once."""

    def __init__(self):
        self.found: list[str] = []
        self.notes: list[str] = []
        self._code: dict[str, dict[str, set[str]]] = {}
        self._versions: dict[str, set[str]] = {}
        self._runs: dict[str, str] = {}
        self._aliases: dict[tuple[str, str], int] = {}
        self._different: dict[str, list[tuple[str, str]]] = {}

    def add(self, reason: str) -> None:
        """Adds a reason."""
        self.found.append(reason)

    def see_names(self, names: Iterable[tuple[str, str]]) -> None:
        """Notes (directory, name) of submissions that not every file system tells apart."""
        alike: dict[str, dict[str, str]] = {}
        for where, name in names:
            alike.setdefault(name.casefold(), {}).setdefault(name, where)
        for group in alike.values():
            if len(group) > 1:
                said = " and ".join(f"{name} in {where}" for name, where in group.items())
                self.add(f"{said} differ by case only: give one of them another name with --rename"
                         f" {list(group)[-1]}=NAME")  # fmt: skip

    def see(self, source: str, submission: str, record: Mapping[str, Any]) -> None:
        """Notes what a trial's record says: code of the submission, versions, which run it is."""
        code = record.get("submission_fingerprint")
        if isinstance(code, str):
            self._code.setdefault(submission, {}).setdefault(source, set()).add(code)
        # Of trials without an evaluation all files are the same.
        reached = record.get("status") == "target_reached"
        run = record.get("evaluations_sha256") if reached else None
        if isinstance(run, str) and (first := self._runs.setdefault(run, submission)) != submission:
            self._aliases[first, submission] = self._aliases.get((first, submission), 0) + 1
        environment = record.get("environment")
        versions = environment.get("versions") if isinstance(environment, dict) else None
        for name, version in (versions if isinstance(versions, dict) else {}).items():
            self._versions.setdefault(name, set()).add(str(version))

    def differ(self, submission: str, one: str, other: str) -> None:
        """Notes two trials of the same identity that are not the same run."""
        self._different.setdefault(submission, []).append((one, other))

    def raise_if_any(self) -> None:
        """Raises a UsageError with every reason, if there is one; completes `notes`."""
        found = [*self.found]
        changed = set()
        for submission, sources in sorted(self._code.items()):
            if len({frozenset(codes) for codes in sources.values()}) > 1:
                changed.add(submission)
                found.append(
                    f"{submission} is not the same code in {', '.join(sources)}: give one of them"
                    f" another name with --rename {submission}=NAME"
                )
        for submission, pairs in self._different.items():
            if submission not in changed:
                more = f" (and {len(pairs) - 1} more like it)" if len(pairs) > 1 else ""
                found.append(
                    f"{pairs[0][0]} and {pairs[0][1]} are two runs of one trial{more}: remove one"
                    f" with `algoperf-lite rm`, or keep both with --rename {submission}=NAME"
                )
        found += [
            f"{one} and {other} are one submission under two names: {count} of their trials are"
            " the same run"
            for (one, other), count in self._aliases.items()
        ]
        if found:
            more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
            lines = "\n  ".join([*found[:_SHOWN], *more])
            raise UsageError(f"these do not make one leaderboard:\n  {lines}")
        several = [f"{n} {', '.join(sorted(v))}" for n, v in self._versions.items() if len(v) > 1]
        if several:
            self.notes.append(f"trials were timed by several versions: {'; '.join(several)}")


def merge_suites(
    suites: Sequence[tuple[str, dict[str, Any], Callable[[str], str]]], reasons: Reasons
) -> dict[str, Any]:
    """One suite that declares what several declare.

    Args:
        suites: (where it lies, the content of its suite.json, new names of its submissions).
        reasons: gets every disagreement.
    """
    merged: dict[str, Any] = {"schema": SCHEMA, "base_workloads": [], "held_out_workloads": [],
                              "workloads": {}, "submissions": {}}  # fmt: skip
    said: dict[str, str] = {}
    for where, suite, name_of in suites:
        _add_settings(merged, suite, where, said, reasons)
        for role in ("base_workloads", "held_out_workloads"):
            for name in suite.get(role) or ():
                _add_workload(merged, suite, role, name, where, said, reasons)
        for name, entry in (suite.get("submissions") or {}).items():
            _add_submission(merged, name_of(name), entry, where, said, reasons)
    return merged


def _add_settings(
    merged: dict[str, Any], suite: dict[str, Any], where: str, said: dict[str, str],
    reasons: Reasons,
) -> None:  # fmt: skip
    given = "given" == suite.get("points") == merged.get("points", "given")
    for name, value in suite.items():
        if name not in merged:
            merged[name] = value
            said[name] = where
        elif name == "trials" and given:  # explored points may join others
            merged[name] = max(merged[name], value)
        elif name in SETTINGS and merged[name] != value:
            reasons.add(f"{said[name]} has {name}={merged[name]}, {where} {name}={value}")


def _add_workload(
    merged: dict[str, Any], suite: dict[str, Any], role: str, name: str, where: str,
    said: dict[str, str], reasons: Reasons,
) -> None:  # fmt: skip
    entry = (suite.get("workloads") or {}).get(name) or {}
    known = merged["workloads"].get(name)
    if known is None:
        merged["workloads"][name] = entry
        merged[role].append(name)
        said[f"workload {name}"] = where
        return
    first, code = said[f"workload {name}"], entry.get("fingerprint")
    if name not in merged[role]:
        reasons.add(f"{name} is held out in one of {first} and {where}, and not in the other")
    elif any(known.get(key) != entry.get(key) for key in _TARGET):
        reasons.add(f"{name} has another target: {_target(known)} in {first}, {_target(entry)} in"
                    f" {where}")  # fmt: skip
    elif code and known.get("fingerprint", code) != code:
        reasons.add(f"{name} is another version in {where} than in {first}: fingerprint"
                    f" {code[:12]}, not {known['fingerprint'][:12]}")  # fmt: skip


def _add_submission(
    merged: dict[str, Any], name: str, entry: dict[str, Any], where: str, said: dict[str, str],
    reasons: Reasons,
) -> None:  # fmt: skip
    known = merged["submissions"].setdefault(name, entry)
    first = said.setdefault(f"submission {name}", where)
    if known.get("ruleset") != entry.get("ruleset"):
        reasons.add(f"{name} is held to {known.get('ruleset')} in {first}, to"
                    f" {entry.get('ruleset')} in {where}")  # fmt: skip


def _target(entry: dict[str, Any]) -> str:
    return f"{entry.get('target_metric_name')} {entry.get('validation_target_value')}"
