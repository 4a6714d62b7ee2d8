"""The pages in a real browser: without scrolling, on a phone, in the dark, on paper, by keyboard."""

import re
from contextlib import contextmanager

import pytest

from tests.support.browser import PATIENCE_MS, chromium
from tests.support.dashboard_process import dashboard_process
from tests.support.replayed_shop import write_replayed_shop

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORST = 5
PATHS = ["", "?kind=churn_risk", "?kind=upgrade_opportunity", "customers", "customer?id=nobody"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    profiles, alerts = write_replayed_shop(tmp_path_factory.mktemp("shop"), customers=400)
    with dashboard_process("--profiles", profiles, "--alerts", alerts) as (_, address):
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser, address):
    """Opens a page; at the end nothing was refused, nothing failed, and no other site was asked."""

    @contextmanager
    def open_page(path="", width=1280, height=800, **more):
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        messages, asked = [], []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("dialog", lambda dialog: messages.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address + path)
        yield page
        context.close()
        assert [text for text in messages if "404" not in text] == []
        assert [url for url in asked if not url.startswith(address)] == []

    return open_page


CELLS = """() => [...document.querySelectorAll("table.list tbody tr")].slice(0, 5).map(
    row => [...row.children].map(cell => [cell.getBoundingClientRect().bottom, cell.innerText.trim()]))"""
"""Where each cell of the first five rows ends, and its text."""


def test_the_worst_five_are_seen_whole_without_scrolling(opened):
    with opened() as page:
        rows = page.evaluate(CELLS)

    assert [len(row) for row in rows] == [5] * WORST
    for row in rows:
        for bottom, text in row:
            assert bottom <= 800
            assert text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_window(opened, width, scheme):
    for path in PATHS:
        with opened(path, width, color_scheme=scheme) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_the_dark_is_dark_and_the_light_is_light(opened):
    lightness = {}
    for scheme in ("light", "dark"):
        with opened(color_scheme=scheme) as page:
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            lightness[scheme] = sum(map(int, re.findall(r"\d+", colour)[:3]))

    assert lightness["light"] > 700
    assert lightness["dark"] < 150


@pytest.mark.parametrize("path", ["", "customers"])
def test_on_a_phone_the_first_customer_is_on_the_first_screen_and_filters_open_by_a_click(opened, path):
    with opened(path, 390, 800) as page:
        first = page.locator("table.list tbody tr").first
        assert first.bounding_box()["y"] < 600
        assert not page.locator("select[name=tier]").is_visible()

        page.locator("label.folder").click()

        page.locator("select[name=tier]").select_option("platinum")
        page.locator("form.filters button").click()
        page.wait_for_url(re.compile("tier=platinum"), timeout=PATIENCE_MS)


def test_on_a_phone_the_map_fits_and_a_click_on_it_says_how_many_fit(opened):
    with opened("map", 390, 800) as page:
        wide = page.locator(".wide")
        assert wide.evaluate("each => each.scrollWidth <= each.clientWidth")
        cell = page.locator(".heat td a").first
        many = cell.inner_text()
        cell.click()

        assert page.locator("caption").inner_text() == f"{many} of 400 customers"


OVERLAPS = """() => {
    const shown = [...document.querySelectorAll("svg.timeline text")].filter(
        each => each.getClientRects().length && getComputedStyle(each).display !== "none");
    const boxes = shown.map(each => [each.textContent, each.getBoundingClientRect()]);
    const found = [];
    boxes.forEach(([one, a], place) => boxes.slice(place + 1).forEach(([other, b]) => {
        if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3)
            found.push(`${one} | ${other}`);
    }));
    return found;
}"""
"""Texts of the time line that stand on each other."""


@pytest.mark.parametrize("width", [390, 1280])
def test_no_words_of_a_time_line_stand_on_others(opened, width):
    with opened() as page:
        names = [page.locator("table.list tbody th a").nth(place).inner_text() for place in range(8)]
    with opened("customers?sort=last", width) as page:
        names += [page.locator("table.list tbody th a").nth(place).inner_text() for place in range(8)]
        found = {}
        for name in names:
            page.goto(re.sub(r"(?<=\d)/.*", f"/customer?id={name}", page.url))
            found[name] = page.evaluate(OVERLAPS)

    assert {name: texts for name, texts in found.items() if texts} == {}


ALONE = """() => {
    const found = [];
    const walk = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode.textContent;
        for (const match of text.matchAll(/\\w+\\s(ago)\\b/g)) {
            const range = document.createRange();
            range.setStart(walk.currentNode, match.index);
            range.setEnd(walk.currentNode, match.index + match[0].length);
            if (range.getClientRects().length > 1) found.push(text.trim());
        }
    }
    return found;
}"""
"""Texts in which `ago` stands on another line than the word before it."""


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_ago_never_stands_alone_on_a_line(opened, width):
    with opened() as page:
        worst = page.locator("table.list tbody th a").first.inner_text()
    for path in ("", "customers", "customers?was=gold", f"customer?id={worst}", "kept"):
        with opened(path, width) as page:
            assert page.evaluate(ALONE) == [], path


def test_on_a_phone_the_list_of_customers_is_a_few_screens_and_begins_with_money_and_risk(opened):
    with opened("customers", 390, 844) as page:
        screens = page.evaluate("document.documentElement.scrollHeight") / 844
        row = page.locator("table.customers tbody tr").first
        bounds = [
            row.locator(f'td[data-label="{name}"]').bounding_box()["y"]
            for name in ("Profit", "Risk", "Orders")
        ]

    assert screens < 7.5
    assert bounds[0] == bounds[1] < bounds[2]


def test_one_click_leads_from_a_customer_to_the_reasons(opened):
    with opened() as page:
        link = page.locator("table.list tbody th a").first
        name = link.inner_text()
        link.click()

        assert page.locator("h1").inner_text() == name
        assert page.locator(".alert .do").first.is_visible()
        assert page.locator(".alert li").first.is_visible()


def test_filters_are_chosen_by_keyboard_and_stand_in_the_address(opened):
    with opened() as page:
        page.locator("select[name=tier]").focus()
        page.keyboard.press("p")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("tier=platinum"), timeout=PATIENCE_MS)

        assert "urgent=yes" in page.url
        chips = [chip.inner_text() for chip in page.locator(".chip").all()]
        assert chips == ["platinum tier ×", "urgent only ×"]
        page.locator("text=clear all").click()
        assert page.locator(".chip").count() == 0


def test_the_first_key_leads_past_the_navigation(opened):
    with opened() as page:
        page.keyboard.press("Tab")

        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        assert page.locator(".skip").bounding_box()["height"] > 10


def test_on_paper_there_is_nothing_to_click(opened):
    with opened() as page:
        page.emulate_media(media="print")

        assert not page.locator(".filters").is_visible()
        assert page.locator("table.list").is_visible()


def test_a_page_is_light(opened):
    sizes = []
    with opened() as page:
        page.on("response", lambda response: sizes.append(len(response.body())))
        page.reload()

    assert sum(sizes) <= 200_000
