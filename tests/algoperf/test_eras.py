"""Submissions of other eras and frameworks are told apart before any of their code runs."""

import pytest

from algoperf_lite.algoperf.loading import load
from algoperf_lite.errors import UsageError

FUNCTIONS = """
def init_optimizer_state(*args): pass
def update_params(**kwargs): pass
def data_selection(*args): pass
def get_batch_size(name): pass
"""
PMAP = {
    "call": "import jax\nstep = jax.pmap(lambda x: x, axis_name='batch')",
    "partial": "import functools, jax\n@functools.partial(jax.pmap, axis_name='b')\ndef f(x): 0",
    "decorator": "import jax\n@jax.pmap\ndef f(x): pass",
    "in a function": "import jax\ndef f(x): return jax.pmap(g)(x)",
    "other name": "import jax as j\nstep = j.pmap(len)",
    "from": "import flax\nfrom jax import jit, pmap as p",
    "replicated": "from flax import jax_utils; import jax\nf = jax.pmap(jax_utils.replicate)",
    "old name": "from algorithmic_efficiency import spec; import jax\nf = jax.pmap(spec)",
}
OTHERS = {
    "old name": ("\nfrom algorithmic_efficiency import spec", r":2 imports algorithmic_efficiency"),
    "old part": ("\nimport algorithmic_efficiency.spec as s", r":2 imports algorithmic_efficiency"),
    "torch": ("\nimport torch", r":2 imports torch: a submission for PyTorch"),
    "of torch": ("\nfrom torch.optim import Adam", r":2 imports torch\.optim\.Adam: .*PyTorch"),
    "old torch": ("from algorithmic_efficiency import spec\nimport torch", r":2 imports torch: "),
    "replicate": (
        "from flax import jax_utils as u\nf = u.unreplicate",
        r":2 uses flax\.jax_utils, .* axis of devices",
    ),
    "set up": ("\nfrom algoperf.pytorch_utils import pytorch_setup", r":2 imports .*PyTorch"),
}
FINE = {
    "comment": "# jax.pmap is gone\nHELP = 'jax.pmap'",
    "flax": "from flax import jax_utils\nf = jax_utils.prefetch_to_device",
    "replicate": "from algoperf import jax_sharding_utils as jax_utils\nf = jax_utils.replicate",
    "own pmap": "import jax\ndef pmap(f): return jax.vmap(f)\nclass A: pmap = 1\nA.pmap",
    "either name": "try:\n  from algoperf import spec\nexcept ImportError:\n"
    "  from algorithmic_efficiency import spec",
    "torch if there": "try:\n  import torch\nexcept ImportError:\n  torch = None",
    "torch later": "def convert():\n  from . import for_torch",
}
NEVER_RUN = "raise AssertionError('this ran')\n"


@pytest.fixture
def write(tmp_path):
    def write_file(code, name="submission.py"):
        (tmp_path / name).write_text(code)
        return tmp_path / name

    return write_file


@pytest.mark.parametrize("code", PMAP.values(), ids=PMAP)
def test_pmap_is_told_with_its_line_before_anything_runs(write, code):
    with pytest.raises(UsageError, match=r"submission\.py:2 uses jax\.pmap.* 0\.5 .*jax\.jit with"):
        load(write(f"{code}\n{FUNCTIONS}\n{NEVER_RUN}"))


@pytest.mark.parametrize(("code", "message"), OTHERS.values(), ids=OTHERS)
def test_other_names_and_frameworks_are_told_before_anything_runs(write, code, message):
    with pytest.raises(UsageError, match=message):
        load(write(f"{code}\n{FUNCTIONS}\n{NEVER_RUN}"))


@pytest.mark.parametrize(
    "line", ["import helper", "from .helper import *", "def f(): import helper"]
)
def test_files_that_it_imports_are_looked_through(write, line):
    write("import jax\n\nf = jax.pmap(len)", "helper.py")
    write("import torch\nimport jax\njax.pmap(len)", "unrelated.py")
    with pytest.raises(UsageError, match=r"helper\.py:3 uses jax\.pmap"):
        load(write(f"{NEVER_RUN}{line}\n{FUNCTIONS}"))


def test_packages_on_the_way_are_looked_through(write, tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    write("X = 1", "shared.py")
    write("import jax; jax.pmap(len)", "a/__init__.py")
    write("from ...shared import X", "a/b/__init__.py")
    with pytest.raises(UsageError, match=r"a/__init__\.py:1 uses jax\.pmap"):
        load(write(FUNCTIONS, "a/b/submission.py"))


@pytest.mark.parametrize("code", FINE.values(), ids=FINE)
def test_mentioning_is_not_using(write, code):
    write("import torch", "for_torch.py")
    assert load(write(f"{code}\n{FUNCTIONS}")).get_batch_size("any") is None
