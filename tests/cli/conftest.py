import pytest
import tiny

from algoperf_lite.cli import invoke


@pytest.fixture
def cli(capsys):
    """Run the command line; returns (exit code, standard output, standard error)."""

    def run(*arguments):
        capsys.readouterr()
        code = invoke([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """A finished run of two submissions on the tiny workload."""
    root = tmp_path_factory.mktemp("cli")
    code = invoke(["run", "-w", tiny.__file__, "-s", "nadamw[learning_rate=0.05]", "-s", "nesterov",
                   "--results", str(root / "r"), "--quick", "--max-steps", "100",
                   "--executor", "inline", "--devices", "1"])  # fmt: skip
    assert code == 0
    return root / "r"
