"""The code that trials were of, as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algoperf_lite.algoperf import selector as algoperf
from algoperf_lite.errors import UsageError, unknown_name
from algoperf_lite.executors import Executor, WorkerLostError
from algoperf_lite.registry import absolute, without_directory
from algoperf_lite.verifying.verdict import RefusedError

Described = dict[str, Any]


class Sources:
    """Submissions and workloads of a results directory, found again.

    Args:
        executor: asked what they are, once each.
        suite: the suite.json, which has the selectors of submissions.
        elsewhere: selectors by name, or by the name before the brackets, of submissions and
            workloads whose files are not in the working directory.

    Attributes:
        suite: as given.

    Raises:
        UsageError: `elsewhere` names what the suite does not have.
    """

    def __init__(self, executor: Executor, suite: Mapping[str, Any], elsewhere: Mapping[str, str]):
        self._executor = executor
        self.suite = suite
        self._submissions = suite.get("submissions") or {}
        self._elsewhere = elsewhere
        self._known: dict[tuple[str, str], Described | str] = {}
        names = {*self._submissions, *(suite.get("workloads") or {})}
        names |= {_base(name) for name in names}
        for name in elsewhere:
            if name not in names:
                raise unknown_name("submission or workload", name, names, "-S")

    def find(self, kind: str, name: str) -> Described:
        """What `Worker.describe` says of one.

        Args:
            kind: ``"submission"`` or ``"workload"``.
            name: in records.

        Raises:
            RefusedError: it is not there, or at fault.
        """
        if (kind, name) not in self._known:
            self._known[kind, name] = self._describe(kind, name)
        known = self._known[kind, name]
        if isinstance(known, str):
            raise RefusedError("unverifiable", known)
        return known

    def _describe(self, kind: str, name: str) -> Described | str:
        """What it is, or why that cannot be said."""
        try:
            selector = self._selector(kind, name)
            request = {"workloads": [], "submissions": []} | {f"{kind}s": [absolute(selector)]}
            return self._executor.call("describe", request)[f"{kind}s"][0]
        except (UsageError, WorkerLostError) as error:
            text = str(error).partition(". Known:")[0].rstrip(".")
        if name in self._elsewhere or _base(name) in self._elsewhere:
            return text
        prefix = algoperf.PREFIX if name.startswith(algoperf.PREFIX) else ""
        return f"{text}; if its file lies elsewhere, say where: -S {_base(name)}={prefix}PATH.py"

    def _selector(self, kind: str, name: str) -> str:
        if name in self._elsewhere:
            return self._elsewhere[name]
        recorded = self._recorded(kind, name)
        if _base(name) in self._elsewhere:
            return recorded.replace(_base(recorded), self._elsewhere[_base(name)], 1)
        return recorded

    def _recorded(self, kind: str, name: str) -> str:
        """Its selector by the suite. A path in what may be another's file is never followed."""
        entry = self._submissions.get(name) if kind == "submission" else None
        return without_directory(str((entry or {}).get("selector", name)))


def _base(name: str) -> str:
    return name.partition("[")[0]
