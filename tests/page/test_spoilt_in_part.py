"""A stored row of which a part cannot be read, whichever: no page fails, its customer's page says so and what
is known, they are counted as left out, and the numbers of the others go on without them."""

import msgspec
import pytest

from stream.page.entries import alert_entry
from stream.page.live.looking import NewRow
from stream.page.live.reading_rows import RowReader
from stream.page.live.record import PageRecord
from stream.page.live.rounds import Rounds
from stream.page.live.row_processes import RowWorker, Work
from stream.page.masks import Masks
from stream.page.remarks import ActionEntry, MuteEntry
from stream.page.screens.not_counted import not_counted_today
from stream.page.screens.policy.judged_alerts import judged_alerts
from stream.page.screens.view import View
from stream.page.sources.source import last_instant_ms
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.page.web.pages import EXPORTS, PAGES, Pages
from stream.page.web.panes import PANES
from stream.worker.rows.stored import UNREADABLE, read_profile
from tests.support.builders import basis
from tests.support.live_shop import encoded_row, replayed_shop
from tests.support.read_stores import read_store

DEPTHS = (2, 1)
"""Of the parts of a customer without an open alert that are spoilt, and of one with an alert."""


def places(found, depth):
    """Paths to every value of a profile, down to a depth."""
    for name, value in found.items():
        yield (name,)
        if isinstance(value, dict) and depth > 1:
            yield from ((name, *rest) for rest in places(value, depth - 1))


def spoilt(profile, path, customer):
    """A row of a customer in which the value at a path has another type, as JSON."""
    found = msgspec.json.decode(msgspec.json.encode(profile))
    *above, last = path
    inside = found
    for name in above:
        inside = inside[name]
    inside[last] = "x" if isinstance(inside[last], int | float) else 7
    return msgspec.json.encode({**found, "customer": customer})


def is_readable(text):
    try:
        read_profile(text)
    except UNREADABLE:
        return False
    return True


@pytest.fixture(scope="module")
def good():
    """Profiles and alerts, and the instant of the last event."""
    profiles, alerts = replayed_shop(30)
    return profiles, alerts, max(map(last_instant_ms, profiles))


@pytest.fixture(scope="module")
def bad(good):
    """Customer -> a profile of which one part cannot be read, each another part; of customers with an open
    alert and without."""
    profiles, _, _ = good
    is_open = {"raised", "escalated"}
    some = [
        next(
            each
            for each in profiles
            if each.buying.orders
            and each.feedback.count
            and any(one.state in is_open for one in each.judgement.episodes.values()) == alerted
        )
        for alerted in (False, True)
    ]
    found = {}
    for number, (profile, depth) in enumerate(zip(some, DEPTHS, strict=True)):
        for path in places(msgspec.json.decode(msgspec.json.encode(profile)), depth):
            customer = f"bad {number} {'.'.join(path)}"
            if path != ("customer",):
                found[customer] = spoilt(profile, path, customer)
    return {customer: text for customer, text in found.items() if not is_readable(text)}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def store(request, tmp_path_factory):
    with read_store(request.param, tmp_path_factory.mktemp("spoilt")) as found:
        yield found


def view_at(now_ms, **more):
    return View(basis(), now_ms, "a test", True, **more)


def written(store, good, bad, *, quickly):
    """A store with all of them. `quickly`: as other processes fill it, which read in brief."""
    profiles, alerts, now_ms = good
    names = dict.fromkeys(bad)
    sent = [*alerts]
    for name in names:
        sent += [msgspec.structs.replace(each, id=f"{name} {each.id}", subject=name) for each in alerts[:3]]
    rows = {each.customer: encoded_row(each) for each in profiles}
    rows |= {customer: b'{"profile":' + text + b"}" for customer, text in bad.items()}
    reader = RowReader(basis(), {}, {})
    store.empty("x")
    if quickly:
        work = Work([NewRow(customer, row, 0) for customer, row in rows.items()], now_ms, {})
        batch = reader.put_together(reader.gather([]), RowWorker(basis()).done(work).seen)
    else:
        records = [
            PageRecord("profiles", "p", 0, place, customer.encode(), row)
            for place, (customer, row) in enumerate(rows.items())
        ]
        batch = reader.batch(records, lambda: now_ms)
    batch.alerts = [alert_entry(each) for each in sent]
    store.write(batch)
    store.finish(now_ms)


def looked_round(store, now_ms):
    rounds = Rounds(store, lambda _: basis(), lambda: now_ms, pause_min_s=0.0)
    rounds.begin_at_once()
    while rounds.step() and rounds.running:
        pass
    return rounds


def all_pages(store, view, customers):
    """Path, customer -> text and status of every page and export."""
    found = {}
    pages = Pages(view)
    with store.reading() as reading:
        for path, maker in {**PAGES, **PANES}.items():
            for customer in customers if path in ONE else [""]:
                query = {"id": view.shown(customer)} if customer else {}
                found[path, customer] = maker(pages, reading, query)[:2]
        for exporter in EXPORTS.values():
            filters = exporter.filters(reading, {}, view)
            assert exporter.rows(reading, filters, view)
        bought = {"first": "2000-01-01..2099-01-01", "bought": view.iso_day(view.as_of_ms)[:7]}
        assert PAGES["/customers"](pages, reading, bought)[1] == 200
    return found


ONE = ("/customer", "/customer.json")


@pytest.mark.parametrize("quickly", [True, False], ids=["filled in brief", "filled in full"])
def test_no_page_fails_and_who_is_left_out_is_named(store, good, bad, quickly):
    profiles, _, now_ms = good
    assert len(bad) > 50
    written(store, good, bad, quickly=quickly)
    before = all_pages(store, view_at(now_ms), bad)
    looked_round(store, now_ms + 1)
    after = all_pages(store, view_at(now_ms), bad)

    for found in (before, after):
        for customer in bad:
            text, status = found["/customer", customer]
            assert status == 200, customer
            assert "whose stored row cannot be read" in text, customer
            assert found["/customer.json", customer][1] in (200, 404)
        assert {status for (path, _), (_, status) in found.items() if path not in ONE} == {200}
    for found in (after, *([] if quickly else [before])):
        assert f"{len(bad)} customers whose stored row cannot be read" in found["/", ""][0]
    with store.reading() as reading:
        known = {name for (name,) in reading.rows("SELECT customer FROM customers")}
    assert known == {each.customer for each in profiles}


def test_what_can_be_read_of_a_row_is_on_its_page(store, good, bad):
    written(store, good, bad, quickly=True)
    looked_round(store, good[2] + 1)
    customer = "bad 0 buying.orders"

    with store.reading() as reading:
        text, _, _ = PAGES["/customer"](Pages(view_at(good[2])), reading, {"id": customer})
        nothing, _, _ = PAGES["/customer"](Pages(view_at(good[2])), reading, {"id": "bad 0 judgement"})

    assert "whose stored row cannot be read in full" in text
    assert "Lists, sums and shares are without them." in text
    for known in ("Tier: ", "paid less refunds; the last one on", "The risk that they do not buy again: "):
        assert known in text
    assert "Every alert, and what became of it" in text
    assert text.count("<details>") >= 1
    assert "Nothing of the row can be read." in nothing


def test_what_others_promised_is_counted_without_them(store, good, bad):
    written(store, good, {}, quickly=True)
    with store.reading() as reading:
        alone = judged_alerts(reading, view_at(good[2]))
    written(store, good, bad, quickly=True)

    with store.reading() as reading:
        found = judged_alerts(reading, view_at(good[2]))
        text, _, _ = PANES["/policy"](Pages(view_at(good[2])), reading, {})

    assert found.whole == alone.whole
    assert found.weeks == alone.weeks
    assert alone.unread == 0 < found.unread
    assert alone.whole.judged > 0
    assert f"{found.unread} alerts are left out: the stored rows of their customers cannot be read" in text


def test_a_row_that_can_be_read_again_counts_again(store, good, bad):
    profiles, _, now_ms = good
    customer = "bad 0 buying.orders"
    written(store, good, {customer: bad[customer]}, quickly=False)
    mended = msgspec.structs.replace(profiles[0], customer=customer)
    record = PageRecord("profiles", "p", 0, 1, customer.encode(), encoded_row(mended))

    store.write(RowReader(basis(), {}, {}).batch([record], lambda: now_ms))

    with store.reading() as reading:
        assert not_counted_today(reading, view_at(now_ms)) == ""
        text, status, _ = PAGES["/customer"](Pages(view_at(now_ms)), reading, {"id": customer})
    assert status == 200
    assert "What to do now" in text


def test_alerts_and_remarks_of_a_customer_who_is_left_out_are_not_forgotten(store, good, bad):
    customer = "bad 0 buying.orders"
    written(store, good, {customer: bad[customer]}, quickly=False)
    store.write(
        Batch(
            mutes=[MuteEntry(customer, 1 << 60, 1, "staff", "Ada")],
            actions=[ActionEntry("e", customer, "a", "taken", 1, "Ada", "")],
        )
    )
    for later in range(3):
        looked_round(store, good[2] + 1 + later)._forget()

    with store.reading() as reading:
        for table in ("alerts", "mutes", "actions"):
            assert reading.rows(f"SELECT 1 FROM {table} WHERE customer = ?", [customer]), table


def test_a_masked_id_leads_to_the_page_of_who_is_left_out(good, bad, tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    store.masks = Masks("a key of the masks")
    customer, broken = "bad 0 buying.orders", "bad 0 judgement"
    written(store, good, {name: bad[name] for name in (customer, broken)}, quickly=True)
    looked_round(store, good[2] + 1)
    view = view_at(good[2], masks=store.masks)

    found = all_pages(store, view, [customer, broken])

    for name in (customer, broken):
        text, status = found["/customer", name]
        assert (status, name in text) == (200, False)
        assert "whose stored row cannot be read" in text
        assert name not in found["/customer.json", name][0]
    store.close()
