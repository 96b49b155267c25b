"""``algoperf-lite run``: time submissions on workloads."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from algoperf_lite.cli import options, output
from algoperf_lite.cli.config import config_option


@click.command("run")
@config_option
@click.option(
    "-w",
    "--workload",
    multiple=True,
    metavar="NAME",
    help="Workload: NAME, NAME[param=value,...] or PATH.py; repeat for several.",
)
@click.option(
    "-s",
    "--submission",
    multiple=True,
    metavar="NAME",
    help="Submission, likewise; or optax:NAME, or algoperf:PATH.py for one of AlgoPerf's.",
)
@click.option("--suite", metavar="NAME", help="A suite's base workloads: lite or catalog.")
@click.option(
    "--held-out-seed", type=int, help="With --suite: run held-out variants drawn from this seed."
)
@options.results("results/run")
@click.option("--quick/--no-quick", help="One trial at the default point; --studies N for N seeds.")
@click.option(
    "--studies", type=int, help="Repetitions of the tuning procedure.  [default: 3, quick: 1]"
)
@click.option("--trials", type=int, help="Trials per study, external tuning.  [default: 5]")
@click.option("--max-steps", type=int, help="End trials after so many steps, not by time.")
@click.option("--seed", type=int, default=0, show_default=True, help="Base of all seeds.")
@click.option(
    "--timed/--untimed",
    default=True,
    help="Untimed, trials may run side by side (-j), have no seconds and do not score by time.",
)
@click.option("-j", "--jobs", type=int, default=1, show_default=True, help="Trials side by side.")
@click.option(
    "--checkpoint/--no-checkpoint",
    default=None,
    help="Keep a checkpoint at each evaluation, to go on from.  [default: budgets over 10 min]",
)
@options.devices
@options.executor
@options.memory_limit
@options.hang_after
@options.ray_address
@click.option("--retry-failed/--no-retry-failed", help="Run trials again that ended in an error.")
@click.option(
    "--tensorboard/--no-tensorboard",
    help="Write event files for TensorBoard too, into RESULTS/tensorboard.",
)
def command(
    workload: tuple[str, ...],
    submission: tuple[str, ...],
    results: Path,
    tensorboard: bool,
    **settings: Any,
) -> None:
    """Time submissions on workloads, then print the leaderboard.

    Interrupt it whenever you like: the same command again runs what is missing.
    """
    from algoperf_lite import run  # noqa: PLC0415
    from algoperf_lite.cli.progress import ProgressView  # noqa: PLC0415
    from algoperf_lite.cli.score import present  # noqa: PLC0415
    from algoperf_lite.event_files import EventFiles  # noqa: PLC0415

    with ExitStack() as stack:
        files = stack.enter_context(EventFiles(results)) if tensorboard else None
        view = stack.enter_context(ProgressView(output.stderr()))

        def observe(event: dict[str, Any]) -> None:
            if files is not None:
                files.observe(event)
            view.observe(event)

        done = run(workload, submission, results, observe=observe, **settings)
    present(done.leaderboard(), figure=results / "profiles")
    output.stdout().print(f"records: {results}", soft_wrap=True)
