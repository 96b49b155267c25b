"""Names that AlgoPerf's scorer can take: of submissions, workloads and metrics.

It looks for a submission with `glob` and `re.match`, to which brackets and more mean something, and
takes as the base of a variant the first base workload whose name the variant's contains.
"""

import re
from collections.abc import Iterable

from algoperf_lite.errors import UsageError
from scoring.suite import Suite, base_of

# An error rate over tokens, as AlgoPerf's `wer` is one over words, is what its versions that guess
# a metric's direction from its name know by that name alone.
METRICS = {"token_error_rate": "wer"}
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
# It collects runs of one submission under names that end so.
_STAMP = re.compile(r"-\d{4}(-\d{2}){5}")


def metric_name(metric: str) -> str:
    """What AlgoPerf calls a metric.

    Example:
        >>> metric_name("token_error_rate"), metric_name("ssim")
        ('wer', 'ssim')
    """
    return METRICS.get(metric, metric)


def column_name(column: str) -> str:
    """What AlgoPerf calls a column of evaluations.

    Example:
        >>> column_name("test/token_error_rate"), column_name("global_step")
        ('test/wer', 'global_step')
    """
    split, slash, metric = column.rpartition("/")
    return split + slash + metric_name(metric)


def directory_names(submissions: Iterable[str]) -> dict[str, str]:
    """A directory's name for each submission, no two alike.

    Args:
        submissions: their names, in the order in which names are given out.

    Example:
        >>> directory_names(["nadamw[schedule=rex]", "optax:adam", "optax_adam"])
        {'nadamw[schedule=rex]': 'nadamw_schedule_rex', 'optax:adam': 'optax_adam_2', \
'optax_adam': 'optax_adam'}
    """
    submissions = list(submissions)
    plain = {name: _plain(name) for name in submissions}
    taken = {name for name in submissions if plain[name] == name}
    names = {}
    for name in submissions:
        chosen, count = plain[name], 1
        while chosen != name and chosen in taken:
            count += 1
            chosen = f"{plain[name]}_{count}"
        taken.add(chosen)
        names[name] = chosen
    return names


def workload_names(suite: Suite) -> tuple[list[str], dict[str, str]]:
    """Base workloads in the order that AlgoPerf must know them in, and a name for each workload.

    Raises:
        UsageError: a variant for which no name leads to its base.

    Example:
        >>> from scoring.suite import parse_suite
        >>> target = {"target_metric_name": "loss", "validation_target_value": 1.0}
        >>> workloads = {"a": target, "a_b": target, "wide": {**target, "base": "a_b"}}
        >>> made = {"base_workloads": ["a", "a_b"], "held_out_workloads": ["wide"]}
        >>> workload_names(parse_suite(made | {"workloads": workloads}))
        (['a_b', 'a'], {'a': 'a', 'a_b': 'a_b', 'wide': 'a_b_wide'})
    """
    bases = sorted((target.name for target in suite.base), key=len, reverse=True)
    names = {name: name for name in bases}
    for target in suite.held_out:
        candidates = [target.name, f"{target.base}_{target.name}"]
        free = [c for c in candidates if c == target.name or c not in suite.names]
        chosen = next((c for c in free if _leads_to(c, bases) == target.base), None)
        if chosen is None or chosen in names.values():
            raise UsageError(
                f"{suite.where}: AlgoPerf finds a variant's base by its name, and neither"
                f" {' nor '.join(map(repr, candidates))} leads to {target.base!r}: leave the"
                " variant out, with -w for each workload to export"
            )
        names[target.name] = chosen
    return bases, {name: names[name] for name in suite.names}


def _leads_to(variant: str, bases: list[str]) -> str | None:
    """The base that AlgoPerf's scorer finds for a variant, where ours finds the same."""
    found = next((base for base in bases if base in variant), None)
    return found if found == base_of(variant, bases) else None


def _plain(name: str) -> str:
    plain = _ODD.sub("_", name).strip("_.") or "submission"
    return plain.replace("-", "_") if _STAMP.search(plain) else plain
