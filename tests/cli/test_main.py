import subprocess
import sys

import pytest

from algoperf_lite.cli import COMMANDS, invoke

HEAVY = ("jax", "numpy", "rich.table", "pyarrow", "matplotlib", "scipy", "tensorflow_datasets")


def test_help_names_every_command_and_imports_nothing_heavy():
    code = (
        "import sys; from algoperf_lite.cli import invoke; invoke(['--help']);"
        f"print('HEAVY', [m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(cli, name):
    code, out, _ = cli(name, "--help")
    assert code == 0
    assert f"algoperf-lite {name}" in out


def test_an_unknown_command_is_a_usage_error(cli):
    code, _, err = cli("scroe")
    assert code == 2
    assert "did you mean 'score'" in err


def test_an_unknown_option_is_a_usage_error(cli):
    code, _, err = cli("run", "--worload", "x")
    assert code == 2
    assert "--workload" in err


def test_an_interrupt_exits_130(cli, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("algoperf_lite.study.run", interrupted)
    code, _, err = cli("run", "-w", "x", "-s", "y")
    assert code == 130
    assert "the same command again runs what is missing" in err


def test_version(cli):
    assert cli("--version")[1].startswith("algoperf-lite, version ")


def test_invoke_returns_codes_and_does_not_exit():
    assert invoke(["--version"]) == 0
