"""Suites: the base workloads of a leaderboard, and held-out variants drawn from a seed.

AlgoPerf (https://arxiv.org/abs/2306.07179, section 4.5) scores submissions on base workloads, and
has them prove on held-out variants, drawn after submissions are frozen, that they were not fitted
to those. Here one variant of each base workload is drawn; `scoring.profiles` has the rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from algoperf_lite import registry
from algoperf_lite.errors import unknown_name

if TYPE_CHECKING:
    from algoperf_lite.workload import Workload


@dataclass(frozen=True)
class Suite:
    """A suite with its held-out sample.

    Attributes:
        name: of the suite.
        base: names of its base workloads.
        held_out: one variant for each base workload that has any, in the order of `base`.
        seed: what the sample was drawn from; None where none was drawn.
    """

    name: str
    base: tuple[str, ...]
    held_out: tuple[str, ...] = ()
    seed: int | None = None


def find_suite(name: str, held_out_seed: int | None = None) -> Suite:
    """A suite of the tree, with a held-out sample where a seed is given.

    Raises:
        UsageError: there is no such suite.
    """
    from workloads.suites import SUITES  # noqa: PLC0415  (the tree's, as workloads are)

    if name not in SUITES:
        raise unknown_name("suite", name, SUITES)
    if held_out_seed is None:
        return Suite(name, tuple(SUITES[name]))
    families = {base: registry.variants_of(base) for base in SUITES[name]}
    held_out = draw_held_out(families, held_out_seed)
    return Suite(name, tuple(SUITES[name]), held_out, held_out_seed)


def draw_held_out(families: Mapping[str, Sequence[Workload]], seed: int) -> tuple[str, ...]:
    """One variant of each family, by a hash of seed and base name.

    A family's draw does not depend on the other families, nor on the order of its variants, so
    that a suite that grows keeps the draws it had.

    Args:
        families: base workload to its variants.
        seed: any integer.

    Returns:
        Names, one for each family that has variants.

    Example:
        >>> from types import SimpleNamespace
        >>> family = [SimpleNamespace(name=f"lm_{variant}") for variant in ("gelu", "silu")]
        >>> draw_held_out({"lm": family}, seed=0)
        ('lm_silu',)
    """
    drawn = []
    for base, variants in families.items():
        names = sorted(v.name for v in variants)
        digest = hashlib.sha256(f"{seed}/{base}".encode()).digest()
        if names:
            drawn.append(names[int.from_bytes(digest[:8], "big") % len(names)])
    return tuple(drawn)
