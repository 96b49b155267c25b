"""``algoperf-lite export``: a submission of ours as one of AlgoPerf's."""

import shlex
from pathlib import Path

import click

from algoperf_lite.cli import output


@click.command("export")
@click.option(
    "-s",
    "--submission",
    "selector",
    required=True,
    metavar="SUBMISSION",
    help='A name, a path or optax:NAME, with values in brackets or without, as "nadamw[b1=0.9]".',
)
@click.option(
    "-o",
    "--output",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where to write; nothing is ever overwritten.",
)
@click.option("--author", "authors", multiple=True, metavar="NAME", help="May stand repeatedly.")
@click.option(
    "--affiliation", "affiliations", multiple=True, metavar="NAME", help="May stand repeatedly."
)
def command(
    selector: str, folder: Path, authors: tuple[str, ...], affiliations: tuple[str, ...]
) -> None:
    """Write a submission as a self-contained AlgoPerf 0.6 submission directory.

    It holds AlgoPerf's functions, the search space, submission_info.yml, and copies of the modules
    that the submission uses; it imports nothing of this project. Submissions with feedback from
    evaluations, or that select their examples, cannot be exported.
    """
    from algoperf_lite.algoperf.exporting.export import export  # noqa: PLC0415

    written = export(selector, folder, authors, affiliations)
    top = [file for file in written.files if file.parent == folder]
    rest = len(written.files) - len(top)
    lines = [f"wrote {file}" for file in top]
    lines += [f"wrote {folder / 'vendored'}, {rest} files"]
    if written.needs:
        lines += ["", f"It imports {', '.join(written.needs)}, which AlgoPerf does not bring."]
    space = ",search_space=none" if written.ruleset == "external" else ""
    selector = shlex.quote(f"algoperf:{folder / 'submission.py'}{space}")
    lines += [
        "",
        "Fill in submission_info.yml and adjust BATCH_SIZES in submission.py. It runs here as it"
        " does there:",
        "",
        f"    algoperf-lite run -s {selector} -w zipf_lm --quick --results results/exported",
    ]
    output.stdout().print("\n".join(lines), soft_wrap=True)
