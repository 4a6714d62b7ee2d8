"""The page of one customer: what they are worth, and pictures of how they buy, engage and feel."""

import re

import msgspec
import pytest

from stream.core.facts.profile import Profile
from stream.core.units import DAY_MS
from stream.look.months import Months, months
from stream.look.timeline import LETTER, WIDTH, Line, Mark, Stretch, Timeline, timeline
from stream.page.entries import CustomerEntry, customer_entry, profile_entry
from stream.page.screens.one_customer.alerts import episodes
from stream.page.screens.one_customer.screen import customer_screen
from stream.page.screens.one_customer.value import RANKED_BY
from stream.page.screens.view import View
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.pages import Pages, customer_page, customers_page, today_page
from stream.wording.profile import profile_sections
from tests.support.builders import at, basis, bought, viewed
from tests.support.dashboard_pages import stored_profile
from tests.support.laws import lived
from tests.support.narrow import not_none


@pytest.fixture
def reading(shop):
    with shop[0].reading() as reading:
        yield reading


@pytest.fixture
def view(shop):
    return shop[1]


def regular():
    return [bought(7 * number) for number in range(20)]


def screens(reading, view):
    columns = ", ".join(CustomerEntry.__struct_fields__)
    for row in reading.rows(f"SELECT {columns} FROM customers"):
        entry = CustomerEntry(*row)
        yield (
            entry,
            stored_profile(reading, entry.customer),
            not_none(customer_screen(reading, entry.customer, view)),
        )


def shown(profile: Profile, as_of_ms, tmp_path, policy=""):
    view = View(basis(policy), as_of_ms, "a test", False)
    store = SqliteStore(tmp_path / "store.db")
    store.open_for("x")
    entry = customer_entry(profile, as_of_ms, view.basis)
    store.write(Batch(customers=[entry], profiles=[profile_entry(profile)]))
    with store.reading() as reading:
        screen = not_none(customer_screen(reading, profile.customer, view))
        html, status, _ = customer_page(Pages(view), reading, {"id": profile.customer})
    store.close()
    assert status == 200
    return screen, html


def test_the_figures_are_those_of_the_words(reading, view):
    checked = 0
    for entry, profile, screen in screens(reading, view):
        if not entry.orders or not screen.value.expected:
            continue
        words = " ".join(
            line
            for section in profile_sections(profile, view.as_of_ms, view.basis)
            if section.title == "Value"
            for line in section.lines
        )
        fifths = {rank.name: rank.fifth for rank in screen.value.ranks}
        assert f": {screen.value.expected} on average" in words
        share, _, range_words = screen.value.spread.partition(" such customers bring ")
        assert share in words
        assert range_words in words
        assert f"how lately they bought {fifths['how lately']}, how often {fifths['how often']}" in words
        assert f"how much at a time {fifths['how much']}" in words
        checked += 1
    assert checked > 50


def test_every_kept_order_and_refund_of_the_last_two_years_is_in_the_picture(reading, view):
    for entry, profile, screen in screens(reading, view):
        if not entry.orders:
            assert screen.timeline is None
            continue
        kinds = [mark.kind for mark in screen.timeline.marks]
        assert kinds.count("order") + kinds.count("cancelled") == len(profile.buying.orders)
        assert kinds.count("refund") == len(profile.buying.refunds)


def test_the_next_purchase_is_expected_after_their_usual_gap_and_half_of_the_gaps_end_in_the_band(tmp_path):
    profile, _ = lived(regular(), basis())  # every 7 days

    screen, html = shown(profile, at(250), tmp_path)

    (expected,) = [line for line in screen.timeline.lines if line.kind == "expected"]
    last_ms = profile.buying.sums.last_midnight_ms
    assert expected.at_ms == last_ms + 7 * DAY_MS
    assert (screen.timeline.band.from_ms, screen.timeline.band.to_ms) == (
        last_ms + 7 * DAY_MS,
        last_ms + 8 * DAY_MS,
    )
    assert "the next one was expected on" in html


def test_money_by_month_adds_up_to_what_was_paid(reading, view):
    checked = 0
    for _, profile, screen in screens(reading, view):
        if screen.money is None or len(screen.money.series.values) >= 25:
            continue
        total = sum(value or 0 for _, value, _ in screen.money.series.values)
        assert total == profile.buying.sums.gross_minor - profile.buying.sums.refunded_minor
        checked += 1
    assert checked > 50


def test_months_end_with_the_present_one(reading, view):
    for _, _, screen in screens(reading, view):
        for row in [screen.money, screen.mood, *screen.channels]:
            if row is not None:
                assert row.series.values[-1][0] == view.date(view.as_of_ms).partition(" ")[2]


def test_each_episode_says_what_became_of_it(shop, reading, view):
    alerts = reading.rows("SELECT customer, COUNT(*) FROM alerts GROUP BY customer")
    found = [row for customer, _ in alerts for row in episodes(reading, customer, view)]

    raised = reading.one("SELECT COUNT(*) FROM alerts WHERE state = 'raised'")[0]
    still_open = reading.one("SELECT COUNT(*) FROM open_alerts")[0]
    assert len(found) == raised
    assert sum(row.became == "still open" for row in found) == still_open
    assert all(row.lines and row.span.from_ms <= row.span.to_ms for row in found)


def test_who_never_bought_has_words_in_place_of_pictures(tmp_path):
    profile, _ = lived([viewed(3, "toys")], basis())

    screen, html = shown(profile, at(10), tmp_path)

    assert (screen.value, screen.timeline, screen.money) == (None, None, None)
    assert "nothing says what they are worth" in html
    assert 'class="timeline"' not in html


def test_days_of_the_page_are_those_of_the_shop(tmp_path):
    zone = '[business]\nzone = "Pacific/Auckland"\n'
    profile, _ = lived(regular(), basis(zone))

    screen, _ = shown(profile, at(250), tmp_path, zone)

    days = [order.day for order in screen.orders]
    assert screen.timeline.marks[-1].title.startswith(days[0])


def test_a_drawing_escapes_what_it_is_told_and_keeps_to_its_ends():
    drawn = Timeline(
        0, 100, "<b>", [(50, "<i>")], [Mark(500, "order", 9.0, "<u>"), Mark(-5, "refund", 0.0, "back")],
        Stretch(-10, 30, "band", "own"), [Line(20, "<now>")],
        [("tier", [Stretch(0, 99, "rank1", "x", "<s>")])],
    )  # fmt: skip

    svg = timeline(drawn)

    assert not {"<b>", "<i>", "<u>", "<now>", "<s>"} & set(svg.replace("><", "> <").split())
    assert 'cx="984.0"' in svg
    assert "M70.0 137l5 9h-10z" in svg


def test_a_column_below_zero_hangs_from_the_middle():
    svg = months(
        Months("mood", [("2026-01", 0.5, "good"), ("2026-02", -1.0, "bad"), ("2026-03", None, "")], 1.0)
    )

    assert svg.count("<rect") == 2
    assert '<rect class="up" x="1.5" y="12.0"' in svg
    assert '<rect class="down" x="13.5" y="22.0" width="9" height="20.0">' in svg


def test_a_series_of_another_version_says_from_when_it_is_complete(reading, view, tmp_path):
    _, profile, _ = next(each for each in screens(reading, view) if each[0].orders)
    profile = msgspec.structs.replace(profile, counted_from_ms=view.as_of_ms - 40 * DAY_MS)

    _, html = shown(profile, view.as_of_ms, tmp_path)

    assert f"complete from {view.date(profile.counted_from_ms)} on" in html


@pytest.mark.parametrize(("at_ms", "is_left"), [(99, False), (100, False), (1, True), (0, True)])
def test_the_words_of_a_line_at_an_end_stay_in_the_picture(at_ms, is_left):
    words = "next expected"
    drawn = Timeline(0, 100, "x", lines=[Line(at_ms, words, "expected", is_left=is_left)])

    (begins,) = re.findall(rf'<text x="([\d.]+)" y="\d+">{words}</text>', timeline(drawn))

    assert 0 < float(begins) < WIDTH - LETTER * len(words)


def test_the_name_of_a_track_stands_at_both_ends():
    svg = timeline(Timeline(0, 100, "x", tracks=[("tier", [])]))

    assert len(re.findall('text-anchor="end">tier</text>', svg)) == 2


def test_each_rank_says_what_it_is_by(reading, view):
    ranks = [rank for _, _, screen in screens(reading, view) if screen.value for rank in screen.value.ranks]

    assert {rank.name: rank.by for rank in ranks} == RANKED_BY


def test_a_warning_level_is_explained_where_it_stands_beside_a_risk(reading, view):
    at_risk = reading.rows("SELECT customer FROM open_alerts WHERE kind = 'at_risk_loyal' LIMIT 1")[0][0]

    of_customer, _, _ = customer_page(Pages(view), reading, {"id": at_risk})
    of_list, _, _ = today_page(Pages(view), reading, {"kind": "at_risk_loyal"})
    of_all, _, _ = customers_page(Pages(view), reading, {})

    assert "no probability; the risk that they do not buy again is under Outlook" in of_customer
    assert "It is no probability: the risk that they do not buy again" in of_list
    assert "warning level of loyal customers at risk is another number" in of_all
