"""A made language pair: sentences of a small grammar and their one right translation.

A source sentence is a subject, a verb group, an object and a prepositional phrase:

    DET (ADJ) (ADJ) NOUN  (AUX) (ADV) VERB  DET (ADJ) (ADJ) NOUN  PREP DET (ADJ) (ADJ) NOUN

Words of a class are drawn by Zipf's law. The translation puts the verb last, adjectives after their
noun and in turn, and the preposition behind its phrase:

    DET NOUN (ADJ) (ADJ)  DET NOUN (ADJ) (ADJ) POST  DET NOUN (ADJ) (ADJ)  (ADV) VERB ENDING

* Agreement: each noun has a gender that only its translation shows. Determiners come in a form for
  each gender and number, adjectives in one for each gender. The verb's ending is set by the
  auxiliary and by the gender and number of the subject, at the other end of the sentence.
* Idioms: some pairs of an adjective and the noun after it become one unrelated noun, with a gender
  of its own; some pairs of an adverb and its verb become a phrase of an unrelated noun and verb.

    python -m workloads.datasets.rewrite

prints some pairs in words, and the share of sentences with idioms.
"""

from typing import ClassVar, NamedTuple

import numpy as np

from workloads.datasets.blocks import BlockBuilder
from workloads.datasets.draws import draw, generator, zipf_weights

PAD, BOS, EOS = 0, 1, 2
SOURCE_LENGTH = 16
TARGET_LENGTH = 18  # with BOS and EOS
NUMBERS, GENDERS, TENSES = 2, 3, 4  # the first tense has no auxiliary
SOURCE_WORDS = {
    "det": 3 * NUMBERS,  # the last bit of a determiner is its number
    "noun": 80,
    "adj": 24,
    "aux": TENSES - 1,
    "adv": 12,
    "verb": 40,
    "prep": 8,
}
NOUN_IDIOMS, VERB_IDIOMS = 24, 16
TARGET_WORDS = {
    "det": SOURCE_WORDS["det"] * GENDERS,
    "noun": SOURCE_WORDS["noun"] + NOUN_IDIOMS,
    "adj": SOURCE_WORDS["adj"] * GENDERS,
    "adv": SOURCE_WORDS["adv"],
    "verb": SOURCE_WORDS["verb"],
    "post": SOURCE_WORDS["prep"],
    "ending": TENSES * NUMBERS * GENDERS,
}
ADJECTIVES = np.array([8, 5, 3])  # odds of 0, 1 and 2 before a noun
ADVERB = np.array([8, 8])  # odds of none and one
TENSE = np.array([6, 5, 3, 2])
IDIOM = np.array([12, 4])  # odds that an adjective and noun, or an adverb and verb, are no idiom
ROWS = {"train": 64_000, "validation": 128, "test": 1_024}
SEEDS = {"language": 21, "train": 22, "validation": 23, "test": 24}


def _offsets(words: dict[str, int], first: int) -> dict[str, int]:
    """The first token of each class of words."""
    starts = np.cumsum([first, *words.values()])
    return {name: int(start) for name, start in zip(words, starts, strict=False)}


SOURCE = _offsets(SOURCE_WORDS, 1)
TARGET = _offsets(TARGET_WORDS, 3)
SOURCE_VOCABULARY = 1 + sum(SOURCE_WORDS.values())
TARGET_VOCABULARY = 3 + sum(TARGET_WORDS.values())


class Language(NamedTuple):
    """What is arbitrary about the pair of languages.

    Attributes:
        gender: of each target noun, the idiomatic ones last.
        noun_pairs: adjective and noun of each noun idiom, int64 (NOUN_IDIOMS, 2).
        noun_idiom: the idiom of each adjective and noun, -1 if none, int64 (adjectives, nouns).
        verb_pairs: adverb and verb of each verb idiom, int64 (VERB_IDIOMS, 2).
        verb_idiom: the idiom of each adverb and verb, -1 if none, int64 (adverbs, verbs).
        phrases: the noun and the verb that each verb idiom becomes, int64 (VERB_IDIOMS, 2).
    """

    gender: np.ndarray
    noun_pairs: np.ndarray
    noun_idiom: np.ndarray
    verb_pairs: np.ndarray
    verb_idiom: np.ndarray
    phrases: np.ndarray


class Noun(NamedTuple):
    """Noun phrases of N sentences: int64 arrays of shape (N,), -1 for a word that is not there."""

    det: np.ndarray
    outer: np.ndarray  # the adjective away from the noun; there only if `inner` is
    inner: np.ndarray
    noun: np.ndarray


def _pairs(rng: np.random.Generator, first: int, second: int, count: int) -> np.ndarray:
    """`count` different pairs of a word among `first` and one among `second`."""
    pairs = rng.permutation(first * second)[:count]
    return np.stack([pairs // second, pairs % second], axis=1)


def _index(pairs: np.ndarray, first: int, second: int) -> np.ndarray:
    table = np.full((first, second), -1)
    table[pairs[:, 0], pairs[:, 1]] = np.arange(len(pairs))
    return table


def language() -> Language:
    """The language pair; always the same."""
    rng, words = generator(SEEDS["language"]), SOURCE_WORDS
    noun_pairs = _pairs(rng, words["adj"], words["noun"], NOUN_IDIOMS)
    verb_pairs = _pairs(rng, words["adv"], words["verb"], VERB_IDIOMS)
    return Language(
        gender=rng.integers(0, GENDERS, TARGET_WORDS["noun"]),
        noun_pairs=noun_pairs,
        noun_idiom=_index(noun_pairs, words["adj"], words["noun"]),
        verb_pairs=verb_pairs,
        verb_idiom=_index(verb_pairs, words["adv"], words["verb"]),
        phrases=_pairs(rng, words["noun"], words["verb"], VERB_IDIOMS),
    )


def _zipf(rng: np.random.Generator, name: str, rows: int) -> np.ndarray:
    return draw(rng, zipf_weights(SOURCE_WORDS[name]), rows)


def _draw_pair(rng: np.random.Generator, names: tuple[str, str], pairs: np.ndarray, rows: int):
    """Two neighbouring words: one of the idioms, by Zipf's law, or any two."""
    idiom = draw(rng, IDIOM, rows)
    drawn = pairs[draw(rng, zipf_weights(len(pairs)), rows)]
    return [np.where(idiom, drawn[:, i], _zipf(rng, name, rows)) for i, name in enumerate(names)]


def _draw_noun(rng: np.random.Generator, tables: Language, rows: int) -> Noun:
    adjectives = draw(rng, ADJECTIVES, rows)
    det, outer = (_zipf(rng, name, rows) for name in ("det", "adj"))
    inner, noun = _draw_pair(rng, ("adj", "noun"), tables.noun_pairs, rows)
    return Noun(det, np.where(adjectives > 1, outer, -1), np.where(adjectives > 0, inner, -1), noun)


def _tokens(starts: dict[str, int], words: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """Tokens (N, words) of columns of words by class, the absent (-1) ones as PAD."""
    return np.stack([np.where(w < 0, PAD, starts[name] + w) for name, w in words], axis=1)


def _close_up(tokens: np.ndarray) -> np.ndarray:
    """Moves PAD to the end of each row, all else in its order."""
    return np.take_along_axis(tokens, np.argsort(tokens == PAD, axis=1, kind="stable"), axis=1)


def _translate_noun(tables: Language, phrase: Noun) -> tuple[list, np.ndarray]:
    """A noun phrase in the target language, as `_tokens` takes it, and its noun's gender."""
    idiom = np.where(phrase.inner < 0, -1, tables.noun_idiom[phrase.inner, phrase.noun])
    noun = np.where(idiom < 0, phrase.noun, SOURCE_WORDS["noun"] + idiom)
    gender = tables.gender[noun]
    inner = np.where(idiom < 0, phrase.inner, -1)
    words = [("det", GENDERS * phrase.det + gender), ("noun", noun)]
    for adjective in (inner, phrase.outer):
        words.append(("adj", np.where(adjective < 0, -1, GENDERS * adjective + gender)))
    return words, gender


def _translate_verb(tables: Language, adverb: np.ndarray, verb: np.ndarray) -> list:
    """The adverb (or the noun of a phrase) and the verb in the target language."""
    idiom = np.where(adverb < 0, -1, tables.verb_idiom[adverb, verb])
    return [
        ("adv", np.where(idiom < 0, adverb, -1)),
        ("noun", np.where(idiom < 0, -1, tables.phrases[idiom, 0])),
        ("verb", np.where(idiom < 0, verb, tables.phrases[idiom, 1])),
    ]


def sample(rows: int, seed: int) -> dict[str, np.ndarray]:
    """Sentences and their translations.

    Args:
        rows: number of pairs N.
        seed: of the stream they are drawn from.

    Returns:
        ``source`` (N, SOURCE_LENGTH) and ``target`` (N, TARGET_LENGTH), uint16, with PAD at the
        end; ``target`` begins with BOS and has EOS behind its last word.
    """
    rng, tables = generator(seed), language()
    subject, thing, place = (_draw_noun(rng, tables, rows) for _ in range(3))
    tense, prep = draw(rng, TENSE, rows), _zipf(rng, "prep", rows)
    adverb, verb = _draw_pair(rng, ("adv", "verb"), tables.verb_pairs, rows)
    adverb = np.where(draw(rng, ADVERB, rows), adverb, -1)
    names = ("det", "adj", "adj", "noun")
    source = [
        *zip(names, subject, strict=True),
        *[("aux", tense - 1), ("adv", adverb), ("verb", verb)],
        *zip(names, thing, strict=True),
        ("prep", prep),
        *zip(names, place, strict=True),
    ]
    phrases, genders = zip(
        *(_translate_noun(tables, n) for n in (subject, place, thing)), strict=True
    )
    ending = (tense * NUMBERS + subject.det % NUMBERS) * GENDERS + genders[0]
    verbs = [*_translate_verb(tables, adverb, verb), ("ending", ending)]
    target = [*phrases[0], *phrases[1], ("post", prep), *phrases[2], *verbs]
    bos, eos = np.full((rows, 1), BOS), np.full((rows, 1), EOS)
    target = _close_up(np.concatenate([bos, _tokens(TARGET, target), eos], axis=1))
    return {
        "source": _close_up(_tokens(SOURCE, source)).astype(np.uint16),
        "target": target[:, :TARGET_LENGTH].astype(np.uint16),
    }


class Rewrite(BlockBuilder):
    """Pairs of a source sentence and its translation, as padded tokens."""

    VERSION = "1.0.0"
    FEATURES: ClassVar = {
        "source": ((SOURCE_LENGTH,), np.uint16),
        "target": ((TARGET_LENGTH,), np.uint16),
    }
    ROWS_PER_RECORD = 128

    def arrays(self) -> dict[str, dict[str, np.ndarray]]:
        """See `BlockBuilder.arrays`."""
        return {split: sample(rows, SEEDS[split]) for split, rows in ROWS.items()}


def _words(tokens: np.ndarray, starts: dict[str, int]) -> str:
    """Tokens as words for reading: the class and the number of each."""
    names, firsts = list(starts), np.array(list(starts.values()))
    kinds = np.searchsorted(firsts, tokens, side="right") - 1
    return " ".join(
        f"{names[k]}{t - firsts[k]}" for t, k in zip(tokens, kinds, strict=True) if k >= 0
    )


if __name__ == "__main__":
    drawn = sample(10_000, SEEDS["train"])
    for pair in range(5):
        print(_words(drawn["source"][pair].astype(int), SOURCE))
        print("   ", _words(drawn["target"][pair].astype(int), TARGET))
    own = TARGET["noun"] + SOURCE_WORDS["noun"]
    nouns = (drawn["target"] >= own) & (drawn["target"] < own + NOUN_IDIOMS)
    print(f"noun idioms in {nouns.any(axis=1).mean():.3f} of 10,000 sentences")
