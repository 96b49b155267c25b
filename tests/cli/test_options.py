from algoperf_lite.cli import options
from scoring.clocks import CLOCKS
from scoring.profiles import INTEGRATIONS


def test_choices_are_those_that_scoring_has():
    assert tuple(CLOCKS) == options.CLOCKS
    assert INTEGRATIONS == options.INTEGRATIONS
