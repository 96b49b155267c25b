"""Whether each prepared dataset is still the one that its workload states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from algoperf_lite import environment
from algoperf_lite.doctor.findings import Finding, size

CHECK = "data"
MENDS = re.compile(r" (?:Delete|If you changed) ")  # what `dataset.load` says after what is wrong


def in_worker(
    devices: Sequence[Any], described: dict[str, Any], workloads: Sequence[str]
) -> list[dict[str, Any]]:
    """Read every prepared dataset of the tree's workloads and of `workloads`.

    Returns:
        By dataset: ``dataset``, ``workload``, ``tier``, ``state`` (``"ok"``, ``"absent"`` or
        ``"corrupt"``), ``bytes``, ``seconds``, ``stated`` (whether the workload states its
        fingerprint), ``why``.
    """
    del devices, described
    from algoperf_lite import registry  # noqa: PLC0415

    base = [w.name for w in registry.all_workloads() if w.base is None]
    found, seen = [], set()
    for selector in (*base, *workloads):
        workload = registry.find_workload(selector)
        if workload.dataset.identity not in seen:
            seen.add(workload.dataset.identity)
            found.append({"workload": selector, "tier": workload.tier, **_look(workload.dataset)})
    return found


def _look(wanted: Any) -> dict[str, Any]:
    from algoperf_lite import dataset, errors  # noqa: PLC0415

    facts = {"dataset": wanted.name, "stated": wanted.fingerprint is not None, "why": ""}
    data_dir = environment.data_directory()
    if not data_dir.is_dir():
        return facts | {"state": "absent", "bytes": 0, "seconds": 0.0}
    start = perf_counter()
    state, there = "absent", 0
    try:
        builder = dataset.open_builder(wanted, data_dir)
        directory = Path(builder.data_dir)
        if builder.is_prepared():  # else reading it would prepare it
            there = sum(f.stat().st_size for f in directory.rglob("*") if f.is_file())
            dataset.load(wanted, data_dir, most_train_bytes=environment.device_data_bytes())
            state = "ok"
    except errors.MachineError as error:
        state, facts["why"] = "corrupt", MENDS.split(str(error))[0]
    except Exception as error:  # TFDS raises what its files make it raise
        state, facts["why"] = "corrupt", f"dataset {wanted.name}: {type(error).__name__}: {error}"
    return facts | {"state": state, "bytes": there, "seconds": perf_counter() - start}


def judge(facts: Sequence[Mapping[str, Any]], data_dir: Path) -> list[Finding]:
    """A dataset that is not what its workload states would be refused by every run."""
    return list(_judge(facts, data_dir))


def _judge(facts: Sequence[Mapping[str, Any]], data_dir: Path) -> Iterator[Finding]:
    good = [d for d in facts if d["state"] == "ok"]
    if good:
        seconds, volume = (sum(d[key] for d in good) for key in ("seconds", "bytes"))
        stated = sum(d["stated"] for d in good)
        told = f"{len(good)} datasets read, {size(volume)} in {seconds:.1f} s: {stated} as stated"
        told += f", {len(good) - stated} as first found" if stated < len(good) else ""
        yield Finding(CHECK, "ok", told)
    absent = [d for d in facts if d["state"] == "absent"]
    if absent:
        told = f"not prepared yet: {', '.join(d['dataset'] for d in absent)}"
        names = " ".join(d["workload"] for d in absent if d["tier"] != "lite") or "--tier lite"
        yield Finding(
            CHECK, "note", told, f"run makes the lite ones; algoperf-lite prepare {names}"
        )
    for d in facts:
        if d["state"] == "corrupt":
            mend = f"delete {data_dir / d['dataset']}, then: algoperf-lite prepare {d['workload']}"
            yield Finding(CHECK, "problem", d["why"], mend)
