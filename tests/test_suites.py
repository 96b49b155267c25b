from types import SimpleNamespace

import pytest

from algoperf_lite import registry
from algoperf_lite.errors import UsageError
from algoperf_lite.suites import draw_held_out, find_suite
from workloads.suites import SUITES


def families(**variants):
    return {
        base: [SimpleNamespace(name=f"{base}_{v}") for v in names]
        for base, names in variants.items()
    }


def test_a_suite_without_a_seed_has_no_held_out_sample():
    assert find_suite("lite").held_out == ()


def test_an_unknown_suite_is_refused_with_its_neighbours():
    with pytest.raises(UsageError, match=r"unknown suite 'lit'.*lite"):
        find_suite("lit")


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_holds_base_workloads_of_its_tier(name):
    workloads = [registry.find_workload(base) for base in SUITES[name]]
    assert all(w.base is None and w.tier == name for w in workloads)
    assert list(SUITES[name]) == sorted(SUITES[name])


def test_the_lite_suite_draws_one_variant_of_each_base():
    suite = find_suite("lite", 0)
    assert len(suite.base) in (8, 9)
    assert [registry.find_workload(v).base for v in suite.held_out] == list(suite.base)


def test_seeds_draw_different_samples_and_every_variant_in_time():
    family = families(lm=("a", "b", "c"))
    drawn = {draw_held_out(family, seed) for seed in range(50)}
    assert drawn == {("lm_a",), ("lm_b",), ("lm_c",)}


def test_a_draw_depends_on_its_own_family_alone_and_not_on_order():
    alone = draw_held_out(families(lm=("a", "b", "c")), 7)
    among = draw_held_out(families(other=("x", "y"), empty=(), lm=("c", "b", "a")), 7)
    assert among[-1] == alone[0]
    assert len(among) == 2
