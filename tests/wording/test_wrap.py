"""Long lines on a terminal are broken between words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.wording.wrap import WIDTH_MIN, for_terminal, wrapped

ALERT = "  Why: usually buys every 3 days, has bought nothing for 10 days, and the last visit was a month ago"


@pytest.mark.parametrize("width", [40, 80, 120])
def test_lines_fit_and_keep_their_words(width):
    lines = wrapped(ALERT, width).splitlines()

    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == ALERT.split()
    assert all(line.startswith("      ") for line in lines[1:])


@given(st.lists(st.text("abcxyz-/", min_size=1, max_size=60)), st.integers(1, 150))
def test_no_word_is_ever_broken(words, width):
    lines = wrapped(" ".join(words), width).splitlines()

    assert " ".join(lines).split() == words
    assert all(len(line) <= max(width, WIDTH_MIN) or len(line.split()) == 1 for line in lines)


def test_output_to_a_file_or_pipe_is_not_wrapped(capsys):
    assert for_terminal(ALERT * 3) == ALERT * 3


@pytest.mark.parametrize("whole", ["2 May 2018", "12 December 2025"])
@pytest.mark.parametrize("before", range(30, 60))
def test_a_day_is_never_broken(whole, before):
    line = "x" * (before - 10) + " and then " + whole + ", or else what follows of it is told on another line"

    assert whole in wrapped(line, 48)
    assert " ".join(wrapped(line, 48).split()) == line
