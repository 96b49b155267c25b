"""The made translations follow the grammar they state; every pair is fresh."""

import itertools

import numpy as np
import pytest

from workloads import rewrite_transformer
from workloads.datasets import rewrite

ROWS = 4_000


@pytest.fixture(scope="module")
def pairs():
    return rewrite.sample(ROWS, rewrite.SEEDS["train"])


def read(tokens, starts):
    """A sentence as (class, number) of each word."""
    names, firsts = list(starts), list(starts.values())
    kinds = [int(np.searchsorted(firsts, t, side="right")) - 1 for t in tokens if t]
    words = [int(t) for t in tokens if t]
    return [(names[k], t - firsts[k]) for k, t in zip(kinds, words, strict=True) if k >= 0]


def translate(source):
    """The translation by the rules of the docstring, a word at a time."""
    tables, words = rewrite.language(), list(source)

    def noun_phrase():
        det = words.pop(0)[1]
        adjectives = []
        while words[0][0] == "adj":
            adjectives.append(words.pop(0)[1])
        noun = words.pop(0)[1]
        idiom = tables.noun_idiom[adjectives[-1], noun] if adjectives else -1
        if idiom >= 0:
            adjectives.pop()
            noun = rewrite.SOURCE_WORDS["noun"] + idiom
        gender = tables.gender[noun]
        turned = [("adj", rewrite.GENDERS * a + gender) for a in reversed(adjectives)]
        return [("det", rewrite.GENDERS * det + gender), ("noun", noun), *turned], det % 2, gender

    subject, number, gender = noun_phrase()
    tense = words.pop(0)[1] + 1 if words[0][0] == "aux" else 0
    adverb = words.pop(0)[1] if words[0][0] == "adv" else -1
    verb = words.pop(0)[1]
    thing, _, _ = noun_phrase()
    post = ("post", words.pop(0)[1])
    place, _, _ = noun_phrase()
    verbs = [("adv", adverb), ("verb", verb)] if adverb >= 0 else [("verb", verb)]
    if adverb >= 0 and tables.verb_idiom[adverb, verb] >= 0:
        noun, other = tables.phrases[tables.verb_idiom[adverb, verb]]
        verbs = [("noun", noun), ("verb", other)]
    ending = (tense * rewrite.NUMBERS + number) * rewrite.GENDERS + gender
    return [*subject, *place, post, *thing, *verbs, ("ending", ending)]


def test_same_seed_same_pairs_other_seed_others(pairs):
    again, other = (rewrite.sample(ROWS, rewrite.SEEDS[s]) for s in ("train", "test"))
    for name in ("source", "target"):
        assert pairs[name].dtype == np.uint16
        np.testing.assert_array_equal(pairs[name], again[name])
        assert (pairs[name] != other[name]).any(axis=1).mean() > 0.99


def test_every_target_is_the_translation_of_its_source(pairs):
    for source, target in zip(pairs["source"], pairs["target"], strict=True):
        words = read(source, rewrite.SOURCE)
        assert read(target, rewrite.TARGET) == translate(words)


def test_sentences_are_framed_and_padded_at_the_end(pairs):
    source, target = pairs["source"], pairs["target"]
    assert source.shape == (ROWS, rewrite.SOURCE_LENGTH)
    assert target.shape == (ROWS, rewrite.TARGET_LENGTH)
    lengths = (source > 0).sum(axis=1)
    assert lengths.min() == 8
    assert lengths.max() == rewrite.SOURCE_LENGTH
    for tokens in (source, target):
        assert (np.diff((tokens > 0).astype(int), axis=1) <= 0).all()
    ends = (target > 0).sum(axis=1) - 1
    assert (target[:, 0] == rewrite.BOS).all()
    assert (target[np.arange(ROWS), ends] == rewrite.EOS).all()
    assert (target == rewrite.EOS).sum() == (target == rewrite.BOS).sum() == ROWS


def test_words_are_zipfian_and_all_occur(pairs):
    for tokens, vocabulary, first in (
        (pairs["source"], rewrite.SOURCE_VOCABULARY, 1),
        (pairs["target"], rewrite.TARGET_VOCABULARY, 3),
    ):
        counts = np.bincount(tokens.ravel(), minlength=vocabulary)
        assert len(counts) == vocabulary
        assert (counts[first:] > 0).all()
    nouns = np.bincount(pairs["source"].ravel())[rewrite.SOURCE["noun"] :]
    assert nouns[0] / nouns[31] == pytest.approx(32, rel=0.5)


@pytest.mark.parametrize(
    ("table", "first", "second", "share"),
    [("noun_idiom", "adj", "noun", 0.33), ("verb_idiom", "adv", "verb", 0.13)],
)
def test_idioms_occur_often(pairs, table, first, second, share):
    index = getattr(rewrite.language(), table)
    found = 0
    for source in pairs["source"]:
        words = read(source, rewrite.SOURCE)
        neighbours = itertools.pairwise(words)
        found += any(
            (a, b) == (first, second) and index[i, j] >= 0 for (a, i), (b, j) in neighbours
        )
    assert found / ROWS == pytest.approx(share, abs=0.03)


def test_idioms_are_different_pairs():
    tables = rewrite.language()
    assert (tables.noun_idiom >= 0).sum() == rewrite.NOUN_IDIOMS
    assert (tables.verb_idiom >= 0).sum() == rewrite.VERB_IDIOMS


def test_no_pair_comes_twice_within_twice_the_step_hint():
    workload = rewrite_transformer.workload
    seen = 2 * workload.step_hint * workload.batch_size
    assert rewrite.ROWS["train"] >= seen
    source = rewrite.sample(rewrite.ROWS["train"], rewrite.SEEDS["train"])["source"]
    assert len(np.unique(source, axis=0)) == len(source)
