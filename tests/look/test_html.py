"""HTML pages can be read on a phone as on a desk."""

import re
from pathlib import Path

import stream
from stream.look.html import html_document, html_table
from stream.look.svg import Curve, plot

TABLE = html_table(
    ("tier", "what to do", "customers", "since", "left"),
    [("gold", "write to them", "1,204", "2026-01-02", "–"), ("silver", "<call>", "7", "not yet", "–")],
)


def test_a_page_tells_a_phone_its_width():
    assert "<meta name=viewport content=" in html_document("Customers", [])


def test_every_page_is_made_by_the_one_function_that_does_so():
    sources = [path for path in Path(stream.__path__[0]).rglob("*.py") if "<!doctype" in path.read_text()]

    assert [path.name for path in sources] == ["html.py"]


def test_a_table_scrolls_by_itself_so_that_the_page_does_not():
    page = html_document("Customers", [TABLE])

    assert re.search(r"\.wide \{[^}]*overflow-x: auto", page)
    assert page.count("<div class=wide><table>") == page.count("<table>") == 1


def test_words_stand_on_the_left_and_numbers_on_the_right():
    rows = re.findall(r"<tr>(.*?)</tr>", TABLE)
    cells = [re.findall(r"<t[dh]( class=text)?>(.*?)</t[dh]>", row) for row in rows]

    assert [[bool(mark) for mark, _ in row] for row in cells] == [[True, True, False, False, False]] * 3
    assert cells[2][1][1] == "&lt;call&gt;"


def test_a_plot_shrinks_to_the_width_of_the_page():
    page = html_document("Plot", [plot([Curve("all", [(0.0, 0.0), (1.0, 1.0)])], "across", "up")])

    assert re.search(r"svg \{[^}]*max-width: 100%[^}]*height: auto", page)
    assert "viewBox=" in page
