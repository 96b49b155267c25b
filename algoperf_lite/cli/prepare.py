"""``algoperf-lite prepare``: download, prepare and check datasets."""

from dataclasses import asdict
from typing import Any

import click

from algoperf_lite.cli import options, output
from algoperf_lite.errors import UsageError


@click.command("prepare")
@click.argument("workload", nargs=-1, metavar="[NAME]...")
@click.option(
    "--tier", type=click.Choice(["lite", "catalog"]), help="All workloads of this tier as well."
)
@options.as_json
def command(workload: tuple[str, ...], tier: str | None, as_json: bool) -> None:
    """Prepare the data of workloads, by name, and check it.

    Datasets of the catalog are downloaded, once, and need the extra algoperf_lite[catalog]; where
    there is no network, the message says which files to bring. The others need neither: `run`
    makes them when they are first used.
    """
    from algoperf_lite import preparation  # noqa: PLC0415

    names = _one_per_dataset([*workload, *_of_tier(tier)])
    if not names:
        raise UsageError("name workloads, or give --tier lite or --tier catalog")
    done: list[dict[str, Any]] = []
    try:
        for name in names:
            with output.stderr().status(f"preparing the data of {name}"):
                done.append(asdict(preparation.prepare(name)))
    finally:  # what is done is done, whatever became of the next one
        if as_json:
            output.print_json(done)
        elif done:
            output.stdout().print(_table(done))


def _of_tier(tier: str | None) -> list[str]:
    from algoperf_lite import registry  # noqa: PLC0415

    if tier is None:
        return []
    return [w.name for w in registry.all_workloads() if w.tier == tier and w.base is None]


def _one_per_dataset(names: list[str]) -> list[str]:
    """The first workload of each dataset: variants, and others, share theirs."""
    from algoperf_lite import registry  # noqa: PLC0415

    first: dict[str, str] = {}
    for name in names:
        first.setdefault(registry.find_workload(name).dataset.identity, name)
    return list(first.values())


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table  # noqa: PLC0415

    table = Table(
        "workload",
        "dataset",
        "train / validation / test rows",
        "MB",
        "seconds",
        "fingerprint",
        title="Prepared data",
        title_justify="left",
    )
    for row in rows:
        table.add_row(
            row["workload"],
            row["dataset"],
            " / ".join(f"{row['rows'][split]:,}" for split in ("train", "validation", "test")),
            f"{row['bytes'] / 1e6:.1f}",
            f"{row['seconds']:.1f}",
            row["fingerprint"][:12] + (" as stated" if row["stated"] else " as found"),
        )
    return table
