"""What a submission declares in a wrong form is told with the line of its file."""

import pytest

from algoperf_lite import registry
from algoperf_lite.declared import check_declared
from algoperf_lite.errors import UsageError
from algoperf_lite.executors.describing import describe_submission

FILE = """
import optax
from algoperf_lite import OptaxSubmission

SPACE = {
    "lr": {"min": 0.01, "max": 1.0, "scaling": "log"},
    "beta": {"feasible_points": [0.8, 0.9]},
}

submission = OptaxSubmission(
    lambda hp, task: optax.sgd(hp["lr"], hp["beta"]),
    default={
        "lr": 0.1,
        "beta": 0.9,
    },
    points={"paper": {"lr": 0.2}},
    search_space=SPACE,
)
"""


@pytest.fixture
def write(tmp_path):
    def to_file(old="", new=""):
        path = tmp_path / "own.py"
        assert old in FILE
        path.write_text(FILE.replace(old, new, 1))
        return path

    return to_file


def test_a_sound_file_passes(write):
    assert describe_submission(str(write()))["default"] == {"lr": 0.1, "beta": 0.9}


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('"log"}', '"lg"}', 6, "'lr': unknown scaling 'lg': did you mean 'log'"),
        ('"min": 0.01', '"min": 1.0', 6, "'lr': min 1.0 is not below max 1.0"),
        ("[0.8, 0.9]", "[]", 7, "'beta': feasible_points must be a non-empty list"),
        ('"beta": {', '"beat": {', 7, "unknown hyperparameter 'beat': did you mean 'beta'"),
        ('"beta": {', '"lr": {', 7, "'lr' stands twice in one dict, first in line 6; Python keeps"),
        ('"beta": 0.9', '"lr": 0.9', 14, "'lr' stands twice in one dict, first in line 13"),
        ('{"lr": 0.2}', '{"lr": 0.2, "lr": 0.3}', 16, "'lr' stands twice in one dict"),
        ('{"lr": 0.2}', '{"lt": 0.2}', 16, "unknown hyperparameter 'lt': did you mean 'lr'"),
        ('"beta": 0.9', '"beta": (0.9,)', 14, r"hyperparameter 'beta' is \(0.9,\)"),
        ("search_space=SPACE", "search_space=[]", 17, "non-empty list of points"),
        ("search_space=SPACE", 'static=("depth",)', 17, "unknown hyperparameter 'depth'"),
        (
            "search_space=SPACE",
            'options={"beta": {"a": None}}',
            14,
            r"unknown beta '0\.9'.* Known: a",
        ),
    ],
)
def test_a_malformed_declaration_is_told_with_its_line(write, old, new, line, message):
    path = write(old, new)
    with pytest.raises(UsageError, match=message) as caught:
        describe_submission(str(path))
    assert str(caught.value).startswith(f"{path}:{line}: ")


def test_a_submission_found_by_name_is_told_with_its_file_and_its_name():
    _, found, _ = registry.find_submission("nadamw")
    found.default["learning_rate"] = float("nan")
    try:
        with pytest.raises(UsageError, match=r"submissions/nadamw\.py:\d+: nadamw: hyperparam"):
            check_declared("nadamw", found)
    finally:
        found.default["learning_rate"] = 5e-3


def test_what_optax_brings_has_a_form_too():
    _, found, _ = registry.find_submission("optax:sgd")
    check_declared("optax:sgd", found)
