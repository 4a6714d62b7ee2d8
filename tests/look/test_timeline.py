"""The words of a time line never stand on each other, wherever its instants fall."""

import re

from hypothesis import given
from hypothesis import strategies as st

from stream.look.timeline import LETTER, WIDTH, Line, Timeline, timeline

WORDS = ("now", "next expected")


@given(st.integers(0, 1_000), st.integers(0, 1_000), st.booleans())
def test_words_of_two_lines_stand_beside_or_above_each_other(now_ms, expected_ms, now_is_left):
    lines = [
        Line(now_ms, WORDS[0], "now", is_left=now_is_left),
        Line(expected_ms, WORDS[1], "expected", is_left=not now_is_left),
    ]

    svg = timeline(Timeline(0, 1_000, "x", lines=lines))

    found = [
        (float(x), int(y), words)
        for x, y, words in re.findall(r'<text x="([\d.]+)" y="(\d+)">(now|next expected)</text>', svg)
    ]
    (left, row, first), (other_left, other_row, _) = sorted(found)
    assert row != other_row or left + LETTER * len(first) < other_left
    assert min(row, other_row) > 12
    assert all(x > 0 and x + LETTER * len(words) <= WIDTH for x, _, words in found)
