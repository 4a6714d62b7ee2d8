"""Whatever text comes in, a page shows it as text, in a real browser. And shops that are hardly any."""

import re
from contextlib import contextmanager

import pytest

from stream.core.facts.profile import Profile
from stream.replay.run import replay
from tests.support.browser import PATIENCE_MS, chromium
from tests.support.builders import basis, bought, complained, identified, viewed
from tests.support.dashboard_process import dashboard_process
from tests.support.page_entries import hostile_texts, with_text_everywhere
from tests.support.replayed_shop import write_files

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATHS = [
    "",
    "?kind=churn_risk",
    "?kind=upgrade_opportunity",
    "customers",
    "customers?sort=risk",
    "map",
    "policy",
]


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser):
    """Opens a page at an address; at the end nothing ran and nothing was asked elsewhere."""

    @contextmanager
    def open_page(address, path="", width=1280):
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.set_default_timeout(PATIENCE_MS)
        messages, asked = [], []
        page.on("dialog", lambda dialog: messages.append(dialog.message))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address + path)
        yield page
        page.close()
        assert messages == []
        assert [url for url in asked if not url.startswith(address)] == []

    return open_page


def life():
    """A customer of whom every field is filled, and who is at risk at the end."""
    return [
        identified(0, "spring"),
        *(bought(7 * week, 20_000) for week in range(30)),
        viewed(205, "toys"),
        complained(210, "t1"),
        viewed(245, "games"),
    ]


@pytest.fixture(scope="module", params=hostile_texts(), ids=lambda text: repr(text)[:20])
def hostile(request, tmp_path_factory):
    """The address of a shop in which one text is in every field that holds a text."""
    folder = tmp_path_factory.mktemp("hostile")
    run, alerts = replay(life(), basis())
    profiles, alerts = with_text_everywhere(list(run.profiles.values()), alerts, request.param)
    kept, sent = write_files(folder, profiles, alerts)
    with dashboard_process("--profiles", kept, "--alerts", sent) as (_, address):
        yield address


def test_a_hostile_text_in_every_field_is_text_on_every_page(opened, hostile):
    for path in PATHS:
        with opened(hostile, path, 390) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
            assert page.locator("main script, main img, main [onmouseover]").count() == 0
            assert not re.search("[\\0\u202a-\u202e\u2066-\u2069]", page.inner_text("body"))


def test_the_page_of_a_customer_with_hostile_texts_opens_by_a_click(opened, hostile):
    with opened(hostile, "customers", 390) as page:
        page.locator("table.list tbody th a").first.click()
        page.wait_for_url(re.compile(r"/customer\?id="), timeout=PATIENCE_MS)

        assert page.locator("#value").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.locator("main script, main img").count() == 0


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    kept, sent = write_files(tmp_path_factory.mktemp("empty"), [], [])
    with dashboard_process("--profiles", kept, "--alerts", sent) as (_, address):
        yield address


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    profile: Profile = replay([bought(3, 5_000)], basis())[0].profiles["c"]
    kept, sent = write_files(tmp_path_factory.mktemp("single"), [profile], [])
    with dashboard_process("--profiles", kept, "--alerts", sent) as (_, address):
        yield address


@pytest.mark.parametrize("path", [*PATHS, "won", "grown", "kept"])
def test_an_empty_shop_says_so_in_words_on_every_page(opened, empty, path):
    with opened(empty, path) as page:
        text = page.inner_text("main")

    assert len(text) > 40
    assert not re.search(r"\bnan\b|\binf\b|None|undefined", text)


@pytest.mark.parametrize("path", [*PATHS, "customer?id=c"])
def test_a_shop_of_one_customer_is_shown(opened, single, path):
    with opened(single, path) as page:
        text = page.inner_text("main")

    assert len(text) > 40
    assert not re.search(r"\bnan\b|\binf\b|None|undefined", text)
    if path in ("customers", "customer?id=c"):
        assert "$50" in text
