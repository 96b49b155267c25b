import optax
import pytest
import toys

from algoperf_lite.errors import UsageError
from algoperf_lite.submission import OptaxSubmission

DEFAULT = {"lr": 0.1, "depth": 2, "kind": "a", "nesterov": True}
BASE = OptaxSubmission(lambda hp, task: optax.sgd(hp["lr"]), default=DEFAULT, static=("depth",))


def test_numbers_are_traced_and_the_rest_is_static():
    static, traced = BASE.split_hyperparameters(DEFAULT)
    assert static == {"depth": 2, "kind": "a", "nesterov": True}
    assert traced == {"lr": 0.1}


def test_fixing_a_value_takes_it_out_of_the_search_space():
    fixed = toys.sgd.fix({"learning_rate": 0.5})
    assert fixed.default == {"learning_rate": 0.5}
    assert fixed.search_space == {}
    assert toys.sgd.default == {"learning_rate": 0.05}


def test_fixing_a_value_goes_into_every_listed_point():
    listed = OptaxSubmission(BASE.optimizer, default=DEFAULT, search_space=[DEFAULT, DEFAULT])
    assert [p["lr"] for p in listed.fix({"lr": 9.0}).search_space] == [9.0, 9.0]


def test_fixing_an_unknown_name_is_refused():
    with pytest.raises(UsageError, match="unknown hyperparameter 'lrr': did you mean 'lr'"):
        BASE.fix({"lrr": 1.0})
