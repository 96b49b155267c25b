"""``--config FILE.toml``: a file that says what flags can say."""

import tomllib
from pathlib import Path
from typing import Any

import click

from algoperf_lite.errors import UsageError, unknown_name


def config_option(command: Any) -> Any:
    """Add ``--config`` to a command. Keys equal flag names; flags given explicitly win."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        callback=_read,
        is_eager=True,
        expose_value=False,
        help="TOML file whose keys are these flags' names; explicit flags win.",
    )(command)


def _read(ctx: click.Context, param: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--config {path}: {error}") from error
    flags = {
        option.removeprefix("--"): p
        for p in ctx.command.params
        if p is not param
        for option in p.opts
        if option.startswith("--")
    }
    for key, value in content.items():
        if key not in flags:
            raise unknown_name("key", key, flags, str(path))
        if flags[key].multiple and not isinstance(value, list):
            raise UsageError(f"{path}: {key} must be a list, as in {key} = [{value!r}]")
        if not flags[key].multiple and isinstance(value, list | dict):
            raise UsageError(f"{path}: {key} must be a single value, not {value!r}")
    ctx.default_map = {flags[key].name: value for key, value in content.items()}
