"""The fifteen properties of the page, and where each is tested. Here are those that hold over all pages.

1. Who, why, how much, what next for the worst five, without a scroll: test_in_browser, live/test_in_browser,
   the worst five are seen whole.
2. Reasons and since-when one click away: test_in_browser, one click leads; here, every row of a customer.
3. Value at risk times change, and since yesterday: test_today.
4. The last move in each row: here. A matrix of moves: test_cells_open.
5. How fresh each source is, and a banner within 10 s: test_feed, live/test_follower.
6. An alert is on the open page by itself and nothing jumps: live/test_in_browser. Seconds: bench/page.py.
7. One time zone for the border of every day: here; test_one_customer, days of the page.
8. Money with its currency: here. Never mixed: test_today, test_customers, analysis/test_several_currencies.
9. CSV is what is shown, and no cell is a formula: test_today_csv, test_customers, test_server.
10. Cells of heat maps open their customers: test_value_map, test_cells_open. The running month:
    panes/test_report.
11. Filters in the address, one click clears them: test_in_browser, test_today, test_cells_open.
12. No other site is asked: test_in_browser, test_server. Cookies, 60 KB of HTML, 200 KB in all: here.
13. 200 ms of server time: bench/page.py.
14. Every chart has its table: here. Keyboard, 390 px, dark, print: test_in_browser. axe: test_accessible.
15. Intervals, words of the glossary: here. Too little data: test_hostile_in_browser, test_panes.
"""

import gzip
import html
import re
from datetime import datetime

import aiohttp
import msgspec
import pytest

from stream.core.units import HOUR_MS
from stream.page.published import Published
from stream.page.web.server import DashboardServer
from tests.support.builders import basis
from tests.support.dashboard_pages import got, stored_profile
from tests.support.pages import ROOT

PATHS = ["", "?kind=churn_risk", "customers", "map", "won", "grown", "kept", "policy", "customer?id={worst}"]
BERLIN = '[business]\nzone = "Europe/Berlin"'
HTML_BYTES_MAX, PAGE_BYTES_MAX = 60_000, 200_000


@pytest.fixture
async def address(shop, folder):
    server = DashboardServer(shop[0], shop[1], published=Published(folder))
    yield await server.start("127.0.0.1", 0)
    await server.close()


@pytest.fixture
def worst(shop):
    with shop[0].reading() as reading:
        return reading.one("SELECT customer FROM open_alerts ORDER BY worth DESC LIMIT 1")[0]


async def pages(address, worst):
    """Each path with its HTML."""
    found = {path: await got(address, path.format(worst=worst)) for path in PATHS}
    assert {status for status, _, _ in found.values()} == {200}
    return {path: text for path, (_, _, text) in found.items()}


async def test_every_row_of_a_customer_tells_the_last_move_and_leads_to_reasons_and_since_when(address, shop):
    store, view = shop
    moved = 0
    for path in ("", "customers", "?kind=churn_risk"):
        _, _, text = await got(address, path)
        for row in re.findall(r"<tr data-key.*?</tr>", text, flags=re.DOTALL):
            link, name = re.findall(r'<a href="(/customer\?id=[^"]+)">([^<]+)</a>', row)[0]
            with store.reading() as reading:
                judgement = stored_profile(reading, name).judgement
            moves = judgement.tier_moves
            if len(moves) > 1:
                before, now = view.tier_name(moves[-2][1]), view.tier_name(moves[-1][1])
                assert f"from {before} {view.ago(moves[-1][0])}" in row.replace("\u00a0", " ")
                assert now in row
                moved += 1
            if path != "customers":
                _, _, opened = await got(address, link.lstrip("/"))
                assert "open since" in opened
                assert re.search(r'<article class="alert">.*<li>', opened, flags=re.DOTALL)
    assert moved > 5


@pytest.mark.parametrize(
    ("now", "yesterday_began", "hours"),
    [
        ("2026-03-29T22:30:00Z", "2026-03-28T23:00:00Z", 23),
        ("2026-03-30T00:00:00Z", "2026-03-28T23:00:00Z", 23),
        ("2026-10-26T12:00:00Z", "2026-10-24T22:00:00Z", 25),
        ("2026-10-26T23:30:00Z", "2026-10-25T23:00:00Z", 24),
        ("2026-07-01T00:00:00Z", "2026-06-29T22:00:00Z", 24),
    ],
)
def test_yesterday_begins_at_the_shops_own_midnight(shop, now, yesterday_began, hours):
    instants = [round(datetime.fromisoformat(each).timestamp() * 1_000) for each in (now, yesterday_began)]
    view = msgspec.structs.replace(shop[1], basis=basis(BERLIN), as_of_ms=instants[0])

    assert view.yesterday_ms == instants[1]
    assert view.today_ms - view.yesterday_ms == hours * HOUR_MS
    assert view.zone == "Europe/Berlin"


async def test_the_foot_of_every_page_states_the_time_zone(address, worst, shop):
    for path, text in (await pages(address, worst)).items():
        assert f"Days begin and end at midnight {shop[1].zone}" in text, path


AMOUNT = re.compile(r"(?<![\d.,:+-])\d{1,3}(?:,\d{3})*\.\d\d(?!\d)")
"""A number with two decimals: an amount of euros. Rates of other kinds have a percent sign or one decimal."""


async def test_no_amount_of_money_stands_without_its_currency(address, worst):
    seen = 0
    for path, text in (await pages(address, worst)).items():
        shown = re.sub(r"<[^>]+>", " ", html.unescape(text))
        for found in AMOUNT.finditer(shown):
            before, after = shown[: found.start()], shown[found.end() :]
            around = f"{before[-60:]}[{found[0]}]{after[:20]}"
            if "orders before" in shown and re.search(r"%\s*$|–\s*$|\d\.\d\d\s*$", before[-8:]):
                continue  # orders per customer, to hundredths
            assert before.endswith("€") or "orders" in around, (path, around)
            seen += before.endswith("€")
    assert seen > 30


async def test_pages_are_light_and_set_no_cookie_of_their_own(address, worst):
    static = 0
    for name in ("static/look.css", "static/icon.svg", "static/live.js"):
        _, _, text = await got(address, name)
        static += len(gzip.compress(text.encode()))
    for path, text in (await pages(address, worst)).items():
        size = len(gzip.compress(text.encode()))
        assert size <= HTML_BYTES_MAX, path
        assert size + static <= PAGE_BYTES_MAX, path
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        assert not answer.cookies


async def test_every_chart_has_its_numbers_in_a_table(address, worst):
    charts = 0
    for path, text in (await pages(address, worst)).items():
        for found in re.finditer(r"<svg\b[^>]*>", text):
            if 'aria-hidden="true"' in found[0]:  # a bar of a table, beside its number
                assert "<td" in text[: found.start()][-400:], path
                continue
            charts += 1
            label = re.search(r'aria-label="([^"]+)"', found[0])
            assert label, (path, found[0])
            rest = text[found.end() :].partition("</section>")[0]
            assert re.search(r"<details>.*?<table", rest, flags=re.DOTALL), (path, label[1])
    assert charts > 4


PLAIN = """
acting ago anyway because blamed bronze cost development email everybody february found gold help
lately likely march january may june july august september october november december april needs
outlook paid platinum praised probably profit quarter ready refunded refunds silver similar spending
spent staying today us web week
"""
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
"""The words that headings are made of."""


async def test_every_word_of_a_heading_is_plain_or_explained(address, worst):
    """Plain: a word of everyday trade. All others are in the glossary."""
    plain = set(PLAIN.split())
    glossary = set(re.findall(r"[a-z]+", GLOSSARY.lower()))
    unknown = set()
    for text in (await pages(address, worst)).values():
        heads = re.findall(r"<(?:h[123]|th)\b[^>]*>(.*?)</(?:h[123]|th)>", text, flags=re.DOTALL)
        for head in heads:
            if "href" in head:
                continue  # the name of a customer, a campaign or a tier
            words = re.findall(r"[a-z]+", html.unescape(re.sub(r"<[^>]+>", " ", head)).lower())
            unknown |= {word for word in words if word not in glossary and word not in plain}
    assert " ".join(sorted(unknown)) == ""


async def test_every_estimate_of_money_has_its_interval(address, worst):
    _, _, today = await got(address)
    for row in re.findall(r"<tr data-key.*?</tr>", today, flags=re.DOTALL):
        assert re.search(r'class="range">\((?:.+ to .+|at most .+)\)', row) or "not known" in row
    assert "8 in 10 chances: " in today
    _, _, one = await got(address, f"customer?id={worst}")
    assert re.search(r"(8|9) in 10 such customers bring|more than 9 in 10", one)
    _, _, won = await got(address, "won")
    values = re.findall(r"€[\d,.]+ \(€[\d,.]+ to €[\d,.]+\)", won)
    ratios = re.findall(r">\d[\d,.]* \(\d[\d,.]* to \d[\d,.]*\)<", won)
    assert len(values) >= len(ratios) > 5


async def test_what_is_at_stake_is_said_in_the_head_of_the_list(address):
    for kind, words in (
        ("at_risk_loyal", "profit of 12 months, lost if they leave"),
        ("upgrade_opportunity", "profit of 12 months"),
    ):
        _, _, text = await got(address, f"?kind={kind}")
        assert f"At stake <small>{words}</small></th>" in text or "No customer is ready" in text


async def test_pages_of_files_say_that_their_instant_is_that_of_the_newest_event(address, worst, shop):
    for path, text in (await pages(address, worst)).items():
        assert f"As of <b>{shop[1].date(shop[1].as_of_ms)}</b> <small>the newest event</small>" in text, path
        assert "were read" not in text, path


async def test_words_of_models_stand_behind_a_click_for_analysts(address):
    for path in ("won", "grown", "kept"):
        _, _, text = await got(address, path)
        plain = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
        assert not re.search(r"Brier|P\(alive\)|learnt layer|RFM", plain), path
        assert "The newest of these events is of" in plain
