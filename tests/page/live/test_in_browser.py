"""A live page in a real browser: it is live, nothing jumps, two tabs agree, and no script is needed."""

import re
from contextlib import contextmanager

import msgspec
import pytest

from tests.support.browser import PATIENCE_MS, chromium
from tests.support.live_shop import LiveDashboard, LiveShop, replayed_shop

pytestmark = [pytest.mark.kafka, pytest.mark.browser, pytest.mark.slow]
LIST = "?kind=churn_risk"
WORST = 5


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def many():
    """A shop with more customers at risk than a screen holds."""
    return replayed_shop(customers=300)


@pytest.fixture
def opened(browser):
    """Opens pages, each a person of their own; at the end no script failed and no other site was asked."""

    @contextmanager
    def open_page(address, path="", *, errors=(), **more):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **more)
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
        assert [text for text in messages if not any(each in text for each in errors)] == []
        assert [url for url in asked if not url.startswith(address)] == []

    return open_page


def at_risk(profiles):
    return [
        profile
        for profile in profiles
        if (episode := profile.judgement.episodes.get("churn_risk"))
        and episode.state in {"raised", "escalated"}
    ]


def renamed(profile, name):
    return msgspec.structs.replace(profile, customer=name)


def row(page, customer):
    return page.locator(f'tr[data-key="{customer}"]')


def test_an_alert_comes_onto_the_open_page_by_itself_and_nothing_jumps(shop, dashboard, many, opened):
    profiles, _ = many
    shop.write_profiles(profiles)
    page = dashboard().start()
    first = at_risk(profiles)[0]
    with opened(page.address, LIST) as seen:
        seen.evaluate("window.scrollTo(0, 500)")
        kept = seen.evaluate(
            """() => { const rows = [...document.querySelectorAll("tr[data-key]")];
            rows.forEach(row => row.marked = true);
            const row = rows.find(row => row.getBoundingClientRect().top >= 0);
            return [row.dataset.key, row.getBoundingClientRect().top] }"""
        )
        for number in range(3):
            shop.write_profiles([renamed(first, f"new-{number}")])
        row(seen, "new-0").wait_for(state="attached")
        row(seen, "new-2").wait_for(state="attached")

        top = seen.evaluate(
            f"document.querySelector('tr[data-key=\"{kept[0]}\"]').getBoundingClientRect().top"
        )
        assert abs(top - kept[1]) < 2
        assert (
            seen.evaluate("[...document.querySelectorAll('tr[data-key]')].filter(r => r.marked).length") > 10
        )
        assert "299" not in seen.locator(".live").inner_text()


def test_the_worst_five_are_seen_whole_with_all_that_can_be_done(shop, dashboard, many, opened):
    shop.write_profiles(many[0])
    page = dashboard().start()
    with opened(page.address, LIST) as seen:
        bottoms = seen.evaluate(
            """() => [...document.querySelectorAll("table.list tbody tr")].slice(0, 5).map(
            row => row.getBoundingClientRect().bottom)"""
        )
        assert len(bottoms) == WORST
        assert max(bottoms) <= 800
        for width in (390, 1280):
            seen.set_viewport_size({"width": width, "height": 800})
            assert seen.evaluate("document.documentElement.scrollWidth") <= width


def test_two_tabs_agree_and_what_is_open_stays_open(shop, dashboard, many, opened):
    shop.write_profiles(many[0])
    page = dashboard(dashboard_user="Ada").start()
    with opened(page.address, LIST) as ada, opened(page.address, LIST) as bo:
        first, second = (ada.locator("tr[data-key]").nth(n).get_attribute("data-key") for n in range(2))
        row(bo, second).locator("summary", has_text="More").click()
        row(ada, first).locator("button", has_text="Seen").click()

        row(ada, first).locator(".state", has_text="seen today by Ada").wait_for()
        row(bo, first).locator(".state", has_text="seen today by Ada").wait_for()
        assert row(bo, second).locator("button", has_text="Lost").is_visible()
        row(bo, first).locator("button", has_text="Undo").click()
        row(ada, first).locator("button", has_text="Seen").wait_for()
    assert [event["type"] for event in shop.controls()] == ["action.acknowledged", "action.undone"]


def test_everything_works_by_keyboard_without_a_script(shop, dashboard, many, opened):
    shop.write_profiles(many[0])
    page = dashboard(dashboard_user="Ada").start()
    with opened(page.address, LIST, java_script_enabled=False) as seen:
        customer = seen.locator("tr[data-key]").first.get_attribute("data-key")
        row(seen, customer).locator("summary", has_text="More").focus()
        seen.keyboard.press("Enter")
        row(seen, customer).locator("button", has_text="Never again: staff").focus()
        seen.keyboard.press("Enter")

        seen.locator("text=1 customer is left out").wait_for()
        assert row(seen, customer).count() == 0


def test_a_lost_kafka_is_a_red_line_that_goes_by_itself(own_broker, prefix, tmp_path, many, opened):
    shop = LiveShop(own_broker.bootstrap, prefix).make_topics()
    shop.write_profiles(many[0])
    page = LiveDashboard(shop, tmp_path / "store.db").start()
    try:
        with opened(page.address, LIST) as seen:
            own_broker.kill()
            seen.locator(".trouble", has_text="Kafka does not answer").wait_for()
            assert seen.locator("tr[data-key]").count() > WORST
            own_broker.start()
            seen.locator(".trouble").wait_for(state="detached")
    finally:
        page.close()


def test_a_dashboard_that_is_killed_and_started_again_is_followed_without_a_click(
    shop, dashboard, many, opened
):
    shop.write_profiles(many[0])
    page = dashboard().start()
    port = page.address.rstrip("/").rpartition(":")[2]
    with opened(page.address, LIST, errors=["ERR_CONNECTION", "Failed to"]) as seen:
        page.process.kill()
        page.process.wait()
        seen.locator("text=The dashboard does not answer").wait_for()
        page.start(port=port)
        shop.write_profiles([renamed(at_risk(many[0])[0], "new")])

        row(seen, "new").wait_for(state="attached")
        row(seen, "new").locator("button", has_text="Done").click()
        row(seen, "new").locator(".state", has_text="done today").wait_for()


HOSTILE = [
    "<script>alert(1)</script>",
    "\"' onmouseover=alert(1) x='",
    "a\u202egnp.exe",
    "nul\0nul",
    "x" * 256,
]


def test_hostile_texts_in_every_live_field_do_nothing_and_can_be_acted_on(shop, dashboard, many, opened):
    first = at_risk(many[0])[0]
    shop.write_profiles([renamed(first, name) for name in HOSTILE])
    page = dashboard(dashboard_user="<img src=x onerror=alert(1)>").start()
    with opened(page.address, LIST) as seen:
        for number in range(len(HOSTILE)):
            button = seen.locator("button", has_text=re.compile("^Done$")).first
            button.click()
            seen.locator(".state").nth(number).wait_for()
        assert seen.locator(".state").count() == len(HOSTILE)
        assert seen.locator("main img").count() == 0
    assert sorted(event["subject"] for event in shop.controls()) == sorted(HOSTILE)
