"""SQLite and PostgreSQL as the read store: what is written, kept, refused and shown is the same."""

import asyncio

import msgspec
import pytest

from stream.page.dashboard import filled
from stream.page.remarks import ActionEntry, ErasureEntry, MuteEntry, NotCounted
from stream.page.sources.fill import fill
from stream.page.sources.replay_files import replay_files
from stream.page.store.postgres import PostgresStore
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch, ReadUpTo, StoreError
from stream.page.store.tables import STORE_VERSION, TABLES
from stream.page.web.pages import PAGES
from stream.page.web.server import DashboardServer
from stream.privacy.read_store import wipe_read_store
from stream.privacy.sql_stores import sql_store
from stream.pseudonyms import ERASED, Pseudonyms
from stream.worker.rows.stored import read_profile
from tests.support.builders import basis
from tests.support.dashboard_pages import HOSTILE, contents, got, renamed
from tests.support.postgres import postgres
from tests.support.replayed_shop import write_files

pytestmark = pytest.mark.slow
BOTH = ["sqlite", "postgres"]


@pytest.fixture(scope="module")
def cluster():
    with postgres() as url:
        yield url


@pytest.fixture
def opened(cluster, tmp_path):
    """Opens a store of either kind; a second time it is the same store."""
    stores = []

    def open_store(kind):
        store = PostgresStore(cluster) if kind == "postgres" else SqliteStore(tmp_path / "store.db")
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture(params=BOTH)
def kind(request):
    return request.param


def source(shop_files):
    return replay_files(shop_files[0], shop_files[1], basis())


def test_a_store_is_filled_once_and_kept_for_the_next_start(opened, kind, shop_files):
    store = opened(kind)
    store.open_for("none")
    fill(store, source(shop_files))
    before = contents(store)
    store.close()

    again = opened(kind)

    assert not fill(again, source(shop_files))
    assert contents(again) == before
    assert len(before["customers"]) == 160


def test_both_hold_the_same(opened, shop_files):
    first, second = map(opened, BOTH)
    for store in (first, second):
        store.open_for("none")
        fill(store, source(shop_files))

    assert contents(first) == contents(second)


def test_of_another_source_or_version_or_interrupted_it_is_filled_anew(opened, kind, shop_files, monkeypatch):
    store = opened(kind)
    store.open_for("none")
    store.write(Batch(offsets={("p", 0): ReadUpTo(7, 3)}, notes={"model": "m"}))
    assert store.open_for("none", growing=True)
    assert (store.positions(), store.note("model")) == ({("p", 0): ReadUpTo(7, 3)}, "m")
    assert not store.open_for("none")
    assert store.positions() == {}
    store.finish(5, ["a note"])
    assert store.open_for("none")
    assert (store.as_of_ms(), store.notes()) == (5, ("a note",))
    monkeypatch.setattr("stream.page.store.store.STORE_VERSION", STORE_VERSION + 1)
    assert not store.open_for("none")


def test_a_batch_appears_with_its_offsets_or_not_at_all(opened, kind, shop_files):
    store = opened(kind)
    store.empty("x")
    action = ActionEntry("a", "c", "alert", "taken", 1, "Ada", "")
    store.write(Batch(actions=[action], offsets={("alerts", 0): ReadUpTo(1)}))
    wrong = msgspec.structs.replace(action, id="b", at_ms=None)

    with pytest.raises(StoreError):
        store.write(Batch(actions=[wrong], offsets={("alerts", 0): ReadUpTo(2)}))

    assert [row[0] for row in contents(store)["actions"]] == ["a"]
    assert store.positions() == {("alerts", 0): ReadUpTo(1)}


def test_erasures_mutes_and_counts_are_the_same_in_any_order(opened, kind):
    store = opened(kind)
    store.empty("x")
    words = [
        Batch(mutes=[MuteEntry("c", 99, 1, "snoozed", "Ada")]),
        Batch(mutes=[MuteEntry("c", 0, 2, "", "Bo")]),
        Batch(erasures=[ErasureEntry("d", 10)]),
        Batch(mutes=[MuteEntry("d", 99, 10, "snoozed", "Ada"), MuteEntry("e", 1 << 62, 10, "staff", "")]),
        Batch(not_counted=[NotCounted(1, "purchases", "schema", 3)]),
    ]

    for batch in (*words, *reversed(words)):
        store.write(batch)

    found = contents(store)
    assert found["mutes"] == [("c", 0, 2, "", "Bo"), ("e", 1 << 62, 10, "staff", "")]
    assert found["not_counted"] == [(1, "purchases", "schema", 6)]
    store.forget(["e"], 0)
    assert [row[0] for row in contents(store)["mutes"]] == ["c"]


def test_the_rows_of_a_customer_are_deleted_beside_the_dashboard(opened, kind, cluster, tmp_path):
    store = opened(kind)
    store.empty("x")
    zoe = "zoe\0@example.org"
    store.write(Batch(mutes=[MuteEntry(who, 99, 1, "snoozed", "Ada") for who in (zoe, "max")]))
    place = cluster if kind == "postgres" else str(tmp_path / "store.db")

    with sql_store("read store", place) as found:
        assert found is not None
        assert list(found.rows_of(zoe)) == [f"{'stream_dashboard.' if kind == 'postgres' else ''}mutes"]
        wipe_read_store(place, zoe, 1, "")
        assert found.left(zoe) == int(kind == "postgres"), "a running dashboard has its lock"
        assert found.left("max") == 1


def test_erased_customers_are_known_by_a_pseudonym(opened, kind):
    store = opened(kind)
    store.empty("x")
    store.pseudonyms = Pseudonyms("a-key-for-tests-only", ERASED)
    store.write(Batch(erasures=[ErasureEntry("zoe", 10)]))
    store.write(Batch(mutes=[MuteEntry("zoe", 99, 10, "snoozed", "Ada")]))

    assert contents(store)["erasures"] == [(store.pseudonyms.of("zoe"), 10)]
    assert contents(store)["mutes"] == []


def test_a_reader_sees_one_state_while_rows_are_written(opened, kind, shop_files):
    store = opened(kind)
    store.empty("x")
    fill(store, source(shop_files))
    with store.reading() as reading:
        before = reading.one("SELECT COUNT(*) FROM customers")
        store.write(Batch(erased=["customer-00000"]))
        assert reading.one("SELECT COUNT(*) FROM customers") == before
    with store.reading() as reading:
        assert reading.one("SELECT COUNT(*) FROM customers") == (before[0] - 1,)


def test_hostile_texts_come_back_as_they_were(opened, kind):
    store = opened(kind)
    store.empty("x")
    names = [*HOSTILE, "\ufdd0", "\ufdd0\ufdd1", "\0\ufdd0\0", "100%", "%s ? $1"]

    store.write(Batch(mutes=[MuteEntry(name, 9, 1, name, name) for name in names]))

    assert {row[0] for row in contents(store)["mutes"]} == set(names)
    with store.reading() as reading:
        for name in names:
            sql = "SELECT customer, reason FROM mutes WHERE customer = ?"
            assert reading.one(sql, [name]) == (name, name)


async def pages_of(store, view, paths):
    server = DashboardServer(store, view)
    address = await server.start("127.0.0.1", 0)
    try:
        return [(await got(address, path.lstrip("/")))[::2] for path in paths]
    finally:
        await server.close()


def test_every_page_and_export_is_the_same_letter_for_letter(opened, shop_files, tmp_path):
    lines = shop_files[0].read_bytes().splitlines()
    profiles = [read_profile(line) for line in lines]
    profiles += [renamed(line, name) for line, name in zip(lines, HOSTILE, strict=False)]
    files = write_files(tmp_path, profiles, [])
    paths = [
        *PAGES, "/?kind=churn_risk", "/customers?sort=risk", "/customers?sort=last&tier=gold",
        "/customers?q=customer-0001", "/customers?q=CUSTOMER-0001", "/customers?q=0012&tier=gold",
        "/customers?kind=churn_risk&sort=change", "/customers?quiet=90",
        "/customers.csv", "/today.csv?kind=churn_risk", "/customer?id=customer-00003",
    ]  # fmt: skip
    found = []
    for kind in BOTH:
        store = opened(kind)
        store.empty("x")
        view = filled(store, replay_files(files[0], files[1], basis()))
        found.append(asyncio.run(pages_of(store, view, paths)))

    for path, first, second in zip(paths, *found, strict=True):
        assert first == second, path
    assert [status for status, _ in found[0]].count(200) >= len(paths) - 2


def test_a_second_dashboard_and_what_cannot_be_reached_are_one_line(opened, cluster):
    opened("postgres")

    with pytest.raises(StoreError, match="another `stream dashboard` fills this store"):
        PostgresStore(cluster)
    with pytest.raises(StoreError, match=r"^PostgreSQL: [^\n]*$"):
        PostgresStore("postgresql://nobody@127.0.0.1:1/none")


def test_a_table_for_every_entry_in_both(opened, kind):
    store = opened(kind)
    store.empty("x")
    with store.reading() as reading:
        for table in TABLES:
            columns = ", ".join(table.entry.__struct_fields__)
            assert reading.rows(f"SELECT {columns} FROM {table.name}") == []
