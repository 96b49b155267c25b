"""The command line: ``algoperf-lite COMMAND``. One module per command, imported when it is run."""

import importlib
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click

from algoperf_lite.cli import output
from algoperf_lite.errors import AlgoperfLiteError, unknown_name

COMMANDS = {
    "calibrate": "Measure reference seconds per step on this device.",
    "check": "Check a submission or a workload of yours, in seconds.",
    "compare": "Compare two results directories or two submissions.",
    "doctor": "Look whether this machine is fit to time on.",
    "explore": "Explore schedules, learning rates and batch sizes.",
    "export-logs": "Write recorded trials as logs for AlgoPerf's own scorer.",
    "export": "Write a submission as one of AlgoPerf's.",
    "list": "Show the workloads and submissions there are.",
    "merge": "Put results directories together into one leaderboard.",
    "new": "Write a starting point for a submission, a workload or a variant.",
    "prepare": "Download, prepare and check the data of workloads.",
    "report": "Write recorded trials as one page to look at and to publish.",
    "rm": "Remove recorded trials.",
    "run": "Time submissions on workloads.",
    "score": "Turn recorded trials into a leaderboard.",
    "show": "Look at recorded trials, or at the learning-rate schedules.",
    "targets": "Measure what a validation target should be.",
    "tune": "Explore the hyperparameters of a submission.",
    "verify": "Train recorded trials again, and say whether they reproduce.",
    "watch": "Watch a run in progress, from another terminal.",
}
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands' modules are imported only when a command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """See click; an unknown name is a usage error with the nearest known ones."""
        del ctx
        if name not in COMMANDS:
            raise unknown_name("command", name, COMMANDS)
        return importlib.import_module(f"algoperf_lite.cli.{name.replace('-', '_')}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click; written from the table, so that help imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="algoperf_lite")
def group() -> None:
    """Time training algorithms to a validation target, and score them.

    Exit codes: 0 ok, 1 a scientific no, 2 a usage error, 3 a problem of this machine,
    130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code; SIGTERM and a hang-up are taken as Ctrl-C is."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:  # under nohup it is ignored
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    sys.exit(invoke(arguments))


def invoke(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows the program's name; by default this process's.

    Returns:
        The exit code.
    """
    try:
        result: Any = group.main(arguments, prog_name="algoperf-lite", standalone_mode=False)
        output.finish()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except AlgoperfLiteError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; the same command again runs what is missing", err=True)
        return INTERRUPTED
    return result if isinstance(result, int) else 0
