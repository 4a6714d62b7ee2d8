"""The themes of a text, each with the polarity of its strongest clause, so that an alert can name them.

A theme is a list of words in the policy: `deliver*` is a stem, `app` a word, `customer service` a phrase.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from stream.core.events.payload import Review
from stream.core.policy.default_words import DEFAULT_LEXICON, DEFAULT_THEMES
from stream.core.text.sentiment import (
    TEXT_CHARACTERS_MAX,
    TEXTS_REMEMBERED,
    Analyser,
    Feedback,
    analyser_for,
    feedback_sentiment,
    feedback_text,
    sentences,
)

TOPICS_READ = 16
"""Of the topics that a form or a help desk gives one answer; further ones are not read."""
WORDS_REMEMBERED = 1 << 14
CLAUSES_REMEMBERED = 1 << 13

WORD = re.compile(r"\w+")
WHOLE_WORD = re.compile(r"\w+(?!\w*\*)")
"""Matches the words of a phrase that are not stems."""
CONTRASTS = ("but", "however", "although", "though", "while", "whereas")
CONTRAST = re.compile(rf"\b(?:{'|'.join(CONTRASTS)})\b", re.IGNORECASE)

Themes = tuple[tuple[str, float], ...]
"""Theme and polarity (-1 to 1), in alphabetical order of the theme."""


ANY = ""
"""Key of phrases that consist of stems only, and are tried on every text."""


class Phrase(NamedTuple):
    """Several words that together stand for a theme."""

    theme: str
    words: frozenset[str]
    """Its words that are not stems; a text that lacks one of them does not contain the phrase."""
    pattern: re.Pattern[str]


class ThemeReader:
    """Finds the themes of one policy in texts.

    Texts are new, but their words and most short sentences have been seen before, so the results for both are
    remembered: 29 us per text, where one search per theme and clause takes 76 us (measured).
    """

    def __init__(
        self,
        words: Mapping[str, Sequence[str]] = DEFAULT_THEMES,
        lexicon: Mapping[str, float] = DEFAULT_LEXICON,
    ) -> None:
        self.analyser: Analyser = analyser_for(lexicon)
        self._patterns = tuple((theme, _pattern(words[theme])) for theme in sorted(words) if words[theme])
        self._phrases: dict[str, list[Phrase]] = {}
        for phrase in (
            _phrase(theme, term) for theme in words for term in words[theme] if not _is_word(term)
        ):
            self._phrases.setdefault(max(phrase.words, key=len, default=ANY), []).append(phrase)
        self._themes_of_word = lru_cache(maxsize=WORDS_REMEMBERED)(self._matching_word)
        self._clause = lru_cache(maxsize=CLAUSES_REMEMBERED)(self._read_clause)
        self._remembered = lru_cache(maxsize=TEXTS_REMEMBERED)(self._themes)
        self.names = lru_cache(maxsize=TEXTS_REMEMBERED)(self._names)

    def _names(self, label: str) -> tuple[str, ...]:
        """The themes that a topic named by a form or a help desk stands for ("Late delivery" -> delivery)."""
        plain = label.lower().replace("_", " ").replace("-", " ")
        return tuple(theme for theme, pattern in self._patterns if theme == plain or pattern.search(plain))

    def themes(self, text: str) -> Themes:
        """The themes of a text's first 1,000 characters."""
        return self._remembered(text[:TEXT_CHARACTERS_MAX])

    def _themes(self, text: str) -> Themes:
        found: dict[str, float] = {}
        for clause in clauses(text):
            hits, polarity = self._clause(clause)
            for theme in hits:
                if abs(polarity) > abs(found.get(theme, 0.0)) or theme not in found:
                    found[theme] = polarity
        return tuple(sorted(found.items()))

    def _read_clause(self, clause: str) -> tuple[tuple[str, ...], float]:
        hits = self._hits(clause)
        return hits, self.analyser.sentiment(clause) if hits else 0.0

    def _hits(self, clause: str) -> tuple[str, ...]:
        """The themes of each word of the clause, and of the phrases whose words are all among them."""
        if not clause.isascii():
            return tuple(theme for theme, pattern in self._patterns if pattern.search(clause))
        words = {ANY, *WORD.findall(clause.lower())}
        found: set[str] = set().union(*map(self._themes_of_word, words))
        for longest in self._phrases.keys() & words:
            for phrase in self._phrases[longest]:
                if phrase.words <= words and phrase.pattern.search(clause):
                    found.add(phrase.theme)
        return tuple(sorted(found))

    def _matching_word(self, word: str) -> tuple[str, ...]:
        return tuple(theme for theme, pattern in self._patterns if pattern.fullmatch(word))


def feedback_themes(feedback: Feedback, reader: ThemeReader, mood: float | None = None) -> Themes:
    """Pairs of theme and polarity (-1 to 1) of one review, survey answer or ticket, by name, each theme once.

    A theme comes from the feedback's own labels, with the mood of the whole feedback, or from its text, with
    the polarity of the clause, which wins. A clause without a word of feeling ("arrived after three weeks")
    has that mood too. `mood`, -1 to 1, may be given by a caller who has it; None: worked out from the rating,
    else from the text, else 0.
    """
    if mood is None:
        mood = feedback_sentiment(feedback, reader.analyser) or 0.0
    text = feedback_text(feedback)
    found = [(theme, polarity or mood) for theme, polarity in reader.themes(text)] if text else []
    labels = _labels(feedback)
    if not labels:
        return tuple(found)
    named = {theme: mood for label in labels for theme in reader.names(label)}
    return tuple(sorted({**named, **dict(found)}.items()))


def clauses(text: str) -> list[str]:
    """Sentences; those of a longer text also parted at "but", "however", "although", "while".

    On one-sentence text the parting was measured to lose accuracy (.753 against .775 on SemEval restaurants).
    """
    parts = sentences(text)
    folded = text.casefold()
    if len(parts) < 2 or not any(word in folded for word in CONTRASTS):  # ten times the speed of the search
        return parts
    return [clause for sentence in parts for clause in CONTRAST.split(sentence) if clause.strip()]


def _labels(feedback: Feedback) -> tuple[str, ...]:
    if isinstance(feedback, Review):
        return ()
    topic = feedback.topic
    return topic[:TOPICS_READ] if isinstance(topic, tuple) else (topic,) if topic else ()


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    """One expression for all words of a theme; `*` at the end of a word stands for any ending."""
    choices = sorted((_expression(word) for word in words), key=lambda choice: (-len(choice), choice))
    return re.compile(rf"\b(?:{'|'.join(choices)})\b", re.IGNORECASE)


def _phrase(theme: str, term: str) -> Phrase:
    words = frozenset(word for word in WHOLE_WORD.findall(term.lower()) if word.isascii())
    return Phrase(theme, words, _pattern([term]))


def _is_word(word: str) -> bool:
    """One word or stem, which `\\b` cannot part; the rest are phrases."""
    return WORD.fullmatch(word.removesuffix("*")) is not None


def _expression(word: str) -> str:
    parts = (re.escape(part.rstrip("*")) + (r"\w*" if part.endswith("*") else "") for part in word.split())
    return r"\s+".join(parts)
