"""The glossary has the words that a reader of the code meets first."""

import inspect
import re
from collections import Counter

import stream.core.step
import stream.engine
from tests.support.pages import text_of

PAGE = text_of("docs/glossary.md")
FIRST_COLUMNS = re.findall(r"^\| ([^|]+) \|", PAGE, flags=re.MULTILINE)
NAMED = {name for column in FIRST_COLUMNS for name in re.findall(r"`(\w+)`", column)}


def test_every_class_that_the_engine_exports_is_in_the_glossary():
    exported = {name for name in stream.engine.__all__ if name[0].isupper() and name != "Headers"}

    assert exported - NAMED == set(), "add a row to docs/glossary.md"


def test_every_class_that_the_cores_step_uses_is_in_the_glossary():
    used = {
        name
        for name, value in vars(stream.core.step).items()
        if inspect.isclass(value) and value.__module__.startswith("stream.")
    }

    assert used - NAMED == set(), "add a row to docs/glossary.md"


def test_every_word_stands_once():
    words = [word.strip() for column in FIRST_COLUMNS for word in column.split(",") if "in rows" not in word]
    headers = {"word"}

    assert {word for word, count in Counter(words).items() if count > 1} - headers == set()
