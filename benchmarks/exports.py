"""Every submission that can be exported to AlgoPerf, run as itself and as what was exported.

    python -m benchmarks.exports [-w zipf_lm] [-s NAME ...] [--max-steps 140] --results DIR [--json]

Each is written as `algoperf-lite export` writes it, below DIR/exported, and both are run as
`algoperf-lite run --quick --untimed` runs them, the exported one without its search space, which is
at the default point. Reported is the largest relative difference of their validation losses over
all evaluations; those that AlgoPerf has no call for are named. What DIR holds is not run again.
Exits with 1 if a trial failed, or if a difference is above 1e-5 (spsa: 1e-3).
"""

import math
import sys
from pathlib import Path

import click

import algoperf_lite
from algoperf_lite import registry
from algoperf_lite.algoperf.exporting.export import check_exportable, export
from algoperf_lite.cli.output import print_json, stderr, stdout
from algoperf_lite.cli.progress import ProgressView
from algoperf_lite.errors import UsageError
from algoperf_lite.records import read_evaluations, trial_directory

WITHIN = 1e-5
LOOSER = {"spsa": 1e-3}
"""It divides the difference of two nearly equal losses by 0.002, which enlarges rounding errors."""


def refusal(name):
    """Why a submission cannot be exported; None if it can."""
    try:
        check_exportable(name, registry.find_submission(name)[1])
    except UsageError as error:
        return str(error)
    return None


def exported(name, folder):
    """The selector of what a submission is exported as."""
    if not (folder / "submission.py").exists():
        export(name, folder)
    return f"algoperf:{folder / 'submission.py'},search_space=none"


def curve(results, trial):
    """Validation loss by step, of a trial's record."""
    where = (trial["submission"], trial["study"], trial["workload"], trial["trial"])
    rows = read_evaluations(trial_directory(results, *where) / "eval_measurements.csv")
    return {int(row["global_step"]): row["validation/loss"] for row in rows}


def difference(ours, theirs):
    """The largest relative difference of two curves; infinite where their steps differ."""
    if ours.keys() != theirs.keys() or not ours:
        return math.inf
    return max(abs(ours[step] - theirs[step]) / abs(ours[step]) for step in ours)


def compare(names, workload, max_steps, results):
    """Run each submission both ways.

    Returns:
        By name, the largest difference and the statuses of both trials.
    """
    folders = {name: results / "exported" / name for name in names}
    pairs = {name: (name, exported(name, folders[name])) for name in names}
    selectors = [selector for pair in pairs.values() for selector in pair]
    with ProgressView(stderr()) as view:
        done = algoperf_lite.run(
            [workload], selectors, results / "records",
            quick=True, max_steps=max_steps, timed=False, observe=view.observe,
        )  # fmt: skip
    trials = {trial["submission"]: trial for trial in done.trials}
    found = {}
    for name in names:
        both = [trials[registry.find_submission(selector)[0]] for selector in pairs[name]]
        found[name] = {
            "difference": difference(*(curve(done.results, trial) for trial in both)),
            "statuses": [trial["status"] for trial in both],
        }
    return found


def holds(name, row):
    """Whether both trials of a submission ended well and gave the same curve."""
    same = row["difference"] <= LOOSER.get(name, WITHIN)
    return same and not {"error", "invalid"} & set(row["statuses"])


def as_text(found, refused):
    """The report as lines."""
    lines = [f"{'submission':30} largest relative difference of validation losses"]
    for name, row in sorted(found.items(), key=lambda item: -item[1]["difference"]):
        failed = "" if holds(name, row) else f"  differ; {row['statuses']}"
        lines.append(f"{name:30} {row['difference']:.2g}{failed}")
    return "\n".join([*lines, "", *refused.values()])


@click.command()
@click.option("-w", "--workload", default="zipf_lm", show_default=True)
@click.option("-s", "--submission", "names", multiple=True, help="[default: all]")
@click.option("--max-steps", default=140, show_default=True)
@click.option("--results", type=click.Path(path_type=Path), required=True)
@click.option("--json", "as_json", is_flag=True)
def main(workload, names, max_steps, results, as_json):
    """Export submissions and compare their curves with the originals'."""
    names = names or registry.known_names("submission")
    refused = {name: reason for name in names if (reason := refusal(name))}
    names = [name for name in names if name not in refused]
    found = compare(names, workload, max_steps, results)
    if as_json:
        print_json({"workload": workload, "compared": found, "refused": refused})
    else:
        stdout().print(as_text(found, refused), soft_wrap=True)
    if not all(holds(name, row) for name, row in found.items()):
        sys.exit(1)


if __name__ == "__main__":
    main()
