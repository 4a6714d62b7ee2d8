"""The read store: all of a source or nothing; made anew when missing, spoilt, old or of another source."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from stream.page.entries import AlertEntry, CustomerEntry, OpenEntry
from stream.page.remarks import ActionEntry, ErasureEntry, MuteEntry, NotCounted
from stream.page.sources.fill import fill
from stream.page.sources.replay_files import replay_files
from stream.page.sources.source import SourceError
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch, ReadUpTo, StoreError
from stream.page.store.tables import STORE_VERSION, TABLES
from tests.support.builders import basis
from tests.support.dashboard_pages import contents


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.db"


@pytest.fixture
def source(shop_files):
    return replay_files(shop_files[0], shop_files[1], basis())


def test_a_store_is_filled_once_and_kept_for_the_next_start(path, source):
    first = SqliteStore(path)
    assert fill(first, source)
    before = contents(first)
    first.close()

    second = SqliteStore(path)

    assert not fill(second, source)
    assert contents(second) == before
    assert len(before["customers"]) == 160
    second.close()


def test_a_store_that_was_not_filled_to_the_end_is_filled_anew(path, source, monkeypatch):
    whole = SqliteStore(path.with_name("whole.db"))
    fill(whole, source)
    store = SqliteStore(path)
    monkeypatch.setattr("stream.page.sources.fill.BATCH_ROWS", 50)
    written: list[Batch] = []

    def killed(batch):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(batch)
        SqliteStore.write(store, batch)

    monkeypatch.setattr(store, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        fill(store, source)
    monkeypatch.undo()
    assert len(contents(store)["customers"]) == 100
    store.close()

    again = SqliteStore(path)

    assert fill(again, source)
    assert contents(again) == contents(whole)


def test_another_source_policy_or_version_is_not_taken_for_this_one(path, source, shop_files, monkeypatch):
    store = SqliteStore(path)
    fill(store, source)

    assert fill(store, replay_files(shop_files[0], None, basis()))
    assert contents(store)["alerts"] == []
    assert fill(store, replay_files(shop_files[0], None, basis("[finance]\nmargin = 0.4\n")))
    monkeypatch.setattr("stream.page.store.store.STORE_VERSION", STORE_VERSION + 1)
    assert fill(store, replay_files(shop_files[0], None, basis("[finance]\nmargin = 0.4\n")))


def test_a_spoilt_store_is_made_anew(path, source):
    store = SqliteStore(path)
    fill(store, source)
    before = contents(store)
    store.close()
    content = bytearray(path.read_bytes())
    content[4_096 : len(content) // 2] = b"\xa5" * (len(content) // 2 - 4_096)
    path.write_bytes(content)

    again = SqliteStore(path)

    assert fill(again, source)
    assert contents(again) == before


def test_a_database_of_another_program_is_left_alone(path):
    with sqlite3.connect(path) as foreign:
        foreign.execute("CREATE TABLE orders (id)")
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"store\.db is a database of another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(path):
    path.write_text("Order,Date,Customer\n" * 100)

    with pytest.raises(StoreError, match=r"store\.db cannot be used: file is not a database"):
        SqliteStore(path)
    assert path.read_text().startswith("Order,Date")


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(StoreError, match=r"none/store\.db cannot be used: No such file"):
        SqliteStore(tmp_path / "none" / "store.db")


def test_a_batch_appears_with_its_offsets_or_not_at_all(path):
    store = SqliteStore(path)
    store.open_for("x")
    sent = AlertEntry("a", "c", "churn_risk", "raised", 1, 1, b"{}")
    store.write(Batch(alerts=[sent], offsets={("alerts", 0): ReadUpTo(1)}))
    twice = msgspec.structs.replace(sent, id="b", at_ms=None)

    with pytest.raises(StoreError):
        store.write(Batch(alerts=[twice], offsets={("alerts", 0): ReadUpTo(2)}))

    with store.reading() as reading:
        assert reading.rows("SELECT id FROM alerts") == [("a",)]
        assert reading.rows("SELECT * FROM offsets") == [("alerts", 0, 1, 0)]


def test_a_customer_of_a_batch_has_only_the_open_alerts_in_it(path, source):
    store = SqliteStore(path)
    fill(store, source)
    with store.reading() as reading:
        customer = reading.rows("SELECT customer FROM open_alerts LIMIT 1")[0][0]
        entry = reading.rows("SELECT * FROM customers WHERE customer = ?", [customer])[0]

    store.write(Batch(customers=[CustomerEntry(*entry)]))

    with store.reading() as reading:
        assert reading.rows("SELECT * FROM open_alerts WHERE customer = ?", [customer]) == []
        assert len(reading.rows("SELECT * FROM customers WHERE customer = ?", [customer])) == 1


def test_nothing_stays_of_an_erased_customer(path, source):
    store = SqliteStore(path)
    fill(store, source)
    with store.reading() as reading:
        customer = reading.rows("SELECT customer FROM open_alerts LIMIT 1")[0][0]

    store.write(Batch(erased=[customer], erasures=[ErasureEntry(customer, 1 << 50)]))

    left = contents(store)
    assert [at_ms for _, at_ms in left.pop("erasures")] == [1 << 50]
    assert customer not in str(left)


@pytest.mark.parametrize("first", ["alert", "erasure"])
def test_what_is_from_before_an_erasure_is_not_kept_whichever_is_read_first(path, first):
    store = SqliteStore(path)
    store.open_for("x")
    sent = AlertEntry("a", "c", "churn_risk", "raised", 10, 1, b"{}")
    later = AlertEntry("b", "c", "churn_risk", "raised", 11, 1, b"{}")
    done = ActionEntry("s", "c", "a", "taken", 10, "Ada", "")
    known = Batch(alerts=[sent, later], actions=[done], mutes=[MuteEntry("c", 99, 9, "staff", "Ada")])
    erased = Batch(erasures=[ErasureEntry("c", 10)])

    for batch in (known, erased) if first == "alert" else (erased, known):
        store.write(batch)

    left = contents(store)
    assert [row[0] for row in left["alerts"]] == ["b"]
    assert (left["actions"], left["mutes"]) == ([], [])


@pytest.mark.parametrize("turned", [False, True])
def test_the_latest_word_on_a_mute_counts_in_whatever_order_they_are_read(path, turned):
    store = SqliteStore(path)
    store.open_for("x")
    words = [
        MuteEntry("c", 99, 1, "snoozed", "Ada"),
        MuteEntry("c", 0, 2, "", "Bo"),
        MuteEntry("d", 0, 1, "", "Ada"),
        MuteEntry("d", 99, 1, "test", "Bo"),
    ]

    for word in reversed(words) if turned else words:
        store.write(Batch(mutes=[word]))

    assert contents(store)["mutes"] == [("c", 0, 2, "", "Bo"), ("d", 99, 1, "test", "Bo")]


def test_what_was_not_counted_adds_up(path):
    store = SqliteStore(path)
    store.open_for("x")
    for _ in range(2):
        store.write(Batch(not_counted=[NotCounted(1, "purchases", "schema", 3)]))

    assert contents(store)["not_counted"] == [(1, "purchases", "schema", 6)]


def test_a_source_that_goes_on_is_read_on_from_its_positions(path):
    store = SqliteStore(path)
    assert not store.open_for("x", growing=True)
    store.write(Batch(offsets={("p", 0): ReadUpTo(7, 3)}, notes={"model": "m"}))

    assert store.open_for("x", growing=True)
    assert (store.positions(), store.note("model")) == ({("p", 0): ReadUpTo(7, 3)}, "m")
    assert not store.open_for("y", growing=True)
    assert (store.positions(), store.note("model")) == ({}, "")


def test_a_reader_sees_one_state_while_rows_are_written(path, source):
    store = SqliteStore(path)
    fill(store, source)
    with store.reading() as reading:
        before = reading.one("SELECT COUNT(*) FROM customers")
        store.write(Batch(erased=["customer-00000", "customer-00001"]))
        assert reading.one("SELECT COUNT(*) FROM customers") == before
    with store.reading() as reading:
        assert reading.one("SELECT COUNT(*) FROM customers") == (before[0] - 2,)


def test_entries_have_the_columns_of_their_tables(path):
    store = SqliteStore(path)
    store.open_for("x")
    with store.reading() as reading:
        for table in TABLES:
            columns = [row[1] for row in reading.rows(f"PRAGMA table_info({table.name})")]
            assert columns == list(table.entry.__struct_fields__)
    assert OpenEntry.__struct_fields__[:2] == ("customer", "kind")


def test_a_line_that_no_replay_wrote_is_named(tmp_path, path):
    profiles = tmp_path / "profiles.jsonl"
    profiles.write_text('{"customer":"a"}\n{"customer":7}\n')

    with pytest.raises(SourceError, match=r"profiles\.jsonl:2: not what `stream replay` wrote"):
        fill(SqliteStore(path), replay_files(profiles, None, basis()))


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ('"version":99', "a profile is of version 99"),
        ('"meaning":"00000000"', "use that policy, or cut over"),
    ],
)
def test_profiles_of_a_later_version_or_of_another_meaning_are_named(tmp_path, path, field, why):
    profiles = tmp_path / "profiles.jsonl"
    profiles.write_text(f'{{"customer":"a","version":2,{field}}}\n')

    with pytest.raises(SourceError, match=f"profiles.jsonl:1: {why}|profiles.jsonl:1: .*{why}"):
        fill(SqliteStore(path), replay_files(profiles, None, basis()))


def test_a_source_without_customers_is_an_empty_store(tmp_path, path):
    profiles = tmp_path / "profiles.jsonl"
    profiles.write_text("")
    store = SqliteStore(path)

    assert fill(store, replay_files(profiles, None, basis()))
    assert store.as_of_ms() == 0
    assert contents(store)["customers"] == []


def test_the_file_is_for_its_user_alone(path):
    store = SqliteStore(path)
    store.empty("x")

    assert [each.stat().st_mode & 0o077 for each in path.parent.glob("store.db*")] == [0] * 3
    store.close()


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    """As root nothing is read-only but the folders of the kernel."""
    with pytest.raises(StoreError, match=r"the read store /proc/1/store\.db cannot be used: [^\n]+$"):
        SqliteStore(Path("/proc/1/store.db"))


def test_a_full_disk_is_one_line_and_what_was_written_stays(path):
    store = SqliteStore(path)
    store.empty("x")
    store.write(Batch(mutes=[MuteEntry("a", 1, 1, "staff", "")]))
    with closing(sqlite3.connect(path)) as limit:
        pages = limit.execute("PRAGMA page_count").fetchone()[0]
    store._writer.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match=r"cannot be written: database or disk is full$"):
        store.write(Batch(mutes=[MuteEntry(f"b{n}", 1, 1, "x" * 900, "") for n in range(100)]))

    assert [row[0] for row in contents(store)["mutes"]] == ["a"]
    store.close()
