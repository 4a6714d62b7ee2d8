"""The rows of a customer in the queue and in the read store, on SQLite: all found, and none left behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stream.core.facts.profile import ERASURE_GRACE_MS
from stream.deliver.queue.erasure import erase_now, forget_erased
from stream.page.entries import AlertEntry
from stream.page.remarks import ActionEntry, ErasureEntry, MuteEntry
from stream.page.store.sqlite import SqliteStore
from stream.page.store.store import Batch
from stream.privacy.read_store import wipe_read_store
from stream.privacy.sql_stores import SqlStoreError, sql_store
from stream.pseudonyms import ERASED, Pseudonyms
from tests.support.alert_bodies import NOW_MS, alert_body
from tests.support.deliver_world import DOWN, OK, World
from tests.support.narrow import not_none

KEY = "a-key-for-tests-only"
ZOE = "zoe@example.org"


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("*.db*")))


def keyed(folder: Path, receiver=lambda _: OK) -> World:
    world = World(folder, receiver)
    world.database.pseudonyms = Pseudonyms(KEY, ERASED)
    return world


async def test_with_a_key_no_id_is_left_in_the_queue_when_its_outcomes_are_reported(tmp_path):
    world = keyed(tmp_path)
    await world.send(alert_body(ZOE), alert_body("Max"))
    world.erase(ZOE)
    forget_erased(world.database, world.now_ms)
    assert ZOE.encode() in files(tmp_path), "the outcome is not on the deliveries topic yet"

    world.report()
    forget_erased(world.database, world.now_ms)
    world.database.run("PRAGMA wal_checkpoint(TRUNCATE)")

    assert ZOE.encode() not in files(tmp_path)
    assert Pseudonyms(KEY, ERASED).of(ZOE).encode() in files(tmp_path)
    assert len(world.ends()) == 1
    forget_erased(world.database, world.now_ms + ERASURE_GRACE_MS + 1)
    assert not world.database.rows("SELECT * FROM erased")


async def test_with_a_key_alerts_of_before_the_erasure_are_still_told_from_new_ones(tmp_path):
    world = keyed(tmp_path)
    world.erase(ZOE, NOW_MS)
    await world.send(alert_body(ZOE, at_ms=NOW_MS - 1))
    await world.send(alert_body(ZOE, episode=2, at_ms=NOW_MS + 3 * 86_400_000))

    assert [each.id for each in world.accepted] != []
    assert world.ends() == ["suppressed/erased", "accepted"]


async def test_an_erasure_by_command_ends_what_waits_and_leaves_no_body(tmp_path):
    world = keyed(tmp_path, lambda _: DOWN)
    await world.send(alert_body(ZOE))
    erase_now(world.database, ZOE, NOW_MS, world.now_ms)
    erase_now(world.database, ZOE, NOW_MS, world.now_ms)

    with sql_store("delivery queue", str(tmp_path / "queue.db")) as store:
        assert store is not None
        store.tidy()
        assert store.left(ZOE) == 2, "alert and delivery wait for their report"
    assert b'"subject":"' + ZOE.encode() not in files(tmp_path)
    world.report()
    erase_now(world.database, ZOE, NOW_MS, world.now_ms)
    with sql_store("delivery queue", str(tmp_path / "queue.db")) as store:
        assert store is not None
        store.tidy()
        assert store.left(ZOE) == 0
    assert ZOE.encode() not in files(tmp_path)


def filled(path: Path) -> SqliteStore:
    store = SqliteStore(path)
    store.open_for("x")
    alerts = [AlertEntry(f"a-{who}", who, "churn_risk", "raised", 10, 1, b"{}") for who in (ZOE, "Max")]
    done = ActionEntry("s", ZOE, f"a-{ZOE}", "taken", 10, "Ada", "")
    store.write(Batch(alerts=alerts, actions=[done], mutes=[MuteEntry(ZOE, 99, 9, "staff", "Ada")]))
    return store


def left_in(path: Path) -> int:
    with sql_store("read store", str(path)) as store:
        return not_none(store).left(ZOE)


def delete_in(path: Path) -> None:
    with sql_store("read store", str(path)) as store:
        wipe_read_store(str(path), ZOE, 1 << 50, "")
        not_none(store).tidy()


def test_the_rows_of_a_customer_are_found_and_deleted_beside_the_dashboard(tmp_path):
    dashboard = filled(tmp_path / "store.db")
    with sql_store("read store", str(tmp_path / "store.db")) as store:
        assert store is not None
        assert {name: len(rows) for name, rows in store.rows_of(ZOE).items()} == {
            "alerts": 1, "actions": 1, "mutes": 1,
        }  # fmt: skip
        for _ in range(2):
            wipe_read_store(str(tmp_path / "store.db"), ZOE, 1 << 50, "")
        store.tidy()
        assert (store.left(ZOE), store.left("Max")) == (0, 1)
    assert ZOE.encode() not in files(tmp_path)
    dashboard.close()


@pytest.mark.parametrize("key", ["", KEY])
def test_the_read_store_knows_erased_customers_by_a_pseudonym(tmp_path, key):
    dashboard = filled(tmp_path / "store.db")
    dashboard.pseudonyms = Pseudonyms(key, ERASED)
    dashboard.write(Batch(erased=[ZOE], erasures=[ErasureEntry(ZOE, 10)]))
    dashboard.write(Batch(alerts=[AlertEntry("late", ZOE, "churn_risk", "raised", 9, 2, b"{}")]))
    dashboard.close()

    assert ZOE.encode() not in files(tmp_path)


def test_where_there_is_no_store_nothing_is_made(tmp_path):
    with sql_store("read store", str(tmp_path / "none.db")) as store:
        assert store is None
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_one_line(tmp_path):
    (tmp_path / "store.db").write_bytes(b"no database, but some text of a length" * 100)
    with pytest.raises(SqlStoreError, match=r"store\.db: file is not a database"):
        left_in(tmp_path / "store.db")


def test_a_log_that_others_read_is_said(tmp_path, monkeypatch):
    dashboard = filled(tmp_path / "store.db")
    monkeypatch.setattr("stream.privacy.sql_stores.PAUSE_S", 0.0)
    monkeypatch.setattr("stream.privacy.sql_stores.BUSY_S", 0.01)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM alerts").fetchone()
    with pytest.raises(SqlStoreError, match="in use"):
        delete_in(tmp_path / "store.db")
    other.close()
    dashboard.close()
