"""VADER's score of one text, the same as the package's to the last digit, at a sixth of its cost.

The package (vaderSentiment 3.3.2) puts all words of a text into lower case, and goes through all negations,
again for each word; here each word is looked up once, and only words with a valence are scored. No other
module uses the package (docs/decisions/0010).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from string import punctuation

from vaderSentiment.vaderSentiment import (
    BOOSTER_DICT,
    C_INCR,
    N_SCALAR,
    NEGATE,
    SPECIAL_CASES,
    SentimentIntensityAnalyzer,
)

WORDS_REMEMBERED = 1 << 14
WORD_CHARACTERS_MIN = 3
"""Shorter words keep their punctuation, because they may be emoticons."""
FADING = (1.0, 0.95, 0.9)
"""Share of its effect that a booster ("very") has one, two or three words before a word."""
REACH = len(FADING)
NEGATIONS = frozenset(NEGATE)
INTENSE = ("so", "this")
SWAYING = NEGATIONS | BOOSTER_DICT.keys() | {*INTENSE, "no", "least", "kind"}
IDIOM_WORDS = frozenset(
    max(phrase.split(), key=len) for phrase in (*SPECIAL_CASES, *BOOSTER_DICT) if " " in phrase
)
"""The longest word of each idiom; a text without any of these words contains no idiom."""


class Vader:
    """The package's analyser with further words: `lexicon` maps a lower-case word to its valence."""

    def __init__(self, lexicon: Mapping[str, float]) -> None:
        self._package = SentimentIntensityAnalyzer()
        self._package.lexicon.update(lexicon)
        self._lexicon: dict[str, float] = self._package.lexicon
        self._word = lru_cache(maxsize=WORDS_REMEMBERED)(self._read_word)

    def compound(self, text: str) -> float:
        """The compound score, -1 to 1. Texts with emoji, which the package spells out first, are scored by
        it."""
        if not text.isascii():
            return float(self._package.polarity_scores(text)["compound"])
        tokens = text.split()
        if not tokens:
            return 0.0
        lower, capitals, laden, swaying = zip(*map(self._word, tokens), strict=True)
        if True not in laden:
            return 0.0
        if False not in capitals:
            capitals = (False,) * len(tokens)  # nothing stands out
        idioms = not IDIOM_WORDS.isdisjoint(lower)
        valences: list[float] = [0] * len(tokens)
        for place, weighs in enumerate(laden):
            if weighs and (idioms or True in swaying[max(0, place - REACH) : place + 1]):
                valences[place] = self._valence(lower, capitals, place)
            elif weighs:  # no neighbour can change it
                valences[place] = _stressed(self._lexicon[lower[place]], capitals[place])
        if "but" in lower:
            valences = self._package._but_check(lower, valences)
        return _compound(float(sum(valences)), text)

    def _read_word(self, token: str) -> tuple[str, bool, bool, bool]:
        """The word in lower case; whether it is in capitals, has a valence, and may change words near it."""
        stripped = token.strip(punctuation)
        word = stripped if len(stripped) >= WORD_CHARACTERS_MIN else token
        lower = word.lower()
        laden = lower in self._lexicon and lower not in BOOSTER_DICT
        return lower, word.isupper(), laden, lower in SWAYING or "n't" in lower

    def _valence(self, lower: tuple[str, ...], capitals: tuple[bool, ...], place: int) -> float:
        """The valence of the word at a place, changed by the words around it."""
        word, after = lower[place], lower[place + 1 : place + 2]
        if word == "kind" and after == ("of",):
            return 0
        lexicon = self._lexicon
        valence = lexicon[word]
        if word == "no" and after and after[0] in lexicon:
            valence = 0.0
        before = lower[max(0, place - REACH) : place]
        if "no" in before and ("no" in before[-2:] or before[-1] in ("or", "nor")):
            valence = lexicon[word] * N_SCALAR
        valence = _stressed(valence, capitals[place])
        for steps, earlier in enumerate(reversed(before), 1):
            if earlier in lexicon:
                continue
            if earlier in BOOSTER_DICT:
                valence += _boost(earlier, valence, capitals[place - steps]) * FADING[steps - 1]
            valence *= _turned(before, steps)
            if steps == REACH and not IDIOM_WORDS.isdisjoint(lower):
                valence = self._package._special_idioms_check(valence, lower, place)
        if before and before[-1] == "least" and "least" not in lexicon and before[-2:-1] not in MODEST:
            valence *= N_SCALAR
        return valence


MODEST = (("at",), ("very",))
"""Words before "least" with which it does not negate ("at least", "very least")."""


def _stressed(valence: float, stands_out: bool) -> float:
    """A valence, strengthened if its word is in capitals and others are not."""
    return valence + (C_INCR if valence > 0 else -C_INCR) if stands_out else valence


def _boost(booster: str, valence: float, stands_out: bool) -> float:
    """What a booster ("very", "hardly") adds to a valence."""
    boost: float = BOOSTER_DICT[booster]
    if valence < 0:
        boost = -boost
    return boost + (C_INCR if valence > 0 else -C_INCR) if stands_out else boost


def _turned(before: tuple[str, ...], steps: int) -> float:
    """The factor by which the word so many steps before changes a valence: a negation reverses it.

    "Never so" and "never this" strengthen it. That "so" or "this" alone is enough at three steps follows from
    the precedence of `and` and `or` in the package.
    """
    word = before[-steps]
    if steps > 1:
        nearer = before[-steps + 1 :]
        if (word == "never" and nearer[0] in INTENSE) or (steps == REACH and nearer[-1] in INTENSE):
            return 1.25
        if word == "without" and "doubt" in nearer:
            return 1.0
    return N_SCALAR if word in NEGATIONS or "n't" in word else 1.0


def _compound(total: float, text: str) -> float:
    """The sum of valences with the emphasis of "!" and "?" added, scaled to between -1 and 1."""
    questions = text.count("?")
    emphasis = min(text.count("!"), 4) * 0.292
    if questions > 1:
        emphasis += questions * 0.18 if questions <= 3 else 0.96
    if total > 0:
        total += emphasis
    elif total < 0:
        total -= emphasis
    return round(total / math.sqrt(total * total + 15), 4)
