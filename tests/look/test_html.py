"""HTML pages can be read on a phone as on a desk."""

import re
from pathlib import Path

import pytest

import stream
from stream.look.heat import HeatCell, html_heat
from stream.look.html import Meter, html_document, html_table, part_of, share_of
from stream.look.svg import Curve, plot
from tests.support.narrow import not_none

LABEL_WIDTH = 40
"""Pixels of `100%` at the size of the plots, in any usual font."""

TABLE = html_table(
    ("tier", "what to do", "customers", "since", "left"),
    [("gold", "write to them", "1,204", "2026-01-02", "–"), ("silver", "<call>", "7", "not yet", "–")],
)


def test_a_page_tells_a_phone_its_width():
    assert "<meta name=viewport content=" in html_document("Customers", [])


def test_every_page_is_made_by_the_one_function_that_does_so():
    sources = [
        path for path in Path(stream.__path__[0]).rglob("*.py") if "<!doctype html><html" in path.read_text()
    ]

    assert [path.name for path in sources] == ["html.py"]


def test_a_table_scrolls_by_itself_so_that_the_page_does_not():
    page = html_document("Customers", [TABLE])

    assert re.search(r"\.wide \{[^}]*overflow-x: auto", page)
    assert page.count("<div class=wide tabindex=0") == page.count("<table>") == 1


def test_words_stand_on_the_left_and_numbers_on_the_right():
    rows = re.findall(r"<tr>(.*?)</tr>", TABLE)
    cells = [
        re.findall(r"<t[dh][^>]* class=(\w+)>(.*?)</t[dh]>|<td class=(\w+)>(.*?)</td>", row) for row in rows
    ]
    cells = [[(one or three, two or four) for one, two, three, four in row] for row in cells]

    assert [[mark for mark, _ in row] for row in cells] == [
        ["text", "text", "amount", "amount", "amount"]
    ] * 3
    assert cells[2][1][1] == "&lt;call&gt;"


def test_a_plot_shrinks_to_the_width_of_the_page():
    page = html_document("Plot", [plot([Curve("all", [(0.0, 0.0), (1.0, 1.0)])], "across", "up")])

    assert re.search(r"svg \{[^}]*max-width: 100%[^}]*height: auto", page)
    assert "viewBox=" in page


PLOT = plot([Curve("days since last purchase", [(0.0, 0.0), (1.0, 1.0)]), Curve("other", [])], "across", "up")


def test_every_label_of_a_plot_stands_inside_of_it():
    width = float(not_none(re.search(r'viewBox="0 0 (\d+)', PLOT))[1])
    middles = [float(x) for x in re.findall(r'<text x="([\d.]+)"[^>]*text-anchor="middle">\d+%', PLOT)]

    assert len(middles) == 6
    assert max(middles) + LABEL_WIDTH / 2 <= width


def test_the_legend_of_a_plot_stands_below_it_and_can_wrap():
    drawing, _, legend = PLOT.partition("</svg>")

    assert ">days since last purchase<" not in drawing
    assert re.findall(r"<span><i class=c\d></i>(.*?)</span>", legend) == [
        "days since last purchase",
        "other",
    ]


def test_a_page_has_dark_colours_for_a_dark_device_and_plots_follow():
    page = html_document("Plot", [PLOT])

    assert "color-scheme: light dark" in page
    assert "@media (prefers-color-scheme: dark)" in page
    assert "fill: currentColor" in page
    assert 'stroke="var(--line)"' in page


def test_a_table_that_goes_on_sideways_shows_a_shadow_at_that_side():
    page = html_document("Customers", [TABLE])

    assert re.search(r"\.wide \{[^}]*var\(--shade\)[^}]*scroll", page)


@pytest.mark.parametrize("text", ["as of 2025-05-14.", "campaign social-2024-03"])
def test_a_day_is_never_broken_in_the_middle(text):
    page = html_document("Customers", [f"<p>{text}</p>"])

    whole = not_none(re.search(r"<span class=whole>(.*?)</span>", page))[1]
    assert whole.split("-")[-1] == text.rstrip(".").split("-")[-1]
    assert re.search(r"\.whole \{[^}]*nowrap", page)


def test_code_of_a_page_is_left_as_it_is():
    page = html_document("x", ['<p id="2025-05-14">10-2024-11-99-x</p>'])

    assert '<p id="2025-05-14">' in page
    assert "class=whole>" not in page


def test_a_bar_stands_beside_its_number_and_is_not_read_out():
    table = html_table(("tier", "left", ""), [("gold", "25%", Meter(0.25, 0.1, 0.4))])

    assert '<td data-label="left" class=amount>25%</td><td class=meter><svg' in table
    assert 'aria-hidden="true"' in table
    assert '<rect width="25.0"' in table
    assert '<line x1="10.0" x2="40.0"' in table


def test_a_heat_map_is_a_table_of_its_numbers_whose_cells_can_be_opened():
    row = [HeatCell("12", 0.95, "/customers?tier=gold"), HeatCell("<3>", None, is_running=True)]

    shown = html_heat(("tier", "high", "low"), [("gold", row)], "value and risk")

    assert '<td class="g9"><a href="/customers?tier=gold">12</a></td>' in shown
    assert '<td class="running">&lt;3&gt;</td>' in shown
    assert "<th scope=row>gold</th>" in shown


def test_the_dashboard_and_reports_have_one_stylesheet():
    folders = list(Path(stream.__path__[0]).rglob("*.css"))

    assert [path.name for path in folders] == ["look.css"]
    assert folders[0].read_text() in html_document("Customers", [])


def test_each_cell_knows_the_head_of_its_column_for_windows_that_are_too_narrow_for_a_table():
    assert '<td data-label="what to do" class=text>&lt;call&gt;</td>' in TABLE


def test_a_heat_map_of_few_columns_fits_on_a_phone_and_one_of_what_is_bad_has_the_colour_of_it():
    narrow = html_heat(["risk", "high"], [("80%", [HeatCell("1", 1.0)])], "risk", is_bad=True)
    wide = html_heat(["month", *map(str, range(12))], [], "months")

    assert '<table class="heat few bad">' in narrow
    assert "<table class=heat>" in wide


def test_a_head_that_is_no_plain_word_says_what_it_means():
    table = html_table(("value tier", "odds ratio (95% interval)", "customers"), [("gold", "2.1", "3")])

    assert 'title="Rank by recent spending, from bronze to platinum" class=text>value tier</th>' in table
    assert "twice as many left as among similar customers" in table
    assert ">customers</th>" in table
    assert table.count("title=") == 2


@pytest.mark.parametrize(
    ("part", "whole", "of", "beside"),
    [
        (2, 5, "2 of 5", "2 of 5"),
        (19, 19, "19 of 19", "19 of 19"),
        (8, 20, "40% of 20", "40%"),
        (0, 1_200, "0% of 1,200", "0%"),
    ],
)
def test_a_share_of_fewer_than_twenty_is_told_as_counts(part, whole, of, beside):
    assert (part_of(part, whole), share_of(part, whole)) == (of, beside)
