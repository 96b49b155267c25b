"""Processes that a submission started and that run while the clock stands still."""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic, sleep

import psutil

from algoperf_lite.executors.family import descendants, described, runs

GRACE_SECONDS = 0.25
"""How long, over a whole trial, processes are waited for that were told to end."""


class Processes:
    """The processes that descend from this one, and that did not when this was made.

    Orphans are among them where this process adopts them (`family.adopt_orphans`).
    """

    def __init__(self):
        self._before = set(descendants(os.getpid()))
        self._grace = GRACE_SECONDS

    def running(self) -> list[str]:
        """Command lines of those that run, without helpers of Python's own library.

        What does is given a moment to end; without any, this takes some tenths of a millisecond.
        """
        began = monotonic()
        while (found := self._now()) and monotonic() - began < self._grace:
            sleep(0.01)
        if self._grace > 0:
            self._grace -= min(self._grace, monotonic() - began)
        return found

    def _now(self) -> list[str]:
        found = []
        for pid in descendants(os.getpid()):
            if pid not in self._before:
                with suppress(psutil.Error):
                    found.append(psutil.Process(pid))
        return described([process for process in found if runs(process)])
