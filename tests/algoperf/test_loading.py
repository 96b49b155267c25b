"""Loading AlgoPerf submissions from disk: their files, their errors, their state."""

import gc
import importlib
import os
import pickle
import sys

import jax
import numpy as np
import pytest

from algoperf_lite.algoperf.loading import forget_unused, load
from algoperf_lite.errors import UsageError
from algoperf_lite.referee import foreign

FUNCTIONS = """
def init_optimizer_state(*args): return "state"
def update_params(**kwargs): return "updated"
def data_selection(*args): return "batch"
def get_batch_size(name): return 3
"""


@pytest.fixture
def write(tmp_path):
    """A function that writes files, {path: code}, and gives the path of the first."""

    def write_files(files, below="."):
        for name, code in files.items():
            file = tmp_path / below / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(code)
        return tmp_path / below / next(iter(files))

    return write_files


@pytest.fixture(autouse=True)
def nothing_left():
    """What anybody could see of a submission is gone when it is."""
    gc.collect()  # the submissions of other tests
    forget_unused()
    path, finders, names = list(sys.path), list(sys.meta_path), set(sys.modules)
    yield
    forget_unused()
    assert (sys.path, sys.meta_path) == (path, finders)
    own = {"linalg", "optim", "kron", "shared", "algorithms", "algoperf", "elsewhere", "utils"}
    assert not {
        name
        for name in set(sys.modules) - names
        if name.startswith("algoperf_lite_user_") or name.partition(".")[0] in own
    }


def test_the_functions_of_a_file(write):
    code = "from algoperf import spec\nimport algoperf.jax_sharding_utils as s\n" + FUNCTIONS
    path = write({"submission.py": code})
    file = load(path)
    assert file.path == path
    assert (file.init_optimizer_state(), file.update_params()) == ("state", "updated")
    assert (file.data_selection(), file.get_batch_size("any")) == ("batch", 3)
    assert file.prepare_for_eval is None
    assert "algoperf" not in sys.modules
    path.write_text(FUNCTIONS + "def prepare_for_eval(**kwargs): return 'swapped'")
    assert load(path).prepare_for_eval() == "swapped"


def test_every_load_runs_the_file_anew(write):
    path = write({"submission.py": FUNCTIONS + "SEEN = []"})
    one, other = load(path), load(path)
    (first,), (second,) = one.modules.values(), other.modules.values()
    assert first is not second
    assert first.SEEN is not second.SEEN
    assert first.update_params is one.update_params


def test_shardings_at_the_top_level_are_over_the_devices_given(write):
    code = "from algoperf import jax_sharding_utils as s\nALL = s.get_replicate_sharding()\n"
    path = write({"submission.py": code + FUNCTIONS})
    for devices in (jax.devices()[:1], jax.devices()[1:3]):
        file = load(path, devices)
        (module,) = file.modules.values()
        assert module.ALL.device_set == set(devices)


def test_the_referee_knows_its_code(write):
    file = load(write({"submission.py": FUNCTIONS}))
    assert all(name.startswith(foreign._USER_MODULE) for name in file.modules)
    assert foreign.of_submission(file.update_params.__code__)


def test_modules_are_importable_as_long_as_the_file_lives(write):
    code = "import dataclasses\n@dataclasses.dataclass\nclass State:\n    x: 'int' = 1\n"
    file = load(write({"submission.py": code + FUNCTIONS}))
    ((name, module),) = file.modules.items()
    assert pickle.loads(pickle.dumps(module.State(2))) == module.State(2)
    del module
    del file
    forget_unused()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(name)


def test_modules_do_not_go_in_the_middle_of_anybodys_walk(write):
    """A walk through what is imported may set the garbage collector going."""
    cycle = [load(write({"submission.py": FUNCTIONS}))]
    cycle.append(cycle)
    before = set(sys.modules)
    del cycle
    gc.collect()
    assert set(sys.modules) == before
    forget_unused()
    assert set(sys.modules) < before


IMPORTS = {
    "relative": "from . import linalg\nf = linalg.f",
    "relative name": "from .linalg import f",
    "relative package": "from .optim.kron import f",
    "relative of a parent": "from ..shared import f",
    "relative of a far parent": "from ...shared.far import f",
    "sibling": "import linalg\nf = linalg.f",
    "sibling name": "from linalg import f",
    "sibling as": "import optim.kron as kron\nf = kron.f",
    "sibling dotted": "import optim.kron\nf = optim.kron.f",
    "sibling folder": "from optim import kron\nf = kron.f",
    "sibling star": "from linalg import *",
    "repository": "from algorithms.baselines.x import linalg\nf = linalg.f",
    "repository name": "from algorithms.baselines.x.linalg import f",
    "repository dotted": "import algorithms.shared.far\nf = algorithms.shared.far.f",
    "repository as": "import algorithms.baselines.x.linalg as x\nf = x.f",
    "repository other": "from algorithms.shared.far import f",
    "path added": "import os, sys\nsys.path.append(os.path.dirname(__file__))\nimport linalg\n"
    "f = linalg.f",
}


LAZY = {f"{kind}, lazy": code for kind, code in IMPORTS.items() if "*" not in code}


@pytest.mark.parametrize("kind", [*IMPORTS, *LAZY])
def test_imports_of_its_own_files(write, kind):
    lazy, imports = kind in LAZY, LAZY.get(kind) or IMPORTS[kind]
    body = imports.replace("\n", "\n    ")
    call = f"def g():\n    {body}\n    return f()\n" if lazy else f"{imports}\ng = f\n"
    files = {
        "x/submission.py": call + FUNCTIONS,
        "x/linalg.py": "from .optim import kron\nf = kron.f",
        "x/optim/kron.py": "def f(): return 'found'",
        "shared.py": "from .x.linalg import f",
    }
    path = write(files, "algorithms/baselines")
    write({"far.py": "f = lambda: 'found'"}, "algorithms/shared")
    file = load(path)
    (module,) = (m for m in file.modules.values() if m.__file__ == str(path))
    with file.importing():
        assert module.g() == "found"


def test_ways_of_importing_a_file_give_one_module(write):
    code = "import linalg as a\nfrom . import linalg as b\nfrom submissions.x import linalg as c\n"
    path = write({"submission.py": code + FUNCTIONS, "linalg.py": ""}, "submissions/x")
    (module,) = (m for m in load(path).modules.values() if hasattr(m, "a"))
    assert module.a is module.b is module.c


def test_siblings_of_the_same_name_stay_apart(write):
    code = "import linalg\ndef lazily():\n    import utils\n    return linalg.X, utils.X\n"
    files = [
        load(write({"a.py": code + FUNCTIONS, "linalg.py": f"X={n}", "utils.py": f"X={n}"}, n))
        for n in "12"
    ]
    mains = [next(m for m in file.modules.values() if hasattr(m, "lazily")) for file in files]
    assert [main.lazily() for main in mains] == [(1, 1), (2, 2)]


def test_libraries_and_our_submissions_come_before_folders_of_their_names(write):
    """Many submissions lie in a folder called jax, or beside one, below one called submissions."""
    code = "import jax, jax.numpy as jnp\nfrom jax import lax\nfrom submissions import schedules"
    files = {"submission.py": f"{code}\n{FUNCTIONS}", "jax/__init__.py": "", "lax.py": ""}
    path = write(files, "submissions/jax")
    write({"__init__.py": ""}, "submissions")
    file = load(path)
    (module,) = file.modules.values()
    assert module.jnp is sys.modules["jax.numpy"]
    assert module.lax is sys.modules["jax.lax"]
    assert module.schedules is sys.modules["submissions.schedules"]


def test_packages_run_as_python_runs_them_and_folders_may_have_dots(write):
    files = {
        "v0.6/submission.py": f"from .. import BASE\nfrom . import NEAR\n{FUNCTIONS}",
        "v0.6/__init__.py": "NEAR = 1",
        "__init__.py": "from .linalg import BASE",
        "linalg.py": "BASE = 2",
    }
    file = load(write(files, "some.package"))
    (module,) = (m for m in file.modules.values() if hasattr(m, "update_params"))
    assert (module.BASE, module.NEAR) == (2, 1)


def test_what_is_found_by_an_added_path_is_seen_by_it_alone(write, tmp_path):
    write({"elsewhere.py": "X = 1"}, "library")
    add = f"import sys\nsys.path.insert(0, {str(tmp_path / 'library')!r})\nimport elsewhere\n"
    file = load(write({"submission.py": add + FUNCTIONS}))
    (module,) = file.modules.values()
    assert module.elsewhere.X == 1
    assert "elsewhere" not in sys.modules


def test_nothing_is_written_beside_it(write, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = write({"submission.py": "import linalg\n" + FUNCTIONS, "linalg.py": ""})
    load(path)
    assert sorted(os.listdir(path.parent)) == ["linalg.py", "submission.py"]


PROBLEMS = {
    "syntax": ("x = (\n", r"submission.py:1 is not Python: .* mend"),
    "raises": ("\n1 / 0\n", r"submission.py:2 does not import: ZeroDivisionError: .* mend"),
    "exits": ("import sys\nsys.exit(1)", r"submission.py:2 does not import: SystemExit: 1"),
    "no module": ("import nowhere_x", r":1 does not import: .*nowhere_x.*; install nowhere_x"),
    "no name": ("from algoperf import nope", r":1 .*nope.*algoperf\.spec; remove the import"),
    "no part": (
        "import algoperf.nope",
        r":1 .*nope.*algoperf\.spec; remove the import",
    ),
    "torch": (
        "try:\n  import torch.nn\nfinally: pass",
        r":2 .*torch.*; PyTorch submissions cannot",
    ),
    "sibling": ("\nimport linalg", r"linalg.py:1 does not import: NameError: .*'oops'"),
    "name": ("from .fine import nope", r"submission.py:1 .*cannot import name 'nope' from 'fine'"),
    "nothing": (
        "x = 1\n\ny = 2",
        r"submission.py:3: no init_optimizer_state, update_params, data_sel",
    ),
    "ours": ("submission = 1", r"of algoperf_lite's own kind: name it without algoperf:"),
    "no function": (FUNCTIONS + "data_selection = 3", r"submission.py:6: data_selection is 3"),
    "no selection": (
        FUNCTIONS.replace("data_selection", "select"),
        r"submission.py:5: no data_selection, which AlgoPerf calls in every submission; add",
    ),
}


@pytest.mark.parametrize(("code", "message"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_is_told_with_its_line(write, code, message):
    with pytest.raises(UsageError, match=message) as told:
        load(write({"submission.py": code, "linalg.py": "oops", "fine.py": ""}))
    assert "algoperf_lite_user_" not in str(told.value)


def test_what_is_no_file_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"folder; name the Python file"):
        load(tmp_path)
    with pytest.raises(UsageError, match=r"no file .*nope\.py"):
        load(tmp_path / "nope.py")


STATE = """
import collections, dataclasses, functools
import jax, jax.numpy as jnp, numpy as np
Point = collections.namedtuple("Point", "lr best")
@dataclasses.dataclass
class Best:
    loss: float = 9.0
    seen: list = dataclasses.field(default_factory=list)
class Tracker:
    def __init__(self): self.steps = []
step, name, nothing, jitted = 0, "adam", None, None
history, table, nested = [1], collections.defaultdict(list), {"a": {"b": [1]}}
weights, moments, seen = np.zeros(2), jnp.ones(2), {1}
point, best, tracker, alias = Point(0.1, [1]), Best(), Tracker(), history
cache, gone = {}, 5
@functools.lru_cache
def square(x): return x * x
def disturb(f):
    global step, name, nothing, jitted, moments, history, added, added_fn, gone
    step, name, nothing, jitted = 7, "sgd", 3, f
    history.append(2); table["x"].append(1); nested["a"]["b"].append(2); nested["c"] = 1
    history = [9]
    weights[:] = 5; moments = moments + 1; seen.add(2)
    point.best.append(2); best.loss = 0; best.seen.append(1); tracker.steps.append(1)
    cache["f"] = f; cache["shape"] = (1, 2)
    added, added_fn = [1], f
    del gone
"""


def test_restoring_puts_plain_data_back_and_leaves_what_is_callable(write):
    file = load(write({"submission.py": STATE + FUNCTIONS}))
    (module,) = file.modules.values()
    held = module.history
    for _ in range(2):
        module.disturb(print)
        file.restore()
        assert (module.step, module.name, module.nothing, module.gone) == (0, "adam", None, 5)
        assert module.history == [1]
        assert module.history is module.alias is held
        assert (dict(module.table), module.nested, module.seen) == ({}, {"a": {"b": [1]}}, {1})
        assert np.all(module.weights == 0)
        assert np.all(module.moments == 1)
        assert module.point == (0.1, [1])
        assert (module.best, module.tracker.steps) == (module.Best(), [])
        assert not hasattr(module, "added")
        assert module.jitted is module.added_fn is print
        assert module.cache == {"f": print, "shape": (1, 2)}


def test_restoring_reaches_all_its_modules_and_those_imported_later(write):
    code = "import linalg\nlinalg.X[0] = 2\ndef late():\n    import utils\n    return utils\n"
    files = {"submission.py": code + FUNCTIONS, "linalg.py": "X = [1]", "utils.py": "X = [1]"}
    file = load(write(files))
    (main,) = (m for m in file.modules.values() if hasattr(m, "late"))
    main.linalg.X[0] = main.late().X[0] = 5
    file.restore()
    assert (main.linalg.X, main.late().X) == ([2], [1])


def test_the_fingerprint_is_of_the_code_of_all_its_files(write):
    late = "def late():\n    from . import utils\n"
    files = {"submission.py": "import linalg\n" + late + FUNCTIONS, "linalg.py": "", "utils.py": ""}

    def print_of(below, **changed):
        names = {f"{name}.py": code for name, code in changed.items()}
        return load(write({**files, **names}, below)).fingerprint

    same = print_of("a")
    assert print_of("b", other="x = 1", linalg="# a comment") == same
    changes = [
        print_of("c", linalg="X = 1"),
        print_of("d", utils="X = 1"),
        print_of("e", submission="X = 1\n" + files["submission.py"]),
    ]
    assert len({same, *changes}) == 4


def test_what_runs_is_what_was_fingerprinted(write):
    code = "def late():\n    import utils\n    return utils.X\n" + FUNCTIONS
    path = write({"submission.py": code, "utils.py": "X = 1"})
    file = load(path)
    write({"utils.py": "X = 2"})
    (module,) = file.modules.values()
    assert module.late() == 1


def test_flags_of_absl_are_defined_anew_and_can_be_read_when_imported(write):
    code = (
        "from absl import flags\n"
        "flags.DEFINE_float('made_rate', 0.5, 'A rate.')\n"
        "rate = flags.FLAGS.made_rate\n"
        f"{FUNCTIONS}def get_batch_size(name): return flags.FLAGS.made_rate\n"
    )
    path = write({"flagged.py": code})
    first, second = load(path), load(path)
    assert [file.get_batch_size("x") for file in (first, second)] == [0.5, 0.5]
