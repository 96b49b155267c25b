"""Records of ours and of others, damaged at random: see `benchmarks.fuzz_records` for what holds.

A longer run, by another generator: ``python -m benchmarks.fuzz_records --mutations 20000``.
"""

import json
import random

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from algoperf_lite.records import EVALUATIONS_FILE, SUITE_FILE, TRIAL_FILE
from benchmarks import fuzz_records
from benchmarks.fuzz_records import KINDS, Mutation, World
from scoring.leaderboard import find_suite
from scoring.reader import read_records

MUTATIONS = 400
# Digits and punctuation keep a file readable more often than bytes at large.
PLAUSIBLE = st.text('0123456789.,-e"{}[]:\n', min_size=1, max_size=4).map(str.encode)

mutations = st.builds(
    Mutation,
    kind=st.sampled_from(KINDS),
    at=st.integers(0, 1 << 16),
    length=st.integers(1, 64),
    fill=st.one_of(PLAUSIBLE, st.binary(min_size=1, max_size=8)),
)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    return fuzz_records.make_worlds(tmp_path_factory.mktemp("worlds"))


@settings(max_examples=MUTATIONS)
@given(data=st.data(), changes=st.lists(mutations, min_size=1, max_size=3))
def test_no_damage_is_fatal_or_makes_a_miss_a_hit(worlds, data, changes):
    world = data.draw(st.sampled_from(worlds), label="clock")
    path = data.draw(st.sampled_from(sorted(world.files)), label="file")
    assert world.check(path, changes) in ("unchanged", "refused", "reported", "unnoticed")


def test_the_undamaged_records_are_hits_and_misses_as_they_were_made(worlds):
    for world in worlds:
        of_ours = {identity[1] for identity in world.times if identity[0] == "ours"}
        assert of_ours == {"reached"}
        records = read_records(world.root, find_suite(world.root), clock=world.clock)
        assert records.problems == []
    # Without a record nothing says that a trial was over its budget, or had failed.
    of_others = {identity[1] for identity in worlds[0].times if identity[0] == "foreign"}
    assert of_others == {"reached", "late", "failed"}


def test_every_digit_of_a_csv_of_ours_is_watched(worlds):
    world = worlds[0]
    path = world.root / "ours/study_0/missed_jax/trial_1" / EVALUATIONS_FILE
    data = world.files[path]
    for at in (i for i, byte in enumerate(data) if chr(byte).isdecimal()):
        assert world.check(path, [Mutation("overwrite", at, 1, b"x")]) == "reported"


def test_no_other_target_in_the_suite_makes_our_misses_hits(worlds):
    world = worlds[0]
    path = world.root / SUITE_FILE
    at = world.files[path].index(b"1.0")
    # Of the logs that have no record, none can notice; ours do.
    assert world.check(path, [Mutation("overwrite", at, 1, b"9")]) == "reported"


def test_a_whole_csv_of_another_trial_is_noticed(worlds):
    world = worlds[0]
    hit = world.files[world.root / "ours/study_0/reached_jax/trial_1" / EVALUATIONS_FILE]
    path = world.root / "ours/study_0/missed_jax/trial_1" / EVALUATIONS_FILE
    everything = [Mutation("overwrite", 0, 1, hit), Mutation("truncate", len(hit), 1, b"")]
    assert everything[1].apply(everything[0].apply(world.files[path])) == hit
    assert world.check(path, everything) == "reported"


DRAWN = [("eval_params", b"null"), ("eval_params", b"NaN"), ("flops_per_step", b'"x"')]


@pytest.mark.parametrize(("name", "value"), DRAWN)
def test_damaged_records_can_be_drawn_and_compared(worlds, name, value):
    world = worlds[0]
    path = world.root / "ours/study_0/reached_jax/trial_1" / TRIAL_FILE
    tokens = fuzz_records.tokens(world.files[path])
    at = [world.files[path][start:end] for start, end in tokens].index(f'"{name}"'.encode()) + 1
    change = Mutation("value", at, fuzz_records.VALUES.index(value), b"")
    assert world.check(path, [change], draw=True) == "unnoticed"


def test_a_check_can_fail(worlds):
    world = worlds[0]
    of_others = {k: time for k, time in world.times.items() if k[0] == "foreign"}
    blind = World(world.root, world.clock, world.files, of_others)
    path = world.root / "ours/study_0/late_jax/trial_1" / TRIAL_FILE
    with pytest.raises(AssertionError, match="became a hit"):
        blind.check(path, [Mutation("truncate", 5, 1, b"")])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_damage_changes_bytes(kind):
    data = bytes(range(100))
    assert Mutation(kind, 110, 7, b"!").apply(data) != data
    assert isinstance(Mutation(kind, 3, 7, b"!").apply(b""), bytes)


def test_the_command_counts_what_became_of_the_damages():
    done = CliRunner().invoke(fuzz_records.main, ["--json", "--mutations", "20", "--seed", "3"])
    found = json.loads(done.stdout)
    assert found["mutations"] == sum(sum(c.values()) for c in found["outcomes"].values()) == 20


def test_the_same_seed_makes_the_same_damages():
    one, two = (fuzz_records._random_mutation(random.Random(5)) for _ in range(2))
    assert one == two
