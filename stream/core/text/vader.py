"""VADER's score of one text, the same as the package's to the last digit, at a sixth of its cost.

The package (vaderSentiment 3.3.2) puts all words of a text into lower case, and goes through all negations,
again for each word: 1,000 emoji, which it spells out, took it 0.2 to 0.9 s. Here each word is looked up once,
only words with a valence are scored, and the cost grows with the number of words, whatever they are. No other
module uses the package (docs/decisions/0010).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from heapq import heappop, heappush
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
SPELT_CHARACTERS_MAX = 6_000
"""Of a text whose emoji are spelt out; the rest is not scored. An emoji has 22 characters on average, 53 at
most: so 200 characters, emoji or not, always count whole unless most are flags of families."""
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
        """The compound score, -1 to 1. Emoji are spelt out first ("face with tears of joy")."""
        if not text.isascii():
            text = self.spelt_out(text)
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
                valences[place] = self._valence(lower, capitals, place, idioms)
            elif weighs:  # no neighbour can change it
                valences[place] = _stressed(self._lexicon[lower[place]], capitals[place])
        if "but" in lower:
            weigh_sides(valences, lower.index("but"))
        return _compound(float(sum(valences)), text)

    def spelt_out(self, text: str) -> str:
        """The text with the name of each emoji in its place, as the package spells it, up to the maximum."""
        names, parts, length, after_space = self._package.emojis, [], 0, True
        for character in text:
            name = names.get(character)
            part = character if name is None else name if after_space else " " + name
            after_space = character == " "
            length += len(part)
            if length > SPELT_CHARACTERS_MAX:
                break
            parts.append(part)
        return "".join(parts).strip()

    def _read_word(self, token: str) -> tuple[str, bool, bool, bool]:
        """The word in lower case; whether it is in capitals, has a valence, and may change words near it."""
        stripped = token.strip(punctuation)
        word = stripped if len(stripped) >= WORD_CHARACTERS_MIN else token
        lower = word.lower()
        laden = lower in self._lexicon and lower not in BOOSTER_DICT
        return lower, word.isupper(), laden, lower in SWAYING or "n't" in lower

    def _valence(self, lower: tuple[str, ...], capitals: tuple[bool, ...], place: int, idioms: bool) -> float:
        """The valence of the word at a place, changed by the words around it; `idioms`: the text may hold
        some."""
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
            if steps == REACH and idioms:
                around = lower[place - REACH : place + REACH]  # no idiom has more than three words
                valence = self._package._special_idioms_check(valence, around, REACH)
        if before and before[-1] == "least" and "least" not in lexicon and before[-2:-1] not in MODEST:
            valence *= N_SCALAR
        return valence


MODEST = (("at",), ("very",))
"""Words before "least" with which it does not negate ("at least", "very least")."""


def weigh_sides(valences: list[float], but_at: int) -> None:
    """Halve valences before "but" and raise those after it by half, in place, exactly as the package does.

    For each place it takes the valence that stands there by then, and changes the first place of the text
    with that same valence. It searches for that place each time; here a heap of places for each valence
    finds it.
    """
    places: defaultdict[float, list[int]] = defaultdict(list)
    for place, valence in enumerate(valences):
        places[valence].append(place)  # in rising order, which is a heap
    for now in range(len(valences)):
        valence = valences[now]
        same = places[valence]
        while valences[same[0]] != valence:
            heappop(same)
        first = same[0]
        if first != but_at:
            changed = valences[first] = valence * (0.5 if first < but_at else 1.5)
            heappush(places[changed], first)


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
