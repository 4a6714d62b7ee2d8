"""Where ids are masked no page, address, file or form holds one; search finds a customer by the full id."""

import html
import logging
import re
from contextlib import contextmanager
from urllib.parse import quote, quote_plus, unquote, urljoin

import aiohttp
import msgspec
import pytest
from click.testing import CliRunner

from stream.commands.main import main
from stream.core.judgement.episode import is_open
from stream.page.live.pushed import PushedShop
from stream.page.masks import Masks
from stream.page.screens.digest import digest, digest_text
from stream.page.store.sqlite import SqliteStore
from stream.page.web.digest_page import digest_page
from stream.page.web.server import DashboardServer
from stream.wire import encode_alert
from tests.support.builders import basis
from tests.support.live_shop import encoded_row, replayed_shop

KEY = "a key of sixteen letters or more"
HOSTILE = [
    "<b>raw-id-1</b>",
    "raw id 2 & more?",
    "raw-id-\u202e3",
    "raw-id-4\0nul",
    "=raw-id-5",
    "m-raw-id-6",
]
PAGES_MAX = 250


def forms_of(customer):
    """An id in every form in which it may stand in an answer."""
    return {customer, html.escape(customer), quote(customer), quote(customer, safe=""), quote_plus(customer)}


@pytest.fixture(scope="module")
def renamed():
    """A shop whose ids are in no other text, some of them hostile: rows, alerts, ids."""
    profiles, alerts = replayed_shop()
    profiles.sort(key=lambda each: (not any(map(is_open, each.judgement.episodes.values())), each.customer))
    names = {
        each.customer: HOSTILE[place] if place < len(HOSTILE) else f"raw-id-of-{place}"
        for place, each in enumerate(profiles)
    }
    rows = [(msgspec.structs.replace(each, customer=names[each.customer])) for each in profiles]
    sent = [msgspec.structs.replace(each, subject=names[each.subject]) for each in alerts]
    return (
        [(each.customer.encode(), encoded_row(each)) for each in rows],
        [(each.subject.encode(), encode_alert(each)) for each in sent],
        [*names.values()],
    )


@pytest.fixture
async def served(renamed, tmp_path):
    """The address of a running shop with masks, its store and its ids."""
    rows, alerts, ids = renamed
    store = SqliteStore(tmp_path / "store.db")
    store.masks = Masks(KEY)
    shop = PushedShop(store, basis(), "a test")
    shop.push("profiles", rows)
    shop.push("alerts", alerts)
    shop.look_again()
    server = DashboardServer(store, shop.view(), live=shop)
    yield await server.start("127.0.0.1", 0), store, ids, shop
    await server.close()
    store.close()


def leaked(text, ids):
    return [customer for customer in ids if any(form in text for form in forms_of(customer))]


async def walked(address):
    """Every address that can be reached by links, and its text."""
    todo = [address, address + "live", address + "metrics"]
    seen: dict[str, str] = {}
    async with aiohttp.ClientSession() as session:
        while todo and len(seen) < PAGES_MAX:
            url = todo.pop(0)
            if url in seen:
                continue
            async with session.get(url) as answer:
                seen[str(answer.url)] = seen[url] = f"{answer.headers} {await answer.text()}"
            links = re.findall(r'href="([^"]+)"', seen[url])
            todo += [urljoin(url, html.unescape(link)) for link in links if link.startswith("/")]
    return seen


async def test_a_walk_over_all_pages_and_files_meets_no_id(served):
    address, _, ids, _ = served

    seen = await walked(address)

    text = "\n".join(f"{url} {body}" for url, body in seen.items())
    assert leaked(text, ids) == []
    assert "raw-id" not in unquote(text)
    for path in ("today.csv", "customers.csv", "customer?", "customer.json?", "map", "won", "kept", "policy"):
        assert any(f"/{path}" in url for url in seen), path
    assert text.count(Masks(KEY).of(ids[0])) > 5


async def test_without_a_key_the_same_walk_meets_all_of_them(renamed, tmp_path):
    rows, alerts, ids = renamed
    store = SqliteStore(tmp_path / "store.db")
    shop = PushedShop(store, basis(), "a test")
    shop.push("profiles", rows)
    shop.push("alerts", alerts)
    shop.look_again()
    server = DashboardServer(store, shop.view(), live=shop)
    try:
        seen = await walked(await server.start("127.0.0.1", 0))
    finally:
        await server.close()
        store.close()

    assert set(ids[len(HOSTILE) :]) <= set(leaked("\n".join(seen.values()), ids))


async def test_the_search_finds_by_the_full_id_and_by_the_mask_and_never_by_a_part(served):
    address, _, ids, _ = served
    async with aiohttp.ClientSession() as session:
        for customer in ids[:8]:
            mask = Masks(KEY).of(customer)
            typed = customer.strip()
            async with session.get(address + "customers", params={"q": typed}) as answer:
                text = await answer.text()
                assert f"q={mask}" in str(answer.url)
                assert text.count(f"customer?id={mask}") == 1
            async with session.get(address + "customer", params={"id": customer}) as answer:
                assert (answer.status, leaked(f"{answer.url} {await answer.text()}", ids)) == (200, [])
            async with session.get(address + "customers", params={"q": mask[:9]}) as answer:
                assert f"customer?id={mask}" in await answer.text()
            async with session.get(address + "customers.csv", params={"q": typed}) as answer:
                assert mask in await answer.text()
        async with session.get(address + "customers", params={"q": "raw-id-of"}) as answer:
            assert "No customer fits the filters" in await answer.text()


async def test_an_action_on_a_masked_customer_reaches_the_right_one(served):
    address, store, _, _ = served
    with store.reading() as reading:
        found = reading.rows("SELECT DISTINCT customer FROM open_alerts")
    ids = sorted((customer for (customer,) in found), key=lambda each: each not in HOSTILE)[:4]
    assert ids[0] in HOSTILE
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        for customer in ids:
            mask = Masks(KEY).of(customer)
            async with session.get(f"{address}customer?id={mask}") as answer:
                text = await answer.text()
            form = text[text.index("<form") :]
            fields = dict(re.findall(r'name="(ticket|customer|alert|back)" value="([^"]*)"', form))
            assert unquote(fields["customer"]) == mask
            async with session.post(address + "act", data={**fields, "says": "acknowledged"}) as answer:
                assert answer.status == 200
        async with session.post(
            address + "act", data={**fields, "customer": "m-nobody", "says": "taken"}
        ) as answer:
            assert "not known any more" in await answer.text()

    with store.reading() as reading:
        written = reading.rows("SELECT customer, remark FROM actions ORDER BY at_ms, id")
    assert sorted(written) == sorted((customer, "acknowledged") for customer in ids)


def test_the_digest_is_masked(renamed, tmp_path):
    rows, alerts, ids = renamed
    store = SqliteStore(tmp_path / "store.db")
    store.masks = Masks(KEY)
    shop = PushedShop(store, basis(), "a test")
    shop.push("profiles", rows)
    shop.push("alerts", alerts)
    with store.reading() as reading:
        found = digest(reading, shop.view())
    store.close()

    text = digest_text(found) + digest_page(found)
    assert leaked(text, ids) == []
    assert text.count("m-") > 3


def test_another_key_gives_other_masks_and_fills_the_store_anew(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.masks = Masks(KEY)
    store.open_for("x", growing=True)
    same = Masks(KEY)
    assert same.of("a") == store.masks.of("a") != Masks(KEY + "!").of("a")
    assert re.fullmatch(r"m-[a-z2-7]{16}", same.of("\ud800"))
    assert store.open_for("x", growing=True)

    store.masks = Masks(KEY + "!")

    assert not store.open_for("x", growing=True)
    store.close()


def test_a_key_that_is_too_short_is_one_line_and_is_not_shown(shop_files, monkeypatch):
    monkeypatch.setenv("STREAM_DASHBOARD_MASK_KEY", "short-secret")

    found = CliRunner().invoke(main, ["dashboard", "--profiles", str(shop_files[0]), "--port", "0"])

    assert found.exit_code == 2
    assert "STREAM_DASHBOARD_MASK_KEY = (secret): expected at least 16 letters" in found.output
    assert "short-secret" not in found.output


@contextmanager
def all_that_is_logged():
    """Every record of every logger, from the finest level on, as text."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(logging.Formatter("%(name)s %(message)s").format(record) + repr(record.args))

    root, kept = logging.getLogger(), Kept(logging.DEBUG)
    level = root.level
    root.addHandler(kept)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(kept)
        root.setLevel(level)


async def test_no_line_of_the_log_holds_an_id_whatever_is_asked_done_or_goes_wrong(
    served, renamed, monkeypatch
):
    address, _, ids, shop = served
    asked = ids[:9]

    def broken(*given):
        customer = next((each for each in given if isinstance(each, str)), "") or given[0].customer
        raise ValueError(f"a rule stumbles over {customer}") from KeyError(customer)

    with all_that_is_logged() as lines:
        await walked(address)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            for customer in asked:
                for path in ("customer", "customer.json"):
                    await (await session.get(address + path, params={"id": customer})).read()
                for path in ("customers", "customers.csv", "map"):
                    await (await session.get(address + path, params={"q": customer})).read()
                await (await session.get(address, params={"tier": customer, customer: "x"})).read()
                await (await session.get(f"{address}{quote(customer, safe='')}")).read()
                for says in ("taken", customer):
                    form = {"customer": customer, "alert": customer, "says": says, "ticket": customer}
                    await (await session.post(address + "act", data=form)).read()
            monkeypatch.setattr("stream.page.screens.one_customer.screen.episodes", broken)
            answer = await session.get(address + "customer", params={"id": asked[-1]})
            assert answer.status == 500
            assert leaked(await answer.text(), ids) == []
        monkeypatch.setattr("stream.page.live.looking.customer_entry", broken)
        shop.push("profiles", renamed[0][:9])

    text = unquote("\n".join(lines))
    assert "a page could not be made" in text
    assert "a profile cannot be looked at" in text
    assert leaked(text, ids) == []
    assert "raw-id" not in text
