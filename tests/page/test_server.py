"""The dashboard over HTTP: what it answers, to whom, and what it never lets through."""

import asyncio
import csv
import html
import io
import logging
import re
import threading
from contextlib import asynccontextmanager, contextmanager

import aiohttp
import msgspec
import pytest
import yarl

from stream.page.dashboard import filled
from stream.page.sources.replay_files import replay_files
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import StoreError
from stream.page.web.pages import EXPORTS
from stream.page.web.server import AddressError, DashboardServer
from tests.support.builders import basis
from tests.support.dashboard_pages import HOSTILE, got, renamed
from tests.support.replayed_shop import write_files


@pytest.fixture
async def served(shop):
    store, view = shop
    server = DashboardServer(store, view, ["shop.example"])
    yield await server.start("127.0.0.1", 0)
    await server.close()


async def test_the_first_page_says_who_why_how_much_and_what_next(served):
    status, headers, text = await got(served)

    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    for word in ("Loyal customers at risk", "profit at stake", "Worst first", "What to do", "UTC"):
        assert word in text
    assert len(text) < 60_000


async def test_no_page_runs_a_script_or_asks_another_site(served):
    _, headers, text = await got(served)

    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Set-Cookie" not in headers
    assert not re.search(r"<script|javascript:|\son\w+=|style=|https?://", text)


async def test_a_request_under_a_foreign_host_name_is_refused(served):
    for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:80", "[::1"):
        status, headers, text = await got(served, headers={"Host": host})
        assert status in (400, 421), host
        assert "customer" not in text
        assert status == 400 or "Content-Security-Policy" in headers


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:80", "shop.example"])
async def test_known_host_names_are_answered(served, host):
    assert (await got(served, headers={"Host": host}))[0] == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("?kind=nonsense", 400, "kind is &#39;nonsense&#39;; allowed: at_risk_loyal"),
        ("?x=%3Cscript%3E", 400, "there is no filter"),
        ("?after=1", 400, "go back to its first page"),
        ("nothing", 404, "There is no such page"),
        ("static/../server.py", 404, "There is no such page"),
        ("static/%2e%2e%2fserver.py", 404, "There is no such page"),
    ],
)
async def test_what_cannot_be_shown_is_said_in_words(served, path, status, words):
    found, headers, text = await got(served, path)

    assert (found, words in text) == (status, True), text
    assert "<script" not in text
    assert "Content-Security-Policy" in headers


@pytest.mark.parametrize("path", ["healthz", "readyz", "metrics"])
async def test_operators_ask_by_any_name_and_are_shown_no_customer(served, path):
    status, _, text = await got(served, path, headers={"Host": "172.18.0.5:8080"})

    assert status == 200
    assert "customer-0" not in text


async def test_only_get_is_allowed(served):
    async with aiohttp.ClientSession() as session, session.post(served) as answer:
        assert answer.status == 405
        assert "Content-Security-Policy" in answer.headers


async def test_operators_get_health_readiness_and_metrics(served):
    await got(served)

    assert (await got(served, "healthz"))[0] == (await got(served, "readyz"))[0] == 200
    metrics = (await got(served, "metrics"))[2]
    assert 'customer_stream_dashboard_rows{table="customers"} 160.0' in metrics
    assert 'customer_stream_dashboard_page_seconds_count{page="/"} 1.0' in metrics
    assert "customer_stream_dashboard_log_bytes" in metrics


async def test_the_csv_is_a_download_of_all_rows(served):
    _, headers, text = await got(served, "today.csv?kind=churn_risk")

    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Content-Disposition"] == 'attachment; filename="today.csv"'
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][0] == "customer"
    assert len(rows) > 1


async def test_a_port_that_is_taken_is_one_line(shop, served):
    port = int(served.rstrip("/").rpartition(":")[2])

    with pytest.raises(AddressError, match=f"127.0.0.1, port {port}: "):
        await DashboardServer(*shop).start("127.0.0.1", port)


@pytest.fixture
async def hostile(shop_files, tmp_path):
    """Customers at risk whose texts are hostile."""
    lines = [
        line
        for line in shop_files[0].read_bytes().splitlines()
        if re.search(rb'"at_risk_loyal":\{"state":"(raised|escalated)"', line)
    ]
    profiles = [renamed(lines[place % len(lines)], name) for place, name in enumerate(HOSTILE)]
    store = SqliteStore(tmp_path / "store.db")
    server = DashboardServer(
        store, filled(store, replay_files(*write_files(tmp_path, profiles, []), basis()))
    )
    yield await server.start("127.0.0.1", 0)
    await server.close()
    store.close()


async def test_hostile_texts_are_shown_and_do_nothing(hostile):
    _, _, text = await got(hostile)

    assert text.count('<th scope="row">') == len(HOSTILE)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "\0" not in text
    assert "{{ 7 * 7 }}" in text
    assert "顧客" in text
    assert "&lt;script&gt;" in text


@asynccontextmanager
async def with_endless_export(shop, monkeypatch, fails_at=1_000):
    """The address of a dashboard whose export of customers has no end, and how many parts were read of it."""
    parts: list[int] = []

    def rows(reading, filters, view):
        parts.append(len(parts))
        if len(parts) == fails_at:
            raise ZeroDivisionError
        return [["x" * 1_000]] * 100, "more"

    exporter = EXPORTS["/customers.csv"]._replace(rows=rows)
    monkeypatch.setattr("stream.page.web.server.EXPORTS", {"/customers.csv": exporter})
    server = DashboardServer(*shop)
    yield await server.start("127.0.0.1", 0), parts
    await server.close()


async def test_a_browser_that_leaves_during_a_download_is_no_fault(shop, monkeypatch, caplog):
    async with with_endless_export(shop, monkeypatch) as (address, parts):
        async with aiohttp.ClientSession() as session:
            answer = await session.get(f"{address}customers.csv")
            await answer.content.readany()
            answer.close()
        read = -1
        while read != len(parts):  # until no more is read
            read = len(parts)
            await asyncio.sleep(0.5)

    assert 0 < read < 1_000
    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_fault_in_the_middle_of_a_download_breaks_it_off(shop, monkeypatch, caplog):
    """A file that ends early and looks whole would be wrong in silence."""
    async with with_endless_export(shop, monkeypatch, fails_at=3) as (address, _):
        with pytest.raises(aiohttp.ClientPayloadError):
            await got(address, "customers.csv")

    (line,) = [record.message for record in caplog.records if record.levelno > logging.INFO]
    assert line.startswith("a page could not be made: /customers.csv: ZeroDivisionError")


async def test_hostile_texts_come_through_the_csv_unchanged_but_for_formulas(hostile):
    _, _, text = await got(hostile, "today.csv")
    found = {row[0] for row in csv.reader(io.StringIO(text))} - {"customer"}

    assert found == {name.replace("\0", "\\u0000").replace("=cmd", "'=cmd") for name in HOSTILE}


async def test_every_hostile_id_leads_to_its_customer_and_to_the_same_json(hostile):
    _, _, text = await got(hostile)
    links = [html.unescape(link) for link in re.findall(r'href="(/customer\?id=[^"]*)"', text)]

    assert len(set(links)) == len(HOSTILE)
    for link in set(links):
        address = yarl.URL(hostile.rstrip("/") + link, encoded=True)
        status, _, page = await got(address)
        stored = await got(yarl.URL(str(address).replace("/customer?", "/customer.json?"), encoded=True))
        assert (status, stored[0]) == (200, 200)
        assert "<script" not in page
        assert msgspec.json.decode(stored[2])["customer"] in HOSTILE


async def test_the_list_of_customers_takes_hostile_filters_as_texts(hostile):
    for name in HOSTILE:
        for path in ("customers", "customers.csv"):
            address = yarl.URL(hostile + path).with_query({"campaign": name.strip(), "q": name[:5].strip()})
            assert (await got(address))[0] == 200


@pytest.mark.parametrize("path", ["customer", "customer?id=nobody", "customer.json?id=nobody"])
async def test_a_customer_who_is_not_known_is_said_so(served, path):
    status, _, text = await got(served, path)

    assert status == 404
    assert "not known" in text


async def test_an_empty_shop_is_said_in_words(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    server = DashboardServer(store, filled(store, replay_files(*write_files(tmp_path, [], []), basis())))
    address = await server.start("127.0.0.1", 0)
    try:
        status, _, text = await got(address)
        rows = (await got(address, "today.csv"))[2]
        everybody = (await got(address, "customers"))[2]
    finally:
        await server.close()

    assert status == 200
    assert "No customer is known yet" in text
    assert "No customer is known yet" in everybody
    assert "1970" not in text + everybody
    assert "as of no event" not in text
    assert rows.count("\n") == 1


async def test_who_is_not_known_by_this_id_can_be_searched_for(served):
    status, _, text = await got(served, "customer?id=Customer-00012")
    address = html.unescape(re.findall(r'href="/(customers[^"]*)">Search', text)[0])

    assert status == 404
    assert "customer-00012" in (await got(served, address))[2]


class FrozenStore:
    """A store in a PostgreSQL that is frozen, until `thaw` is set."""

    log_bytes = 0

    def __init__(self):
        self.thaw = threading.Event()

    @contextmanager
    def reading(self):
        self.thaw.wait(60)
        raise StoreError("PostgreSQL: no answer from pg for 10 s")
        yield


async def test_a_store_that_is_frozen_holds_up_neither_health_nor_metrics(shop):
    store = FrozenStore()
    server = DashboardServer(store, shop[1])  # type: ignore[arg-type]
    address = await server.start("127.0.0.1", 0)
    pages = [asyncio.create_task(got(address)) for _ in range(20)]
    try:
        metrics = asyncio.create_task(got(address, "metrics"))
        assert (await got(address, "healthz"))[0] == 200
        assert (await metrics)[0] == 200
        assert "dashboard_rows{" not in (await metrics)[2], "what is not known has no sample"
        assert not any(page.done() for page in pages)
    finally:
        store.thaw.set()
        answers = await asyncio.gather(*pages)
        await server.close()
    assert {status for status, _, _ in answers} == {503}
    assert "The numbers cannot be read" in answers[0][2]
    assert "no answer from pg for 10 s" in answers[0][2]
