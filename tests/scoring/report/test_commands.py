"""The commands that a page shows, which people paste into their shells."""

import pytest

from scoring.report.commands import run_command
from scoring.suite import parse_suite
from tests.scoring.made_logs import declared


def command(name="nadamw", **settings):
    return run_command(parse_suite(declared(("a",), **settings)), name)


def test_a_full_run_names_its_studies_and_trials():
    assert command(points="search_space", studies=3, trials=5, seed=0, max_steps=None) == (
        "algoperf-lite run -s nadamw -w {workload} --studies 3 --trials 5 --results results/again"
    )


def test_a_quick_run_with_seed_and_steps():
    assert command(points="default", studies=2, trials=1, seed=7, max_steps=40) == (
        "algoperf-lite run -s nadamw -w {workload} --studies 2 --seed 7 --max-steps 40 --quick"
        " --results results/again"
    )


def test_a_selector_is_one_word_of_the_shell():
    submissions = {"mine": {"ruleset": "external", "selector": "my adam.py[b2=0.9]"}}
    shown = command("mine", points="default", studies=1, submissions=submissions)
    assert "-s 'my adam.py[b2=0.9]' " in shown


@pytest.mark.parametrize("points", [None, "given"])
def test_foreign_and_explored_trials_have_none(points):
    assert command(points=points) is None


def test_settings_that_are_missing_or_no_numbers_are_left_out():
    shown = command(points="search_space", seed="0; reboot", max_steps="$(reboot)")
    assert shown == "algoperf-lite run -s nadamw -w {workload} --results results/again"
