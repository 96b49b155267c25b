"""docs/submissions.md, written from the figures that `benchmarks.submissions` gathered.

python -m benchmarks.submissions_page benchmarks/results/NAME.json > docs/submissions.md
"""

import json
import math
from pathlib import Path

import click

from benchmarks.markdown import machine, table
from benchmarks.submissions import POINTS, TUNED_ON, UNTUNED
from workloads.suites import SUITES

REFERENCE = "nadamw"
INTRODUCTION = """\
# The submissions

<!-- Written by `python -m benchmarks.submissions_page`; edit that, or run it again. -->

Measured on {machine}.
What each submission is, its formula and its source are in its module's docstring, in
`submissions/`. The commands are those of `benchmarks/submissions.py`.

## Targets reached, and time

One quick run on {workloads} of the {lite} lite workloads, one seed, at the default point, which is
the same on every workload; each trial had one core, two ran side by side, and other work ran on
the machine for part of the time, so times are by the robust clock. Time and steps are relative
to `{reference}`'s on the same workload, the geometric mean over the workloads whose target
both reached, so a submission with few targets is judged on its easiest ones. One seed a workload:
the reference's own steps vary by 5 to 11% from seed to seed (docs/workloads.md), so a ratio between
0.9 and 1.1 proves no difference. A step's cost and the bytes of optimizer state are on
`{cost_workload}`, relative to `{reference}`'s
(`python -m benchmarks.optimizer_cost`).
"""
EACH = """\
## Each workload

On-clock time to target relative to `{reference}`'s on the same workload; a dash where the target
was not reached within the budget, `x` where the trial diverged, `!` where it ended in an error.
"""
LITERATURE = """\
## As published, and calibrated

`NAME[point=literature]` runs the defaults of the method's paper or its authors' code, `NAME` the
default point of this tree. For the learning-rate-free methods the gap between the two is the
finding of Kasimbeg et al. 2025 (https://arxiv.org/abs/2505.24005) on the AlgoPerf workloads.
"""
SCHEDULES = """\
## Schedules

`{reference}` at its default point under every schedule, one seed; time relative to the default,
cosine.
"""
TUNED = """\
## How the default points were found

The default point and {points} other values of one hyperparameter, on {workloads},
one seed each, up to the step hint (`python -m benchmarks.submissions tune`, which is
`algoperf-lite tune --steps` with a `--grid`). A cell has the value, the targets reached, and the
mean of steps to target over the step hint, misses counting 2. What was taken is bold; where no
value reached a target, it is the one whose metrics came closest. With one seed and such coarse
grids these are points that work, not optima. Not tuned:
{untuned}.
"""


def render(figures) -> str:
    """The page, as Markdown."""
    suite = figures["suite"]
    parts = [
        INTRODUCTION.format(
            machine=machine(figures["environment"]),
            workloads=len(suite),
            lite=len(SUITES["lite"]),
            reference=REFERENCE,
            cost_workload=figures["cost"]["workload"],
        ),
        _overview(figures),
        EACH.format(reference=REFERENCE),
        _each(suite),
        LITERATURE,
        _literature(suite),
        SCHEDULES.format(reference=REFERENCE),
        _schedules(suite),
        TUNED.format(
            points=POINTS,
            workloads=", ".join(f"`{name}`" for name in TUNED_ON),
            untuned=_untuned(),
        ),
        _tuned(figures),
    ]
    return "\n".join(parts)


def compare(suite, name, workloads=None):
    """``(targets reached, time ratio, steps ratio)`` of a selector; None where none is common."""
    reached, seconds, steps = 0, [], []
    for workload in workloads or suite:
        row, reference = suite[workload].get(name), suite[workload][REFERENCE]
        if row is None or row["status"] != "target_reached":
            continue
        reached += 1
        if reference["status"] == "target_reached":
            seconds.append(row["seconds"] / reference["seconds"])
            steps.append(row["steps"] / reference["steps"])
    return reached, _geometric_mean(seconds), _geometric_mean(steps)


def _geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def _ratio(value):
    return "" if value is None else f"{value:.2f}"


def _names(suite, in_brackets):
    names = {name for rows in suite.values() for name in rows if ("[" in name) == in_brackets}
    return sorted(names, key=lambda name: _order(suite, name))


def _order(suite, name):
    reached, seconds, _ = compare(suite, name)
    return (-reached, seconds or math.inf, name)


def _overview(figures):
    suite, costs = figures["suite"], figures["cost"]["submissions"]
    heads = ["submission", "tuning", "targets", "time", "steps", "step's cost", "state"]
    rows = []
    for name in _names(suite, in_brackets=False):
        reached, seconds, steps = compare(suite, name)
        ran = [rows[name] for rows in suite.values() if name in rows]
        cost = costs.get(name, {})
        rows.append(
            [
                f"`{name}`",
                ran[0]["ruleset"],
                f"{reached} of {len(ran)}",
                _ratio(seconds),
                _ratio(steps),
                _ratio(cost.get("ratio")),
                _ratio(cost.get("state_ratio")),
            ]
        )
    return table(heads, rows, left=2)


def _cell(suite, workload, name):
    row, reference = suite[workload].get(name), suite[workload][REFERENCE]
    if row is None:
        return ""
    if row["status"] == "target_reached":
        if reference["status"] == "target_reached":
            return _ratio(row["seconds"] / reference["seconds"])
        return "yes"
    return {"diverged": "x", "error": "!"}.get(row["status"], "-")


def _each(suite):
    rows = [
        [f"`{name}`", *(_cell(suite, workload, name) for workload in suite)]
        for name in _names(suite, in_brackets=False)
    ]
    return table(["submission", *(f"`{workload}`" for workload in suite)], rows)


def _literature(suite):
    rows = []
    for name in _names(suite, in_brackets=True):
        if name.endswith("[point=literature]"):
            ran = [workload for workload in suite if name in suite[workload]]
            told = []
            for selector in (name, name.partition("[")[0]):
                reached, seconds, _ = compare(suite, selector, ran)
                told += [f"{reached} of {len(ran)}", _ratio(seconds)]
            rows.append([f"`{name.partition('[')[0]}`", *told])
    heads = ["submission", "targets, literature", "time", "targets, calibrated", "time"]
    return table(heads, rows)


def _schedules(suite):
    any_other = f"{REFERENCE}[schedule=linear]"
    workloads = [name for name in TUNED_ON if any_other in suite.get(name, {})]
    named = {
        name: name.partition("=")[2].rstrip("]")
        for name in _names(suite, in_brackets=True)
        if name.startswith(f"{REFERENCE}[schedule=")
    }
    rows = []
    for name, schedule in sorted({**named, REFERENCE: "cosine"}.items(), key=lambda item: item[1]):
        reached, seconds, _ = compare(suite, name, workloads)
        cells = [_cell(suite, workload, name) for workload in workloads]
        rows.append([f"`{schedule}`", str(reached), _ratio(seconds), *cells])
    return table(["schedule", "targets", "time", *(f"`{name}`" for name in workloads)], rows)


def _untuned():
    by_reason = {}
    for name, why in UNTUNED.items():
        by_reason.setdefault(why, []).append(f"`{name}`")
    return ";\n".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())


def _tuned(figures):
    hints = figures["step_hints"]
    rows = []
    for name, found in figures["explored"].items():
        cells = []
        for point in found["points"]:
            reached, cost = _score(point["steps"], hints)
            text = f"{point['value']:g}: {reached}, {cost:.2f}"
            cells.append(f"**{text}**" if point["value"] == found["taken"] else text)
        cells += [""] * (POINTS + 1 - len(cells))
        rows.append([f"`{name}`", f"`{found['knob']}`", *cells])
    return table(["submission", "tuned", *(str(k + 1) for k in range(POINTS + 1))], rows, left=2)


def _score(steps, hints):
    """``(targets reached, mean of steps over the step hint, misses counting 2)``."""
    shares = [steps[w] / hints[w] if steps.get(w) else 2.0 for w in TUNED_ON]
    return sum(share < 2 for share in shares), sum(shares) / len(shares)


@click.command()
@click.argument("figures", type=click.Path(path_type=Path))
def main(figures):
    """Print the page of FIGURES."""
    click.echo(render(json.loads(figures.read_text())), nl=False)


if __name__ == "__main__":
    main()
