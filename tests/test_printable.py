"""Text from outside, made fit for a terminal: nothing in it is obeyed or hidden, and nothing else changes."""

import json
import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from stream.printable import printable, printable_lines

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_no_control_and_no_mark_of_direction_is_left(text):
    shown = printable(text)

    assert not [each for each in shown if unicodedata.category(each) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not [each for each in shown if unicodedata.bidirectional(each) in _BIDI_CONTROLS]
    shown.encode()


_BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@example("葛\U000e0100城")  # a form of the first character (ideographic variation sequence)
@given(st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs"))))
def test_letters_of_every_script_stay(text):
    assert printable(text) == text


@given(ANY_TEXT)
def test_what_is_printable_stays(text):
    assert printable(printable(text)) == printable(text)


def test_what_a_terminal_obeys_is_shown_as_its_code():
    assert printable("\x1b]0;owned\x07") == "\\u001b]0;owned\\u0007"
    assert printable("abc\u202edef\U000e0041") == "abc\\u202edef\\udb40\\udc41"
    assert printable("a\r\nb\tc") == "a\\u000d\\u000ab\\u0009c"


def test_scripts_that_need_joiners_keep_them():
    for text in ("क्\u200dष", "می\u200cخواهم", "👩\u200d👧"):
        assert printable(text) == text


def test_line_ends_may_stay():
    assert printable_lines("a\nb\x1b\n") == "a\nb\\u001b\n"


@given(ANY_TEXT)
def test_text_inside_json_stays_what_it_is(text):
    encoded = json.dumps(text, ensure_ascii=False)

    assert json.loads(printable_lines(encoded)) == text
