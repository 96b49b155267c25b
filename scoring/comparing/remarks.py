"""What a reader of a comparison should know of the trials, though it bars nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence

from scoring.comparing.comparable import unknown
from scoring.details import Details

Pair = tuple[Sequence[Details], Sequence[Details]]


def what_to_know(compared: Sequence[Pair]) -> Iterator[str]:
    """Yields remarks on the trials of A and B, a pair of lists for each workload."""
    a, b = ([d for pair in compared for d in pair[side]] for side in (0, 1))
    if silent := unknown(a, b):
        yield f"of {silent} nothing is recorded of code, device and versions"
    unsteady = [sum(map(_is_unsteady, side)) for side in (a, b)]
    if any(unsteady):
        yield (
            "timed while the machine's speed changed (noisy or drifted):"
            f" {unsteady[0]} of {len(a)} trials of A, {unsteady[1]} of {len(b)} of B"
        )
    looped = [sum(d.record.get("host_loop") is True for d in side) for side in (a, b)]
    if any(looped):
        yield (
            "called from Python once per step, as AlgoPerf does (host-loop):"
            f" {looped[0]} of {len(a)} trials of A, {looped[1]} of {len(b)} of B"
        )
    yield from _invalid(a, "A")
    yield from _invalid(b, "B")
    if any(_other_seeds(*pair) for pair in compared):
        yield "trials that are paired have different seeds: pairing gains little"
    if same := _same_runs(a, b):
        yield f"trials that are the same run in A and in B, no repetition: {same}"


def _invalid(side: Sequence[Details], name: str) -> Iterator[str]:
    invalid = [details.trial for details in side if details.trial.status == "invalid"]
    for reason, count in Counter(trial.reason for trial in invalid).items():
        why = reason or "no reason recorded"
        yield f"invalid, so missed: {count} of {len(side)} trials of {name}: {why}"


def _is_unsteady(details: Details) -> bool:
    return bool(details.record.get("noisy") or details.record.get("drifted"))


def _same_runs(a: Sequence[Details], b: Sequence[Details]) -> int:
    """How many trials of B are copies of one of A, by the digest of their evaluations."""
    # Of trials without an evaluation all files are the same.
    of_a, of_b = (
        [d.record.get("evaluations_sha256") for d in side if d.trial.reached] for side in (a, b)
    )
    known = set(of_a) - {None}
    return sum(digest in known for digest in of_b)


def _other_seeds(a: Sequence[Details], b: Sequence[Details]) -> bool:
    """Whether any trials of one workload that are paired are known to have different seeds."""
    seeds = {(d.trial.study, d.trial.number): d.record.get("seed") for d in b}
    pairs = ((d.record.get("seed"), seeds.get((d.trial.study, d.trial.number))) for d in a)
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)
