"""What a submission written for AlgoPerf declares, as one of ours."""

import json

import pytest

from algoperf_lite.errors import UsageError
from algoperf_lite.registry import find_submission
from algoperf_lite.request import refuse_on_host_loop

CODE = """
from algoperf import spec

def get_batch_size(workload_name): return 8
def init_optimizer_state(*args): return None
def update_params(**kwargs): return None, None, None
def data_selection(workload, input_queue, *args): return next(input_queue)
"""
SPACE = {
    "learning_rate": {"min": 1e-4, "max": 1e-2, "scaling": "log"},
    "dropout_rate": {"min": 0.0, "max": 0.2, "scaling": "linear"},
    "beta": {"feasible_points": [0.9, 0.99, 0.999]},
}


@pytest.fixture
def selector(tmp_path):
    (tmp_path / "rule").mkdir()
    (tmp_path / "rule/submission.py").write_text(CODE)
    return f"algoperf:{tmp_path}/rule/submission.py"


def with_space(selector, space):
    path = selector.removeprefix("algoperf:").replace("submission.py", "space.json")
    with open(path, "w") as file:
        file.write(space if isinstance(space, str) else json.dumps(space))
    return f"{selector},search_space={path}"


def test_without_a_search_space_it_is_self_tuning(selector):
    name, submission, _ = find_submission(selector)
    assert (name, submission.ruleset, submission.default) == ("algoperf:rule", "self", {})


def test_a_search_space_makes_it_externally_tuned_with_its_middle_for_a_single_trial(selector):
    _, submission, _ = find_submission(with_space(selector, SPACE))
    assert submission.ruleset == "external"
    assert submission.search_space == SPACE
    assert submission.default == {"learning_rate": 1e-3, "dropout_rate": 0.1, "beta": 0.99}
    static, traced = submission.split_hyperparameters(submission.default)
    assert static == submission.default
    assert traced == {}


def test_a_list_of_points_starts_with_the_default(selector):
    points = [{"learning_rate": 0.1}, {"learning_rate": 0.2}]
    _, submission, _ = find_submission(with_space(selector, points))
    assert submission.default == {"learning_rate": 0.1}


def test_values_in_brackets_are_fixed_and_part_of_the_name(selector):
    text = with_space(selector, SPACE)
    name, submission, fixed = find_submission(f"{text}[beta=0.5]")
    assert name == "algoperf:rule[beta=0.5]"
    assert submission.default["beta"] == 0.5
    assert "beta" not in submission.search_space
    assert fixed != find_submission(text)[2]
    with pytest.raises(UsageError, match=r"rule/submission\.py.*gamma.*Known: beta"):
        find_submission(f"{text}[gamma=0.5]")


def test_the_fingerprint_is_of_code_and_search_space(selector, tmp_path):
    before = find_submission(selector)[2]
    assert find_submission(with_space(selector, SPACE))[2] != before
    (tmp_path / "rule/submission.py").write_text(f"{CODE}# a comment")
    assert find_submission(selector)[2] == before
    (tmp_path / "rule/submission.py").write_text(f"{CODE}x = 1")
    assert find_submission(selector)[2] != before


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ("{", "space.json: not JSON"),
        ("[]", "space.json: a search space is a non-empty"),
        ("3", "space.json: a search space is a non-empty"),
        ({"lr": {"min": 1, "max": 0, "scaling": "linear"}}, "'lr': min 1 is not below max 0"),
        ({"lr": {"feasible_points": []}}, "'lr': feasible_points must be a non-empty list"),
        ([{"lr": 1.0}, {}], r"point 1 lacks \['lr'\]"),
    ],
)
def test_a_search_space_at_fault_is_told_with_its_file(selector, space, message):
    with pytest.raises(UsageError, match=message) as raised:
        find_submission(with_space(selector, space))
    assert "space.json" in str(raised.value)


def test_a_search_space_that_is_not_there_is_told_with_the_ways_out(selector):
    with pytest.raises(UsageError, match=r"no\.json: No such file.*search_space=none"):
        find_submission(f"{selector},search_space=no.json")


@pytest.mark.parametrize(("vectorize", "checkpoint"), [(4, None), (None, True)])
def test_what_takes_compiled_steps_is_refused(vectorize, checkpoint):
    described = {"submissions": [{"name": "algoperf:a", "host_loop": True}]}
    with pytest.raises(UsageError, match=r"algoperf:a: --.* is not for submissions written for"):
        refuse_on_host_loop(described, vectorize, checkpoint)
    refuse_on_host_loop(described, None, None)
    described["submissions"][0]["host_loop"] = False
    refuse_on_host_loop(described, vectorize, checkpoint)
